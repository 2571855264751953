from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from movie_rating_client import ApiError, AsyncClient, Client, Retries

from tests.support.running_async import run_async

OPTIONS = b'{"version": "v", "genres": [], "languages": []}'


class Service(ThreadingHTTPServer):
    """A local service that answers as planned: a status and a `Retry-After`, or nothing at all."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)  # type: ignore[arg-type]
        self.planned: list[tuple[int, str] | None] = []
        self.requests = 0


class Handler(BaseHTTPRequestHandler):
    """Answers one request as its server planned it."""

    server: Service

    def do_GET(self) -> None:
        self.server.requests += 1
        planned = self.server.planned.pop(0) if self.server.planned else (200, "")
        if planned is None:
            self.close_connection = True
            return
        status, retry_after = planned
        body = OPTIONS if status == 200 else b"busy"
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        if retry_after:
            self.send_header("Retry-After", retry_after)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any, **__: Any) -> None:
        pass


@pytest.fixture
def service() -> Iterator[Service]:
    with Service() as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Return the seconds that the clients waited; they do not really wait."""
    waited: list[float] = []

    async def wait(seconds: float) -> None:
        waited.append(seconds)

    # Not `time.sleep` itself: threads of other tests' servers use it as well.
    clients = "movie_rating_client.clients"
    monkeypatch.setattr(f"{clients}.time", SimpleNamespace(sleep=waited.append))
    monkeypatch.setattr(f"{clients}.asyncio", SimpleNamespace(sleep=wait))
    return waited


def ask(service: Service, kind: type, retries: Retries | None = None) -> Any:
    """Ask the service for its options, with one of the two clients."""
    url = f"http://127.0.0.1:{service.server_port}"
    if kind is Client:
        with Client(url, retries=retries) as client:
            return client.options()

    async def asked() -> Any:
        async with AsyncClient(url, retries=retries) as client:
            return await client.options()

    return run_async(asked())


both = pytest.mark.parametrize("kind", [Client, AsyncClient])


@both
def test_client_waits_as_long_as_the_service_says(service: Service, waits: list[float], kind: type):
    service.planned = [(429, "7"), (503, "0"), (502, "")]
    assert ask(service, kind)["version"] == "v"
    assert waits == [7, 0, 2]


@both
def test_broken_connection_is_repeated_with_growing_waits(
    service: Service, waits: list[float], kind: type
):
    service.planned = [None, None, None]
    assert ask(service, kind)["version"] == "v"
    assert waits == [0.5, 1, 2]


@both
def test_last_failure_is_raised(service: Service, waits: list[float], kind: type):
    service.planned = [None] * 9
    with pytest.raises(httpx.RemoteProtocolError):
        ask(service, kind)
    service.planned = [(503, "1")] * 9
    with pytest.raises(ApiError, match="HTTP 503"):
        ask(service, kind)
    assert (service.requests, waits) == (8, [0.5, 1, 2, 1, 1, 1])


@pytest.mark.parametrize("status", [400, 401, 404, 422, 500])
def test_lasting_failure_is_not_repeated(service: Service, waits: list[float], status: int):
    service.planned = [(status, "1")]
    with pytest.raises(ApiError) as caught:
        ask(service, Client)
    assert (caught.value.status, waits) == (status, [])


def test_wait_that_is_too_long_is_not_begun(service: Service, waits: list[float]):
    service.planned = [(429, "61")]
    with pytest.raises(ApiError):
        ask(service, Client)
    assert waits == []


def test_retries_can_be_switched_off(service: Service, waits: list[float]):
    service.planned = [(429, "1")]
    with pytest.raises(ApiError):
        ask(service, Client, Retries(attempts=1))
    assert waits == []


@pytest.mark.parametrize(
    ("hours", "least", "most"), [(1, 3000, 3600), (-1, 0, 0)], ids=["in an hour", "an hour ago"]
)
def test_date_in_retry_after_is_read(hours: int, least: float, most: float):
    date = datetime.now(UTC) + timedelta(hours=hours)
    response = httpx.Response(503, headers={"Retry-After": format_datetime(date, usegmt=True)})
    wait = Retries(max_wait_seconds=4000).wait_after(response, 1)
    assert wait is not None
    assert least <= wait <= most


@pytest.mark.parametrize("header", ["soon", "-3"])
def test_retry_after_that_cannot_be_read_does_not_count(header: str):
    response = httpx.Response(503, headers={"Retry-After": header})
    assert Retries(max_wait_seconds=4000).wait_after(response, 1) == 0.5
