from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from httpx2 import Response

from app.background.model_follower import Served
from app.field_errors import CODES
from app.problem_types import PROBLEM_TYPES
from movierating.settings import Settings
from sandbox.s3.process import S3Server
from tests.app.conftest import serving
from tests.support.bundles import Packed

PLANTED = "planted-input-that-must-not-come-back"
FILM = {"genres": ["Drama"]}
OLD = {
    "runtime": 112,
    "genre_encoded": 0,
    "lang_encoded": 0,
    "sentiment": 0.0,
    "overview_len": 100,
}


def problem_of(response: Response, status: int) -> dict[str, Any]:
    """Check that an error response has the form of RFC 9457, and return its JSON body."""
    assert response.status_code == status
    assert response.headers["content-type"] == "application/problem+json"
    problem: dict[str, Any] = response.json()
    assert problem["status"] == status
    assert problem["title"]
    assert problem["detail"]
    assert problem["type"] == PROBLEM_TYPES[HTTPStatus(status)].uri
    assert {each["code"] for each in problem["errors"]} <= CODES.keys()
    return problem


@pytest.mark.parametrize(
    ("facts", "field"),
    [
        ({}, "body"),
        ({"title": "A title alone"}, "body"),
        ({"overview": "   "}, "body"),
        (FILM | {"runtime": PLANTED}, "runtime"),
        (FILM | {"runtime": 601}, "runtime"),
        (FILM | {"runtime": [PLANTED]}, "runtime"),
        (FILM | {"language": PLANTED * 10}, "language"),
        (FILM | {"runtime": True}, "runtime"),
        (FILM | {"release_date": 0}, "release_date"),
        (FILM | {"credits": [PLANTED]}, "credits"),
        (FILM | {"production_companies": [{"name": PLANTED * 10}]}, "production_companies.0"),
        (FILM | {"budget": -1}, "budget"),
        (FILM | {"release_date": PLANTED}, "release_date"),
        (FILM | {"release_date": "1800-01-01"}, "release_date"),
        (FILM | {"overview": {PLANTED: PLANTED}}, "overview"),
        (FILM | {"overview": PLANTED * 1000}, "overview"),
        ({"genres": PLANTED}, "genres"),
        ({"genres": ["Drama", ""]}, "genres.1"),
        ({"genres": ["Drama"] * 21}, "genres"),
        (FILM | {"countries": [PLANTED * 10]}, "countries.0"),
        (FILM | {"directors": PLANTED}, "directors"),
        (FILM | {"writers": ["Ada Novak", ""]}, "writers.1"),
        (FILM | {"cast": [PLANTED * 10]}, "cast.0"),
        (FILM | {"companies": [{PLANTED: PLANTED}]}, "companies.0"),
        (FILM | {"collection": PLANTED * 10}, "collection"),
        (FILM | {"keywords": ["lantern"] * 1_001}, "keywords"),
    ],
)
def test_invalid_fact_is_named_and_not_repeated(
    client: TestClient, facts: dict[str, Any], field: str
):
    problem = problem_of(client.post("/predict", json=facts), 422)
    assert [each["field"] for each in problem["errors"]] == [field]
    assert problem["detail"].startswith(f"{field}: ")
    assert PLANTED not in str(problem)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"runtime": PLANTED}, "runtime"),
        ({"runtime": "nan"}, "runtime"),
        ({"genre_encoded": -2}, "genre_encoded"),
        ({"genre_encoded": 999}, "genre_encoded"),
        ({"lang_encoded": 999}, "lang_encoded"),
        ({"lang_encoded": 0.5}, "lang_encoded"),
        ({"sentiment": 1.1}, "sentiment"),
        ({"sentiment": "nan"}, "sentiment"),
        ({"overview_len": -1}, "overview_len"),
    ],
)
def test_invalid_number_of_the_old_contract_is_named(
    client: TestClient, change: dict[str, Any], field: str
):
    problem = problem_of(client.get("/predict", params=OLD | change), 422)
    assert [each["field"] for each in problem["errors"]] == [field]
    assert PLANTED not in str(problem)


@pytest.mark.parametrize("name", OLD)
def test_missing_number_of_the_old_contract_is_named(client: TestClient, name: str):
    rest = {each: value for each, value in OLD.items() if each != name}
    problem = problem_of(client.get("/predict", params=rest), 422)
    assert [each["field"] for each in problem["errors"]] == [name]


