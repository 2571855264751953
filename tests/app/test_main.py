import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from app.main import create_app
from movierating.settings import SettingsError, load_settings
from tests.app.test_problems import problem_of

ROOT = Path(__file__).parents[2]


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


def test_every_route_is_described(described: dict[str, Any]):
    assert described["paths"].keys() == {
        "/predict",
        "/options",
        "/livez",
        "/readyz",
        "/version",
        "/forecasts",
        "/track-record",
    }
    for method, path, operation in operations(described):
        assert operation["summary"], (method, path)
        assert operation["description"], (method, path)


def test_examples_run_as_documented(described: dict[str, Any], client: TestClient):
    schemas = described["components"]["schemas"]
    examples = schemas["FilmFacts"]["examples"]
    assert examples
    for example in examples:
        response = client.post("/predict", json=example)
        assert response.status_code == 200
        assert response.json().keys() == schemas["Forecast"]["properties"].keys()


def test_problems_are_described_in_the_form_they_have(
    described: dict[str, Any], client: TestClient
):
    statuses = {
        (method, path): operation["responses"].keys()
        for method, path, operation in operations(described)
    }
    assert statuses["post", "/predict"] == statuses["get", "/predict"] == {"200", "422", "503"}
    assert statuses["get", "/readyz"] == {"200", "503"}
    assert statuses["get", "/livez"] == {"200"}
    problem = problem_of(client.post("/predict", json={}), 422)
    assert problem.keys() == described["components"]["schemas"]["Problem"]["properties"].keys()


def test_notice_that_tmdb_asks_for_is_in_the_description(described: dict[str, Any]):
    notice = "This product uses the TMDB API but is not endorsed or certified by TMDB."
    assert notice in described["info"]["description"]


def test_service_without_a_bucket_names_the_setting():
    with pytest.raises(SettingsError, match="S3_BUCKET_NAME is not set"):
        create_app(load_settings())


def test_importing_the_service_reads_no_settings(tmp_path: Path):
    (tmp_path / ".env").write_text("broken\n")
    command = [sys.executable, "-c", f"import sys; sys.path[:0] = [{str(ROOT)!r}]; import app.main"]
    subprocess.run(command, cwd=tmp_path, check=True)
