import pytest
import requests
from urllib3 import Retry

from movierating.time_limits import LimitedAdapter, limited_session
from sandbox.state import free_ports
from tests.support.slow_server import HEADERS, slow_server


@pytest.mark.parametrize(
    ("beginning", "drip"),
    [
        (b"", b""),
        (b"HTTP/1.1 200 OK\r\n", b"X-Slow: 1\r\n"),
        (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
        (HEADERS + b"\r\n", b"x"),
        (HEADERS + b"\r\n", b""),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n"),
    ],
    ids=["silence", "headers", "continues", "body", "half a body", "chunks"],
)
def test_response_that_does_not_end_is_ended_by_the_limit(beginning: bytes, drip: bytes):
    with (
        slow_server(beginning, drip) as url,
        limited_session(0.1) as session,
        pytest.raises((requests.Timeout, requests.ConnectionError)),
    ):
        session.get(url)


def test_response_within_the_limit_is_read_and_its_connection_is_used_again():
    body = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
    with slow_server(body, body) as url, limited_session(30) as session:
        assert session.get(url).text == "ok"
        assert session.get(url).text == "ok"


def test_request_is_repeated_after_a_failed_connection():
    (port,) = free_ports(1)
    url = f"http://127.0.0.1:{port}/"
    with requests.Session() as session:  # nothing listens at this address
        session.mount(url, LimitedAdapter(30, max_retries=Retry(1)))
        with pytest.raises(requests.ConnectionError, match="Max retries exceeded"):
            session.get(url)
