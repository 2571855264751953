"""A real S3 server in a process of its own."""

import os
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from movierating.settings import Settings, load_settings
from sandbox.state import free_ports
from tests.support.processes import ended

HOST: Final = "127.0.0.1"
KEY: Final = "invented-key-of-the-tests"
SECRET: Final = "a-secret-of-the-tests-that-opens-nothing"
_REGION: Final = "ap-northeast-2"
_START_SECONDS: Final = 60


@dataclass(frozen=True)
class S3Server:
    """Where the server listens, and what opens it."""

    url: str
    process: "subprocess.Popen[bytes]"

    def new_bucket(self) -> str:
        """Make an empty bucket."""
        name = f"films-{uuid.uuid4().hex[:12]}"
        _client(self.url).create_bucket(Bucket=name)
        return name

    def drop_bucket(self, name: str) -> None:
        """Remove a bucket with all that is in it."""
        client = _client(self.url)
        for page in client.get_paginator("list_objects_v2").paginate(Bucket=name):
            for item in page.get("Contents", []):
                client.delete_object(Bucket=name, Key=item["Key"])
        client.delete_bucket(Bucket=name)

    def identity(self, policy: str) -> dict[str, str]:
        """The keys of a new user who may do what an AWS policy document says, as settings."""
        iam, name = _client(self.url, "iam"), f"user-{uuid.uuid4().hex[:12]}"
        iam.create_user(UserName=name)
        iam.put_user_policy(UserName=name, PolicyName="all", PolicyDocument=policy)
        keys = iam.create_access_key(UserName=name)["AccessKey"]
        return {
            "aws_access_key_id": keys["AccessKeyId"],
            "aws_secret_access_key": keys["SecretAccessKey"],
        }

    def settings(self, bucket: str, **others: Any) -> Settings:
        """Settings that use a bucket of this server."""
        chosen = {
            "aws_access_key_id": KEY,
            "aws_secret_access_key": SECRET,
            "aws_default_region": _REGION,
            "aws_endpoint_url_s3": self.url,
            "s3_bucket_name": bucket,
        }
        return load_settings(None, **(chosen | others))


@contextmanager
def running_s3(folder: Path) -> Iterator[S3Server]:
    """Serve S3 from a folder, on free ports, until the end; like Amazon's, it makes no bucket."""
    folder.mkdir(exist_ok=True)
    parts = ("s3", "master", "volume", "filer", "admin")
    names = [f"-{part}.{port}" for part in parts for port in ("port", "port.grpc")]
    ports = dict(zip(names, free_ports(len(names)), strict=True))
    command = [
        str(Path(sys.executable).with_name("weed")),
        "mini",
        f"-dir={folder}",
        f"-ip={HOST}",
        f"-ip.bind={HOST}",
        f"-s3.localSocket={folder}/s3.sock",
        "-s3.autoCreateBucket=false",
        "-s3.iam.readOnly=false",
        "-s3.port.iceberg=0",
        "-s3.port.lance=0",
        "-admin.ui=false",
        "-webdav=false",
        "-master.telemetry=false",
        "-master.volumeSizeLimitMB=8",  # every bucket takes volumes, and their number has an end
        *(f"{name}={port}" for name, port in ports.items()),
    ]
    keys = {"AWS_ACCESS_KEY_ID": KEY, "AWS_SECRET_ACCESS_KEY": SECRET}
    with (
        (folder / "weed.log").open("wb") as log,
        subprocess.Popen(
            command, cwd=folder, env=os.environ | keys, stdout=log, stderr=subprocess.STDOUT
        ) as process,
        ended(process),
    ):
        server = S3Server(f"http://{HOST}:{ports['-s3.port']}", process)
        _wait_for(server)
        yield server


def _client(url: str, service: Literal["s3", "iam"] = "s3") -> Any:
    return boto3.client(
        service,
        endpoint_url=url,
        region_name=_REGION,
        aws_access_key_id=KEY,
        aws_secret_access_key=SECRET,
        config=Config(retries={"total_max_attempts": 1}),
    )


def _wait_for(server: S3Server) -> None:
    client, deadline = _client(server.url), time.monotonic() + _START_SECONDS
    while server.process.poll() is None and time.monotonic() < deadline:
        try:
            client.list_buckets()
        except (BotoCoreError, ClientError):
            time.sleep(0.2)
        else:
            return
    raise RuntimeError("the S3 server did not come up; its weed.log says why")
