"""Test that nobody without its keys can read or write what the local S3 server stores.

SeaweedFS consists of five servers. All of them could read and write the objects in S3, but only
one of them checks access keys."""

import http.client
import os
import socket
import ssl
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import boto3
import psutil
import pytest
import requests
import yaml
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ClientError

from movierating.settings import Settings, load_settings
from sandbox.processes import terminated_at_exit
from sandbox.programs import programs
from sandbox.s3.__main__ import main
from sandbox.s3.access_keys import VARIABLES
from sandbox.s3.process import KEY, SECRET, S3Server, wait_until_ready
from sandbox.state import HOST, ROOT, free_ports

BUCKET = "movie-ratings"
POINTER = "models/production.json"
GOOD = b'{"version": "good"}'
EVIL = b'{"version": "evil"}'
READER = ("key-that-may-read", "its-secret")
SECONDS = 10
# What a client of gRPC sends first (RFC 9113): the preface of HTTP/2 and an empty frame SETTINGS.
HTTP2 = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\0\0\0\4\0\0\0\0\0"
SETTINGS_FRAME = 4


class Target(NamedTuple):
    """A running S3 server with a pointer in its bucket.

    Attributes:
        server: The server.
        bucket: The bucket's name.
        inner_ports: All ports on which the server listens, except the one for S3.
        client: An S3 client with the server's keys.
    """

    server: S3Server
    bucket: str
    inner_ports: list[int]
    client: Any

    def pointer(self) -> bytes:
        body: bytes = self.client.get_object(Bucket=self.bucket, Key=POINTER)["Body"].read()
        return body


def client_of(server: S3Server, key: str = KEY, secret: str = SECRET, **options: Any) -> Any:
    return boto3.client(
        "s3",
        endpoint_url=server.url,
        region_name="ap-northeast-2",
        aws_access_key_id=key,
        aws_secret_access_key=secret,
        config=Config(retries={"total_max_attempts": 1}, proxies={}, **options),
    )


def target_of(server: S3Server, bucket: str) -> Target:
    client = client_of(server)
    client.put_object(Bucket=bucket, Key=POINTER, Body=GOOD)
    listening = psutil.Process(server.process.pid).net_connections("tcp")
    ports = {each.laddr.port for each in listening if each.status == psutil.CONN_LISTEN}
    assert server.port in ports
    return Target(server, bucket, sorted(ports - {server.port}), client)


def arguments_of_make_up() -> list[str]:
    """Return the arguments for Python with which `make up` starts the S3 server."""
    (program,) = [each for each in programs(load_settings(Settings), [1, 2]) if each.name == "s3"]
    command = list(program.command)
    return command[command.index("-m") :]


@pytest.fixture(scope="module", params=["make up", "tests"])
def target(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Target]:
    """Start the server as `make up` does, or take the one of the tests."""
    if request.param == "tests":
        server: S3Server = request.getfixturevalue("s3_server")
        yield target_of(server, server.new_bucket())
        return
    folder, (port,) = tmp_path_factory.mktemp("s3"), free_ports(1)
    replaced = {"--folder": str(folder / "data"), "--port": str(port)}
    arguments = arguments_of_make_up()
    for name, value in replaced.items():
        arguments[arguments.index(name) + 1] = value
    # As in the container trial, it also listens on the addresses that other machines reach.
    command = (sys.executable, *arguments, "--host", "0.0.0.0")
    keys = dict(zip(VARIABLES, (KEY, SECRET, *READER), strict=True)) | {"TMPDIR": str(folder)}
    with (
        (folder / "weed.log").open("wb") as log,
        subprocess.Popen(command, cwd=ROOT, env=os.environ | keys, stdout=log, stderr=log) as one,
        terminated_at_exit(one),
    ):
        server = S3Server(port, one)
        wait_until_ready(server, BUCKET)
        yield target_of(server, BUCKET)


def answer_of(
    method: str, port: int, path: str, tls: ssl.SSLContext | None = None, body: Any = None
) -> int | None:
    """Send a request as a web page could; return the status, or None if there was no answer."""
    origin = {"Origin": "http://evil.example"}
    scheme = "https" if tls else "http"
    connection: http.client.HTTPConnection = (
        http.client.HTTPSConnection(HOST, port, timeout=SECONDS, context=tls)
        if tls
        else http.client.HTTPConnection(HOST, port, timeout=SECONDS)
    )
    prepared = requests.Request(method, f"{scheme}://{HOST}:{port}{path}", origin, files=body)
    ready = prepared.prepare()
    try:
        connection.request(method, path, ready.body, dict(ready.headers))
        return connection.getresponse().status
    except (ConnectionError, http.client.HTTPException, ssl.SSLError):
        return None
    finally:
        connection.close()


