import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest

from movierating.settings import Settings, SettingsError, load_settings
from sandbox.state import free_ports
from scripts import confirm as module
from scripts.confirm import NotServedError, confirm
from tests.support.recording_proxy import recording_proxy, set_proxy
from tests.support.slow_server import HEADERS, slow_server


class Service:
    """Imitates the prediction API: it sends the answers in `answers` in turn, then the last again.

    Attributes:
        answers: HTTP status and body of each answer.
        asked: Paths of the requests received.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self.answers: list[tuple[int, bytes]] = []
        self.asked: list[str] = []

    def says(self, *versions: str | None, problem: str | None = None) -> None:
        self.answers = [
            (200, json.dumps({"version": version, "registry_problem": problem}).encode())
            if version
            else (503, b'{"title": "no model"}')
            for version in versions
        ]


@pytest.fixture
def service() -> Iterator[Service]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            served.asked.append(self.path)
            status, body = served.answers[0]
            if len(served.answers) > 1:
                del served.answers[0]
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any, **__: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        served = Service(f"http://127.0.0.1:{server.server_port}")
        Thread(target=server.serve_forever, daemon=True).start()
        yield served
        server.shutdown()


def settings(service: Service, seconds: float = 1) -> Settings:
    return load_settings(Settings, api_url=f"{service.url}/", confirm_seconds=seconds)


def test_version_in_service_is_confirmed_immediately(service: Service):
    service.says("v2")
    confirm("v2", settings(service))
    assert service.asked == ["/version"]


def test_service_is_polled_until_it_has_the_version(service: Service):
    service.says(None, "v1", "v2")
    confirm("v2", settings(service, seconds=60))
    assert len(service.asked) == 3


@pytest.mark.parametrize(
    ("version", "problem", "sentence"),
    [
        ("v1", None, r"does not answer with v2: it answers with v1 \(it reports no problem\)"),
        ("v1", "model.onnx is missing", r"it answers with v1 \(model.onnx is missing\)"),
        (None, None, r"it has no model \(status 503\)"),
    ],
)
def test_service_with_another_version_is_reported_with_its_reason(
    service: Service, version: str | None, problem: str | None, sentence: str
):
    service.says(version, problem=problem)
    with pytest.raises(NotServedError, match=sentence) as caught:
        confirm("v2", settings(service))
    assert "raise CONFIRM_SECONDS" in str(caught.value)


@pytest.mark.parametrize("body", [b"<html>", b"[]", b"7", b""])
def test_answer_of_another_program_is_reported(service: Service, body: bytes):
    service.answers = [(200, body)]
    with pytest.raises(NotServedError, match=r"no readable answer|it has no model"):
        confirm("v2", settings(service))


def test_unreachable_service_is_reported():
    (port,) = free_ports(1)
    away = load_settings(Settings, api_url=f"http://127.0.0.1:{port}", confirm_seconds=1)
    with pytest.raises(NotServedError, match=r"no readable answer \(ConnectionError\)"):
        confirm("v2", away)


def test_address_must_be_set():
    with pytest.raises(SettingsError, match="API_URL is not set"):
        confirm("v2", load_settings(Settings))


def test_service_that_answers_too_slowly_is_an_error(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module, "_TIMEOUT_SECONDS", 0.1)
    with slow_server(HEADERS + b"\r\n", b" ") as url:
        slow = load_settings(Settings, api_url=url, confirm_seconds=0.1)
        with pytest.raises(NotServedError, match="gives no readable answer"):
            confirm("2026-11-23-0123456789ab", slow)


def test_service_on_this_machine_is_asked_without_the_proxy(
    service: Service, monkeypatch: pytest.MonkeyPatch
):
    service.says("2026-11-23-aa")
    with recording_proxy() as proxy:
        set_proxy(monkeypatch, "http_proxy", proxy.url)
        confirm("2026-11-23-aa", settings(service))
    assert proxy.seen == []
