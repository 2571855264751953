import logging
import subprocess
import sys
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
from fastapi.testclient import TestClient

from app.keys import hash_of
from app.main import create_app
from movierating.settings import Settings, SettingsError, load_settings
from tests.app.conftest import serving
from tests.app.routes.test_predict import OLD
from tests.app.test_problems import problem_of

ROOT = Path(__file__).parents[2]
DESCRIBED = {
    "/predict",
    "/v1/predict",
    "/v1/predict/batch",
    "/v1/options",
    "/v1/people",
    "/v1/ratings",
    "/v1/evidence",
    "/v1/card",
    "/v1/films",
    "/v1/films/{film_id}",
    "/v1/forecasts",
    "/v1/forecasts.atom",
    "/v1/forecasts.ics",
    "/v1/track-record",
    "/v1/track-record/films",
    "/v1/history",
    "/v1/version",
    "/v1/metrics",
    "/livez",
    "/readyz",
}


@pytest.fixture(scope="session")
def described(client: TestClient) -> dict[str, Any]:
    content: dict[str, Any] = client.get("/openapi.json").json()
    return content


def operations(described: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    return [
        (method, path, operation)
        for path, methods in described["paths"].items()
        for method, operation in methods.items()
    ]


def test_every_route_has_a_summary_and_a_description(described: dict[str, Any]):
    assert described["paths"].keys() == DESCRIBED
    for method, path, operation in operations(described):
        assert operation["summary"], (method, path)
        assert operation["description"], (method, path)


def test_documented_examples_succeed(described: dict[str, Any], client: TestClient):
    sent = []
    for method, path, operation in operations(described):
        params = {
            each["name"]: each["schema"]["examples"][0]
            for each in operation.get("parameters", [])
            if each["required"] or "examples" in each["schema"]
        }
        for body in bodies(described, operation):
            url = path.format(**params)
            response = client.request(method, url, params=params, json=body)
            assert response.status_code == 200, (method, path, response.text)
            sent.append((method, path))
    assert set(sent) == {(method, path) for method, path, _ in operations(described)}


def bodies(described: dict[str, Any], operation: dict[str, Any]) -> list[Any]:
    """Return the example request bodies of an API operation; [None] if it needs no request body."""
    if "requestBody" not in operation:
        return [None]
    reference = operation["requestBody"]["content"]["application/json"]["schema"]["$ref"]
    schema = described["components"]["schemas"][reference.rpartition("/")[2]]
    if "examples" in schema:
        return list(schema["examples"])
    fields = schema["properties"].items()
    return [{name: each["examples"][0] for name, each in fields if "examples" in each}]


def test_documented_problems_match_the_real_ones(described: dict[str, Any], client: TestClient):
    statuses = {
        (method, path): operation["responses"].keys()
        for method, path, operation in operations(described)
    }
    in_public = {"401", "413", "415", "429", "500"}
    for path in ("/predict", "/v1/predict"):
        assert statuses["get", path] == {"200", "422", "503"} | in_public
        assert statuses["post", path] == {"200", "409", "422", "503"} | in_public
    assert statuses["post", "/v1/predict/batch"] == {"200", "422", "503"} | in_public
    assert statuses["get", "/v1/version"] == {"200", "304", "503"} | in_public
    assert statuses["get", "/readyz"] == {"200", "413", "415", "500", "503"}
    assert statuses["get", "/livez"] == {"200", "413", "415", "500"}
    problem = problem_of(client.post("/predict", json={}), 422)
    assert problem.keys() == described["components"]["schemas"]["Problem"]["properties"].keys()


def test_description_has_the_notice_that_tmdb_requires(described: dict[str, Any]):
    notice = "This product uses the TMDB API but is not endorsed or certified by TMDB."
    assert notice in described["info"]["description"]


def test_missing_bucket_setting_is_named():
    with pytest.raises(SettingsError, match="S3_BUCKET_NAME is not set"):
        create_app(load_settings(Settings))


def test_creating_the_application_configures_no_logging(bucket_settings: Settings):
    before = list(logging.getLogger().handlers)
    create_app(bucket_settings)
    assert logging.getLogger().handlers == before


def test_importing_the_application_reads_no_settings(tmp_path: Path):
    (tmp_path / ".env").write_text("broken\n")
    command = [sys.executable, "-c", f"import sys; sys.path[:0] = [{str(ROOT)!r}]; import app.main"]
    assert subprocess.run(command, cwd=tmp_path, check=False).returncode == 0


@pytest.mark.parametrize("path", ["/options", "/version", "/predict"])
def test_path_without_v1_gives_the_same_response(client: TestClient, path: str):
    old, new = client.get(path, params=OLD), client.get(f"/v1{path}", params=OLD)
    assert (old.status_code, old.json()) == (new.status_code, new.json())
    assert old.status_code == 200


def test_batch_and_metrics_work_without_v1(client: TestClient):
    assert client.post("/predict/batch", json={"films": [{"genres": ["Drama"]}]}).status_code == 200
    assert client.get("/metrics").status_code == 200


def test_middleware_is_added_only_if_it_is_configured(client: TestClient):
    layers = [layer.cls.__name__ for layer in client.app.user_middleware]  # type: ignore[attr-defined]
    assert layers == [
        "SecurityHeaders",
        "RelativeRedirects",
        "Telemetry",
        "AmbiguousLength",
        "HeadRequests",
        "CompressedAnswers",
        "SizeLimit",
        "CompressedBodies",
        "SizeLimit",
    ]


def test_only_configured_origins_may_call_from_a_browser(
    client: TestClient, bucket_settings: Settings, tmp_path: Path
):
    headers = {"Origin": "https://films.example", "Access-Control-Request-Method": "POST"}
    unset = client.options("/v1/predict", headers=headers)
    assert "access-control-allow-origin" not in unset.headers
    assert "access-control-allow-origin" not in client.get("/livez", headers=headers).headers
    settings = bucket_settings.model_copy(
        update={"cors_origins": ("https://films.example",), "api_key_hashes": (hash_of("k"),)}
    )
    with serving(settings, tmp_path) as (open_client, _):
        preflight = open_client.options("/v1/predict", headers=headers)
        refused = open_client.post("/v1/predict", json={}, headers=headers)
        other = open_client.get("/livez", headers={"Origin": "https://other.example"})
    assert preflight.status_code == 200  # browsers send no key with a preflight request
    for answer in (preflight, refused):
        assert answer.headers["access-control-allow-origin"] == "https://films.example"
    assert problem_of(refused, 401)
    assert "access-control-allow-origin" not in other.headers


@pytest.mark.parametrize("hashes", [(), (hash_of("k"),)])
def test_openapi_lists_the_api_key_if_keys_are_configured(
    bucket_settings: Settings, tmp_path: Path, hashes: tuple[str, ...]
):
    settings = bucket_settings.model_copy(update={"api_key_hashes": hashes})
    with serving(settings, tmp_path) as (client, _):
        described = client.get("/openapi.json").json()
    secured = {
        path
        for path, methods in described["paths"].items()
        for operation in methods.values()
        if operation.get("security")
    }
    assert secured == (DESCRIBED - {"/livez", "/readyz"} if hashes else set())


@pytest.mark.parametrize(("translation", "made"), [("off", 0), ("google", 1)])
def test_translator_exists_only_if_translation_is_on(
    monkeypatch: pytest.MonkeyPatch, translation: str, made: int
):
    translators: list[float] = []
    monkeypatch.setattr("app.main.Translator", translators.append)
    create_app(load_settings(Settings, translation=translation), Mock())
    assert len(translators) == made


def test_translation_is_off_by_default():
    assert load_settings(Settings).translation == "off"
