import logging

import pytest
import requests
from fastapi.testclient import TestClient

from movierating.settings import Settings
from tests.app.routes.test_predict import OLD
from tests.support.live_service import service_in_a_thread


@pytest.mark.parametrize(
    "path", ["/v1/options", "/v1/predict", "/livez", "/docs", "/openapi.json", "/v1/metrics"]
)
def test_head_gets_the_headers_of_get_without_a_body(client: TestClient, path: str):
    got, head = client.get(path, params=OLD), client.head(path, params=OLD)
    assert (head.status_code, head.content) == (got.status_code, b"")
    same = head.headers.keys() - {"x-request-id"}
    assert same == got.headers.keys() - {"x-request-id"}
    assert head.headers["content-type"] == got.headers["content-type"]


@pytest.mark.parametrize(("path", "status"), [("/nowhere", 404), ("/v1/predict/batch", 405)])
def test_head_where_get_fails_has_its_status(client: TestClient, path: str, status: int):
    answer = client.head(path)
    assert (answer.status_code, answer.content) == (status, b"")


def test_head_is_logged_with_its_route(client: TestClient, caplog: pytest.LogCaptureFixture):
    caplog.set_level(logging.INFO, logger="app.middleware.telemetry")
    client.head("/v1/options")
    (record,) = (each for each in caplog.records if each.name == "app.middleware.telemetry")
    facts = record.facts  # type: ignore[attr-defined]
    assert (facts["method"], facts["route"]) == ("HEAD", "/v1/options")


def test_connection_is_usable_after_a_head_request(bucket_settings: Settings, tmp_path):
    with service_in_a_thread(bucket_settings, tmp_path) as url, requests.Session() as session:
        for _ in range(2):
            head = session.head(f"{url}/openapi.json", timeout=60)
            assert int(head.headers["content-length"]) > 1000
            assert session.get(f"{url}/livez", timeout=60).json()["status"] == "alive"
