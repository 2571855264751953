import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from fastapi.testclient import TestClient

from movierating.settings import Settings
from sandbox.s3.process import S3Server
from tests.app.conftest import serving
from tests.app.test_problems import problem_of
from tests.support.live_service import service_in_a_thread

PROXY, CLIENT, OTHER = "testclient", "203.0.113.7", "203.0.113.8"


def serving_with(settings: Settings, cache: Path, **changes: Any) -> Any:
    return serving(settings.model_copy(update=changes), cache)


@pytest.fixture(scope="module")
def small(s3_server: S3Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """Yield a client for an API that refuses requests above 1 KB."""
    settings = s3_server.settings(s3_server.new_bucket())
    cache = tmp_path_factory.mktemp("cache")
    with serving_with(settings, cache, max_request_kb=1) as (client, _):
        yield client


@pytest.mark.parametrize("path", ["/predict", "/v1/predict/batch", "/nowhere", "/livez"])
def test_request_with_a_large_content_length_is_refused(small: TestClient, path: str):
    problem = problem_of(small.post(path, content=b" " * 1025), 413)
    assert "1 KB" in problem["detail"]


def test_large_request_without_a_content_length_is_refused(small: TestClient):
    def parts() -> Iterator[bytes]:
        for _ in range(5):
            yield b" " * 300

    problem = problem_of(small.post("/predict", content=parts()), 413)
    assert "send less at once" in problem["detail"]


def test_request_of_exactly_the_limit_is_read(small: TestClient):
    headers = {"content-type": "application/json"}
    answer = small.post("/predict", content=b" " * 1024, headers=headers)
    assert answer.status_code in {422, 503}


def test_client_on_a_real_connection_receives_413_and_429(
    bucket_settings: Settings, tmp_path: Path
):
    settings = bucket_settings.model_copy(update={"max_request_kb": 64, "rate_limit_per_minute": 3})
    with service_in_a_thread(settings, tmp_path) as url:
        for content in (b" " * 5_000_000, iter([b" " * 50_000] * 100)):
            response = requests.post(f"{url}/v1/predict", data=content, timeout=60)
            assert response.status_code == 413
            assert response.json()["title"]
        # A proxy on the same machine is not trusted by default, so all these are one client.
        assert [status_for(url, address) for address in (CLIENT, OTHER)] == [404, 429]


def status_for(url: str, *forwarded: str) -> int:
    headers = {"X-Forwarded-For": ", ".join(forwarded)}
    return requests.get(f"{url}/nowhere", headers=headers, timeout=60).status_code


@pytest.fixture
def limited(bucket_settings: Settings, tmp_path: Path) -> Iterator[TestClient]:
    """Yield a client for an API that allows three requests per minute."""
    with serving_with(bucket_settings, tmp_path, rate_limit_per_minute=3) as (client, _):
        yield client


def statuses(client: TestClient, count: int, **headers: str) -> list[int]:
    return [client.get("/nowhere", headers=headers).status_code for _ in range(count)]


def test_response_429_says_when_to_retry(limited: TestClient):
    assert statuses(limited, 3) == [404] * 3
    response = limited.get("/v1/predict")
    assert "3 requests per minute" in problem_of(response, 429)["detail"]
    assert 1 <= int(response.headers["retry-after"]) <= 60


def test_probes_are_not_limited(limited: TestClient):
    assert statuses(limited, 5)[-1] == 429
    assert limited.get("/livez").status_code == 200
    assert limited.get("/readyz").status_code == 503


def test_limit_ends_after_its_window(limited: TestClient, monkeypatch: pytest.MonkeyPatch):
    assert statuses(limited, 5)[-1] == 429
    real_time = time.time
    monkeypatch.setattr(time, "time", lambda: real_time() + 121)
    assert statuses(limited, 1) == [404]


def test_clock_set_back_does_not_extend_the_limit(
    limited: TestClient, monkeypatch: pytest.MonkeyPatch
):
    assert statuses(limited, 5)[-1] == 429
    real_time = time.time
    monkeypatch.setattr(time, "time", lambda: real_time() - 86_400)
    assert statuses(limited, 4) == [404, 404, 404, 429]


def test_forwarded_address_of_an_untrusted_client_is_ignored(limited: TestClient):
    assert statuses(limited, 3, **{"X-Forwarded-For": CLIENT}) == [404] * 3
    assert statuses(limited, 1, **{"X-Forwarded-For": OTHER}) == [429]


def test_forwarded_address_of_a_trusted_proxy_is_the_client(
    bucket_settings: Settings, tmp_path: Path
):
    settings = bucket_settings.model_copy(
        update={"rate_limit_per_minute": 3, "trusted_proxies": ("127.0.0.0/8",)}
    )
    with service_in_a_thread(settings, tmp_path) as url:
        assert [status_for(url, CLIENT) for _ in range(4)] == [404, 404, 404, 429]
        assert status_for(url, OTHER) == 404
        # The part that the client wrote itself is ignored.
        assert status_for(url, OTHER, CLIENT) == 429
