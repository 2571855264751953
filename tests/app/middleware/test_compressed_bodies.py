import gzip
import json
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from fastapi.testclient import TestClient

from sandbox.s3.process import S3Server
from tests.app.conftest import serving
from tests.app.test_problems import problem_of
from tests.support.live_service import service_in_a_thread

FILM = json.dumps({"genres": ["Drama"], "overview": "Two cooks share a kitchen. " * 300}).encode()
JSON = {"content-type": "application/json"}
GZIP = JSON | {"content-encoding": "gzip"}


@pytest.mark.parametrize("coding", ["gzip", "x-gzip", " GZIP "])
def test_gzip_body_gets_the_same_forecast(client: TestClient, coding: str):
    headers = JSON | {"content-encoding": coding}
    compressed = client.post("/predict", content=gzip.compress(FILM), headers=headers)
    assert compressed.status_code == 200
    assert compressed.json() == client.post("/predict", content=FILM, headers=JSON).json()


def test_gzip_body_of_several_parts_and_pieces_is_read(client: TestClient):
    body = gzip.compress(FILM[:3000]) + gzip.compress(FILM[3000:])
    pieces = (body[start : start + 7] for start in range(0, len(body), 7))
    assert client.post("/predict", content=pieces, headers=GZIP).status_code == 200


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (FILM, "not gzip"),
        (zlib.compress(FILM), "not gzip"),
        (gzip.compress(FILM)[:-9], "incomplete"),
        (gzip.compress(FILM) + b"more", "not gzip"),
    ],
    ids=["plain", "zlib", "cut-off", "followed-by-more"],
)
def test_damaged_gzip_body_is_refused(client: TestClient, body: bytes, reason: str):
    problem = problem_of(client.post("/predict", content=body, headers=GZIP), 422)
    assert [(each["field"], each["code"]) for each in problem["errors"]] == [("body", "not_gzip")]
    assert reason in problem["detail"]


def test_empty_body_announced_as_gzip_is_an_empty_body(client: TestClient):
    problem = problem_of(client.post("/predict", headers=GZIP), 422)
    assert problem["errors"][0]["code"] == "missing"
    assert client.get("/v1/options", headers={"content-encoding": "gzip"}).status_code == 200


@pytest.mark.parametrize("coding", ["br", "deflate", "zstd", "gzip, gzip"])
def test_other_compression_gets_415_with_the_accepted_ones(client: TestClient, coding: str):
    headers = JSON | {"content-encoding": coding}
    answer = client.post("/predict", content=FILM, headers=headers)
    assert "Content-Encoding" in problem_of(answer, 415)["detail"]
    assert answer.headers["accept-encoding"] == "gzip, identity"


@pytest.fixture(scope="module")
def small(s3_server: S3Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """Yield a client for an API that refuses requests above 64 KB."""
    settings = s3_server.settings(s3_server.new_bucket(), max_request_kb=64)
    with serving(settings, tmp_path_factory.mktemp("cache")) as (client, _):
        yield client


def test_size_after_decompression_is_limited(small: TestClient):
    body = gzip.compress(b" " * 65 * 1024)
    assert len(body) < 1024
    assert "64 KB" in problem_of(small.post("/predict", content=body, headers=GZIP), 413)["detail"]


def test_gzip_body_that_never_yields_a_byte_is_limited(small: TestClient):
    parts = (gzip.compress(b"") * 100 for _ in range(100))
    assert problem_of(small.post("/predict", content=parts, headers=GZIP), 413)


def test_client_on_a_real_connection_can_send_gzip(s3_server: S3Server, tmp_path: Path):
    settings = s3_server.settings(s3_server.new_bucket(), max_request_kb=64)
    with service_in_a_thread(settings, tmp_path) as url:
        for body, status in ((gzip.compress(FILM), 503), (gzip.compress(b" " * 10**7), 413)):
            answer = requests.post(f"{url}/v1/predict", data=body, headers=GZIP, timeout=60)
            assert answer.status_code == status