def accepting_anyone() -> ssl.SSLContext:
    """Return a TLS client without a certificate, which accepts every server's certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def speaks_http2(port: int) -> bool:
    """Return whether a port answers a client of gRPC that has no certificate."""
    with socket.create_connection((HOST, port), timeout=SECONDS) as connection:
        connection.sendall(HTTP2)
        try:
            answer = connection.recv(9)
        except ConnectionError:
            return False
    return len(answer) > 3 and answer[3] == SETTINGS_FRAME


def paths_of(target: Target) -> list[str]:
    """Return the paths under which SeaweedFS's servers could give or change the pointer."""
    return [f"/buckets/{target.bucket}/{POINTER}", f"/{target.bucket}/{POINTER}", "/dir/assign"]


def test_web_page_cannot_replace_the_model_through_any_port(target: Target):
    assert len(target.inner_ports) >= 7  # master, volume and filer; their gRPC, and that of S3
    for port in (*target.inner_ports, target.server.port):
        for path in paths_of(target):
            status = answer_of("POST", port, path, body={"file": ("x", EVIL)})
            assert status is None or status >= 400, (port, path)
    assert target.pointer() == GOOD


def test_every_port_but_that_of_s3_refuses_clients_without_certificate(target: Target):
    key, tls = paths_of(target)[0], accepting_anyone()
    for port in target.inner_ports:
        assert not speaks_http2(port)
        assert answer_of("GET", port, "/", tls) is None, port
        for method, path in (("GET", "/"), ("GET", "/status"), ("PUT", key), ("DELETE", key)):
            assert answer_of(method, port, path) in {None, 400}, (port, method, path)
    assert target.pointer() == GOOD


@pytest.mark.parametrize("stranger", ["without keys", "wrong key", "wrong secret"])
def test_s3_refuses_strangers(target: Target, stranger: str):
    clients = {
        "without keys": lambda: client_of(target.server, signature_version=UNSIGNED),
        "wrong key": lambda: client_of(target.server, "another"),
        "wrong secret": lambda: client_of(target.server, secret="another"),
    }
    client, place = clients[stranger](), {"Bucket": target.bucket, "Key": POINTER}
    for call in (
        client.list_buckets,
        lambda: client.list_objects_v2(Bucket=target.bucket),
        lambda: client.get_object(**place),
        lambda: client.put_object(**place, Body=EVIL),
        lambda: client.delete_object(**place),
        lambda: client.put_bucket_acl(Bucket=target.bucket, ACL="public-read-write"),
    ):
        with pytest.raises(ClientError) as refused:
            call()
        assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403
    assert target.pointer() == GOOD


def test_s3_refuses_forms_of_web_pages(target: Target):
    upload = {"key": POINTER, "Content-Type": "application/json"}
    user = {"Action": "CreateUser", "UserName": "stranger", "Version": "2010-05-08"}
    with requests.Session() as session:
        session.trust_env = False
        for path, form in ((f"/{target.bucket}", upload), ("/", user)):
            answer = session.post(
                f"{target.server.url}{path}",
                form,
                files={"file": ("x", EVIL)} if form is upload else None,
                timeout=SECONDS,
            )
            assert answer.status_code in {400, 403}, path
    assert target.pointer() == GOOD


def test_only_the_owner_can_read_the_certificates_key(target: Target):
    command = psutil.Process(target.server.process.pid).cmdline()
    (folder,) = [Path(each[12:]) for each in command if each.startswith("-config_dir=")]
    assert folder.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("target", ["make up"], indirect=True)
def test_keys_of_the_api_may_read_and_change_nothing(target: Target):
    client, place = client_of(target.server, *READER), {"Bucket": target.bucket, "Key": POINTER}
    assert client.get_object(**place)["Body"].read() == GOOD
    assert client.list_objects_v2(Bucket=target.bucket)["KeyCount"] == 1
    for call in (
        lambda: client.put_object(**place, Body=EVIL),
        lambda: client.delete_object(**place),
        lambda: client.create_bucket(Bucket="another"),
    ):
        with pytest.raises(ClientError, match="AccessDenied"):
            call()
    assert target.pointer() == GOOD


def test_server_without_keys_does_not_start(capsys: pytest.CaptureFixture[str], tmp_path: Path):
    with pytest.raises(SystemExit):
        main(["--folder", str(tmp_path), "--port", "1", "--bucket", BUCKET])
    assert f"set {', '.join(VARIABLES)} in the environment" in capsys.readouterr().err


@pytest.mark.parametrize("target", ["make up"], indirect=True)
def test_only_the_owner_can_read_the_logs_of_make_up(target: Target):
    folder = Path(psutil.Process(target.server.process.pid).environ()["TMPDIR"])
    logs = list(folder.glob("weed.*.log.*"))  # SeaweedFS writes the ids of access keys into these
    assert logs
    assert all(log.stat().st_mode & 0o077 == 0 for log in logs)


def test_container_trial_starts_the_server_as_make_up_does():
    service = yaml.safe_load((ROOT / "docker-compose-trial.yaml").read_text())["services"]["s3"]
    assert service["command"][:3] == ["python", *arguments_of_make_up()[:2]]
