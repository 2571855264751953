"""Run a local S3 server in a separate process, for tests and benchmarks.

This module needs the Python package boto3; `sandbox.s3.command` does not.
"""

import os
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final, Literal

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from movierating.settings import Settings, load_settings
from sandbox.processes import terminated_at_exit
from sandbox.s3.command import PORT_COUNT, prepare_s3, s3_url
from sandbox.state import free_ports

KEY: Final = "invented-key-of-the-tests"
SECRET: Final = "a-secret-of-the-tests-that-opens-nothing"  # noqa: S105 - invented
_REGION: Final = "ap-northeast-2"
_START_SECONDS: Final = 60


@dataclass(frozen=True)
class S3Server:
    """A running local S3 server, with methods that create buckets and users.

    Attributes:
        port: The port for S3 requests.
        process: The server's process.
    """

    port: int
    process: "subprocess.Popen[bytes]"

    @property
    def url(self) -> str:
        """The server's address."""
        return s3_url(self.port)

    def new_bucket(self) -> str:
        """Create an empty bucket, and return its name."""
        name = f"films-{uuid.uuid4().hex[:12]}"
        _client(self.url).create_bucket(Bucket=name)
        return name

    def empty_bucket(self, name: str) -> None:
        """Delete all objects in the bucket `name`, but not the bucket itself."""
        client = _client(self.url)
        for page in client.get_paginator("list_objects_v2").paginate(Bucket=name):
            if keys := [{"Key": item["Key"]} for item in page.get("Contents", [])]:
                client.delete_objects(Bucket=name, Delete={"Objects": keys, "Quiet": True})

    def drop_bucket(self, name: str) -> None:
        """Delete the bucket `name` and all objects in it."""
        self.empty_bucket(name)
        _client(self.url).delete_bucket(Bucket=name)

    def identity(self, policy: str) -> dict[str, str]:
        """Create a user of the S3 server.

        Args:
            policy: An AWS policy document (JSON) that defines what the user may do.

        Returns:
            The user's keys: `aws_access_key_id` and `aws_secret_access_key`.
        """
        iam, name = _client(self.url, "iam"), f"user-{uuid.uuid4().hex[:12]}"
        iam.create_user(UserName=name)
        iam.put_user_policy(UserName=name, PolicyName="all", PolicyDocument=policy)
        keys = iam.create_access_key(UserName=name)["AccessKey"]
        return {
            "aws_access_key_id": keys["AccessKeyId"],
            "aws_secret_access_key": keys["SecretAccessKey"],
        }

    def settings(self, bucket: str, **others: Any) -> Settings:
        """Return the project's settings with which a program uses a bucket on this server.

        Args:
            bucket: The bucket's name.
            others: More settings.
        """
        chosen = {
            "aws_access_key_id": KEY,
            "aws_secret_access_key": SECRET,
            "aws_default_region": _REGION,
            "aws_endpoint_url_s3": self.url,
            "s3_bucket_name": bucket,
        }
        return load_settings(Settings, **(chosen | others))


@contextmanager
def running_s3(folder: Path) -> Iterator[S3Server]:
    """Run a local S3 server until the `with` block ends. At its start, it has no bucket.

    Args:
        folder: The folder in which the server stores its data.

    Raises:
        RuntimeError: The server did not start.
    """
    folder.mkdir(exist_ok=True)
    ports = free_ports(PORT_COUNT)
    command = prepare_s3(
        Path(sys.executable).with_name("weed"),
        folder,
        ports,
        f"-s3.localSocket={folder}/s3.sock",  # the default path is the same for all servers
        "-s3.iam.readOnly=false",  # tests create users
        "-master.volumeSizeLimitMB=8",  # small: each bucket uses volumes, whose number is limited
    )
    keys = {"AWS_ACCESS_KEY_ID": KEY, "AWS_SECRET_ACCESS_KEY": SECRET}
    with (
        (folder / "weed.log").open("wb") as log,
        subprocess.Popen(
            command, cwd=folder, env=os.environ | keys, stdout=log, stderr=subprocess.STDOUT
        ) as process,
        terminated_at_exit(process),
    ):
        server = S3Server(ports[0], process)
        wait_until_ready(server)
        yield server


@cache  # creating a client needs more time than most tests
def _client(url: str, service: Literal["s3", "iam"] = "s3") -> Any:
    return boto3.client(
        service,
        endpoint_url=url,
        region_name=_REGION,
        aws_access_key_id=KEY,
        aws_secret_access_key=SECRET,
        # No retries: they would hide errors from tests, and `_wait_for` repeats its request itself.
        # No proxy either: the server is on this machine.
        config=Config(retries={"total_max_attempts": 1}, proxies={}),
    )


def wait_until_ready(server: S3Server, bucket: str | None = None) -> None:
    """Wait until the server answers.

    Args:
        server: The server, which has the keys `KEY` and `SECRET`.
        bucket: A bucket that must exist, because the server creates it after its start.

    Raises:
        RuntimeError: The server did not start.
    """
    client, deadline = _client(server.url), time.monotonic() + _START_SECONDS
    while server.process.poll() is None and time.monotonic() < deadline:
        try:
            found = [each["Name"] for each in client.list_buckets()["Buckets"]]
        except (BotoCoreError, ClientError):
            found = None
        if found is not None and (bucket is None or bucket in found):
            return
        time.sleep(0.2)
    raise RuntimeError("the S3 server did not start; its weed.log says why")