def test_all_invalid_facts_are_named_at_once(client: TestClient):
    facts = FILM | {"runtime": -1, "budget": -1}
    problem = problem_of(client.post("/predict", json=facts), 422)
    assert {each["field"] for each in problem["errors"]} == {"runtime", "budget"}


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"{" + PLANTED.encode(), "not_json"),
        (b"\xff\xfe", "not_json"),
        (b"\xff{", "not_utf8"),
        (b"[" * 5_000, "too_deep"),
        (b'{"budget": ' + b"9" * 5_000 + b"}", "too_long"),
        (b"", "missing"),
        (b"[]", "wrong_type"),
        (b"null", "missing"),
    ],
)
def test_body_that_is_not_a_film_is_refused(client: TestClient, body: bytes, code: str):
    headers = {"content-type": "application/json"}
    problem = problem_of(client.post("/predict", content=body, headers=headers), 422)
    assert [(each["field"], each["code"]) for each in problem["errors"]] == [("body", code)]
    assert PLANTED not in str(problem)


def test_position_of_an_error_in_the_json_is_named(client: TestClient):
    headers = {"content-type": "application/json"}
    answer = client.post("/predict", content=b'{"runtime": 112,}', headers=headers)
    assert "character 17" in problem_of(answer, 422)["detail"]


@pytest.mark.parametrize(
    ("sent", "reason"),
    [
        (None, "Content-Type is missing"),
        ("text/plain", "Content-Type does not say JSON"),
        ("application/x-www-form-urlencoded", "Content-Type does not say JSON"),
    ],
)
@pytest.mark.parametrize("path", ["/predict", "/v1/predict/batch"])
def test_body_that_is_not_announced_as_json_gets_415(
    client: TestClient, path: str, sent: str | None, reason: str
):
    headers = {} if sent is None else {"content-type": sent}
    answer = client.post(path, content=b'{"genres": ["Drama"]}', headers=headers)
    assert f"{reason}; send `Content-Type: application/json`" in problem_of(answer, 415)["detail"]
    assert answer.headers["accept"] == "application/json"


@pytest.mark.parametrize("sent", ["application/json; charset=utf-8", "application/vnd.film+json"])
def test_body_that_is_announced_as_json_is_read(client: TestClient, sent: str):
    headers = {"content-type": sent}
    answer = client.post("/predict", content=b'{"genres": ["Drama"]}', headers=headers)
    assert answer.status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "status"), [("GET", "/nowhere", 404), ("DELETE", "/predict", 405)]
)
def test_unknown_path_or_method_gives_a_problem(
    client: TestClient, method: str, path: str, status: int
):
    problem = problem_of(client.request(method, path), status)
    assert problem["detail"] != HTTPStatus(status).phrase


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        ("/v1/options", "GET, HEAD, OPTIONS"),
        ("/v1/predict", "GET, HEAD, OPTIONS, POST"),
        ("/predict", "GET, HEAD, OPTIONS, POST"),
        ("/v1/predict/batch", "OPTIONS, POST"),
        ("/problems/not-found", "GET, HEAD, OPTIONS"),
        ("/openapi.json", "GET, HEAD, OPTIONS"),
        ("/static-offline-docs/swagger-ui.css", "GET, HEAD, OPTIONS"),
    ],
)
def test_wrong_method_and_options_get_all_methods_of_the_path(
    client: TestClient, path: str, allowed: str
):
    refused, asked = client.delete(path), client.options(path)
    assert allowed in problem_of(refused, 405)["detail"]
    assert (asked.status_code, asked.content) == (204, b"")
    assert refused.headers["allow"] == asked.headers["allow"] == allowed


def test_options_of_an_unknown_path_is_a_problem(client: TestClient):
    assert problem_of(client.options("/nowhere"), 404)


@pytest.fixture
def unready(s3_server: S3Server, tmp_path: Path) -> Iterator[TestClient]:
    settings = s3_server.settings(s3_server.new_bucket())
    with serving(settings, tmp_path / "cache") as (client, _):
        yield client


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/predict"),
        ("GET", "/predict"),
        ("GET", "/options"),
        ("GET", "/readyz"),
        ("GET", "/version"),
        ("POST", "/predict/batch"),
    ],
)
def test_service_without_a_model_gives_503_and_says_why(
    unready: TestClient, method: str, path: str
):
    content: dict[str, Any] = (
        {"json": FILM | {"films": [FILM]}} if method == "POST" else {"params": OLD}
    )
    answer = unready.request(method, path, **content)
    problem = problem_of(answer, 503)
    assert answer.headers["retry-after"] == "5"
    assert "the registry has no version in production yet" in problem["detail"]


def test_service_without_a_model_is_alive(unready: TestClient):
    assert unready.get("/livez").status_code == 200


def test_unexpected_error_gives_500_without_its_message(
    bucket_settings: Settings, packed: Packed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    def broken(*_: Any) -> None:
        raise RuntimeError(PLANTED)

    with serving(bucket_settings, tmp_path) as (client, follower):
        follower.served = Served(packed.load(), packed.pointer(), "registry")
        monkeypatch.setattr("app.routes.predict.forecast", broken)
        problem = problem_of(client.post("/predict", json=FILM), 500)
    assert PLANTED not in str(problem)
