import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from fastapi.testclient import TestClient

from app.keys import HEADER, hash_of, new_key
from app.middleware.limits import MAX_CONTAINERS, network_of
from movierating.settings import Settings
from sandbox.s3.process import S3Server
from tests.app.conftest import serving
from tests.app.test_problems import problem_of
from tests.support.live_service import service_in_a_thread

PROXY, CLIENT, OTHER = "testclient", "203.0.113.7", "203.0.113.8"


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stop the clock: the limit counts per minute, and a test can run across a full minute."""
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now)


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


@pytest.mark.parametrize("opening", [b"[],", b'{"a":1},', b"["])
def test_request_with_too_many_lists_is_refused(client: TestClient, opening: bytes):
    body = b'{"films": [' + opening * (MAX_CONTAINERS - 2)
    headers = {"content-type": "application/json"}
    assert client.post("/predict/batch", content=body, headers=headers).status_code == 422
    more = client.post("/predict/batch", content=body + opening, headers=headers)
    assert "20000 lists and objects" in problem_of(more, 413)["detail"]


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
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + 121)
    assert statuses(limited, 1) == [404]


def test_clock_set_back_does_not_extend_the_limit(
    limited: TestClient, monkeypatch: pytest.MonkeyPatch
):
    assert statuses(limited, 5)[-1] == 429
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now - 86_400)
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


def limit_of(response: Any) -> tuple[int, int]:
    """Parse the header `RateLimit`: the requests that are left, and the seconds to wait."""
    found = re.fullmatch(r'"per-minute";r=(\d+);t=(\d+)', response.headers["ratelimit"])
    assert found
    return int(found[1]), int(found[2])


def test_every_limited_response_says_what_is_left(limited: TestClient):
    for left in (2, 1, 0, 0):
        response = limited.get("/v1/predict")
        assert response.headers["ratelimit-policy"] == '"per-minute";q=3;w=60'
        remaining, seconds = limit_of(response)
        assert remaining == left
        assert 1 <= seconds <= 60
    assert int(response.headers["retry-after"]) >= seconds
    assert "ratelimit" not in limited.get("/livez").headers


def test_batch_counts_one_request_per_film(limited: TestClient):
    response = limited.post("/predict/batch", json={"films": [{"genres": ["Drama"]}] * 2})
    assert (response.status_code, limit_of(response)[0]) == (503, 1)  # no model is in service
    refused = limited.post("/predict/batch", json={"films": [{"genres": ["Drama"]}] * 2})
    assert "here 2" in problem_of(refused, 429)["detail"]
    assert "wait before the next batch" in refused.json()["detail"]
    assert int(refused.headers["retry-after"]) > 0


def test_batch_larger_than_the_limit_is_told_to_send_less(limited: TestClient):
    refused = limited.post("/predict/batch", json={"films": [{"genres": ["Drama"]}] * 4})
    assert "send fewer films at once" in problem_of(refused, 429)["detail"]
    assert limit_of(refused)[0] == 2  # only the request itself was counted


def test_limits_are_per_key(bucket_settings: Settings, tmp_path: Path):
    keys = [new_key(), new_key()]
    hashes = tuple(map(hash_of, keys))
    with serving_with(
        bucket_settings, tmp_path, rate_limit_per_minute=2, api_key_hashes=hashes
    ) as (client, _):
        assert statuses(client, 3, **{HEADER: keys[0]}) == [404, 404, 429]
        assert statuses(client, 3, **{HEADER: keys[1]}) == [404, 404, 429]
        # Wrong keys are counted by the address, so that guessing is limited too.
        assert statuses(client, 2, **{HEADER: "guess"}) == [401, 401]
        assert statuses(client, 1, **{HEADER: "another"}) == [429]


@pytest.mark.parametrize(
    ("host", "network"),
    [
        ("2001:db8:1:2:a:b:c:d", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::1", "2001:db8:1:2::/64"),
        ("2001:db8:1:3::1", "2001:db8:1:3::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("203.0.113.7", "203.0.113.7"),
        ("testclient", "testclient"),
    ],
)
def test_client_is_an_address_or_a_network_of_ipv6(host: str, network: str):
    assert network_of({"type": "http", "client": (host, 1)}) == network


def test_client_without_an_address_is_unknown():
    assert network_of({"type": "http", "client": None}) == "unknown"
