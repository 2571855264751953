from pathlib import Path
from typing import Any

import pytest
import requests
from fastapi.testclient import TestClient

from app.background.model_follower import Served
from app.keys import HEADER as KEY_HEADER
from app.keys import hash_of, new_key
from app.middleware.telemetry import HEADER
from movierating.registry.registry import Registry
from movierating.s3 import open_bucket
from movierating.settings import Settings
from sandbox.s3.process import KEY, SECRET, S3Server
from tests.app.conftest import FILM, serving
from tests.app.test_problems import problem_of
from tests.support.bundles import Packed, put_into_production
from tests.support.live_service import LiveService, running_service

PLOT = "A plot about a planted secret that must stay with its writer."
API_KEY = new_key()
KOREAN = "아무도 번역하지 못하는 줄거리"


@pytest.mark.parametrize("sent", ["abc", "7f3e.A-b_c", "x" * 64])
def test_response_repeats_the_request_id(client: TestClient, sent: str):
    assert client.get("/livez", headers={HEADER: sent}).headers[HEADER] == sent


@pytest.mark.parametrize("sent", ["", "x" * 65, "a b", '{"a": 1}', "a\tb", "é".encode("latin1")])
def test_unsafe_request_id_is_replaced(client: TestClient, sent: Any):
    answered = client.get("/livez", headers={HEADER: sent}).headers[HEADER]
    assert len(answered) == 32
    assert answered != sent


def test_requests_without_an_id_get_unique_ones(client: TestClient):
    ids = {client.get("/nowhere").headers[HEADER] for _ in range(20)}
    assert len(ids) == 20


@pytest.fixture(scope="module")
def logged(
    s3_server: S3Server, packed: Packed, tmp_path_factory: pytest.TempPathFactory
) -> LiveService:
    """Return a service that has ended, to check its log.

    It has answered requests with texts that must not appear in the log, and one with an id."""
    settings = s3_server.settings(s3_server.new_bucket(), api_key_hashes=(hash_of(API_KEY),))
    put_into_production(Registry(open_bucket(settings)), packed)
    headers = {KEY_HEADER: API_KEY}
    films = [FILM | {"overview": PLOT}, FILM | {"overview": KOREAN}, {"title": PLOT}]
    query = {"runtime": "planted-query", "q": PLOT}
    with running_service(settings, tmp_path_factory.mktemp("logged")) as service:
        for film in films:
            requests.post(f"{service.url}/v1/predict", json=film, headers=headers, timeout=60)
        batch = {"films": films}
        requests.post(f"{service.url}/predict/batch", json=batch, headers=headers, timeout=60)
        for kind in ("text/plain", "application/json"):
            typed = headers | {"content-type": kind}
            requests.post(f"{service.url}/predict", data=PLOT, headers=typed, timeout=60)
        requests.get(f"{service.url}/predict", params=query, headers=headers, timeout=60)
        requests.get(f"{service.url}/planted-path", headers=headers, timeout=60)
        requests.get(f"{service.url}/options", headers={KEY_HEADER: "planted-key"}, timeout=60)
        headers[HEADER] = "of-this-test"
        requests.post(f"{service.url}/v1/predict", json=FILM, headers=headers, timeout=60)
    return service


def test_log_holds_nothing_that_a_caller_sent(logged: LiveService):
    text = logged.log.read_text()
    for planted in (API_KEY, hash_of(API_KEY), "planted", "plot", KOREAN, KOREAN[:3], KEY, SECRET):
        assert planted not in text
    request_lines = [line for line in logged.lines() if line["message"] == "request"]
    routes = [(line["method"], line["route"], line["status"]) for line in request_lines]
    assert routes[1:] == [  # the first one waited for the service to start
        ("POST", "/v1/predict", 200),
        ("POST", "/v1/predict", 200),
        ("POST", "/v1/predict", 422),
        ("POST", "/predict/batch", 200),
        ("POST", "/predict", 415),
        ("POST", "/predict", 422),
        ("GET", "/predict", 422),
        ("GET", "none", 404),
        ("GET", "none", 401),
        ("POST", "/v1/predict", 200),
    ]


def test_request_line_has_version_and_duration(logged: LiveService, packed: Packed):
    (line,) = [line for line in logged.lines() if line.get("request_id") == "of-this-test"]
    assert line["model_version"] == packed.manifest.version
    assert line["milliseconds"] > 0
    assert line.keys() == {
        "time",
        "level",
        "logger",
        "message",
        "request_id",
        "method",
        "route",
        "status",
        "milliseconds",
        "model_version",
    }


def test_unexpected_error_is_logged_without_what_was_sent(
    bucket_settings: Settings,
    packed: Packed,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
):
    def broken(*_: Any) -> None:
        raise RuntimeError(PLOT)

    with serving(bucket_settings, tmp_path) as (client, follower):
        follower.served = Served(packed.load(), packed.pointer(), "registry")
        monkeypatch.setattr("app.routes.predict.forecast", broken)
        response = client.post("/predict", json=FILM, headers={HEADER: "of-this-test"})
    assert PLOT not in str(problem_of(response, 500))
    assert response.headers[HEADER] == "of-this-test"
    assert response.headers["x-content-type-options"] == "nosniff"
    (record,) = [each for each in caplog.records if each.exc_info]
    assert record.message == "a request failed unexpectedly"
    assert PLOT not in record.message
