"""Test how the running service answers what is not proper HTTP."""

import json
import socket
from collections.abc import Iterator

import pytest

from movierating.registry.registry import Registry
from movierating.s3 import open_bucket
from sandbox.s3.process import S3Server
from tests.support.bundles import Packed, put_into_production
from tests.support.live_service import LiveService, running_service

BODY = b'{"genres": ["Drama"]}'
CHUNKED = b"%x\r\n%s\r\n0\r\n\r\n" % (len(BODY), BODY)
POST = b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"


@pytest.fixture(scope="module")
def service(
    s3_server: S3Server, packed: Packed, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[LiveService]:
    settings = s3_server.settings(s3_server.new_bucket())
    put_into_production(Registry(open_bucket(settings)), packed)
    with running_service(settings, tmp_path_factory.mktemp("cache")) as service:
        yield service


def answer_to(service: LiveService, sent: bytes) -> tuple[int, dict[str, str], bytes]:
    """Send bytes; return the status, headers and body up to the end of the connection."""
    host, _, port = service.url.removeprefix("http://").partition(":")
    with socket.create_connection((host, int(port)), timeout=60) as connection:
        connection.sendall(sent)
        received = b"".join(iter(lambda: connection.recv(65536), b""))
    head, _, body = received.partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    headers = dict(line.lower().split(": ", 1) for line in lines)
    return int(first.split()[1]), headers, body


def assert_problem(answer: tuple[int, dict[str, str], bytes]) -> None:
    status, headers, body = answer
    assert status == 400
    assert headers["content-type"] == "application/problem+json"
    assert headers["connection"] == "close"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-request-id"]
    assert "server" not in headers
    assert json.loads(body)["status"] == 400
    assert json.loads(body)["type"] == "/problems/bad-request"


@pytest.mark.parametrize(
    "sent",
    [
        b"nonsense\r\n\r\n",
        b"GET /livez HTTP/1.1\r\nHost: x\r\nBad Header: 1\r\n\r\n",
        b"GET /livez HTTP/1.1\r\n\r\n",
        POST + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\n" + BODY,
        POST + b"Content-Length: -1\r\n\r\n" + BODY,
        POST + b"Transfer-Encoding: gzip\r\n\r\n" + CHUNKED,
    ],
    ids=["nonsense", "header", "no-host", "two-lengths", "negative", "coding"],
)
def test_what_is_not_http_gets_a_problem_document(service: LiveService, sent: bytes):
    assert_problem(answer_to(service, sent))


@pytest.mark.parametrize("hidden", [b"", b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n"])
def test_length_beside_chunks_is_refused_and_the_rest_is_no_request(
    service: LiveService, hidden: bytes
):
    both = b"Content-Length: %d\r\nTransfer-Encoding: chunked\r\n\r\n" % len(CHUNKED)
    answer = answer_to(service, POST + both + CHUNKED + hidden)
    assert_problem(answer)
    assert b"HTTP/1.1" not in answer[2]


@pytest.mark.parametrize(
    "framed",
    [b"Transfer-Encoding: chunked\r\n\r\n" + CHUNKED, b"Content-Length: 21\r\n\r\n" + BODY],
)
def test_one_length_is_accepted(service: LiveService, framed: bytes):
    assert answer_to(service, POST + b"Connection: close\r\n" + framed)[0] == 200
