import json
from typing import Any

import pytest
from fastapi.testclient import TestClient

from app.openapi import LIMITS

Operations = dict[str, dict[str, Any]]


@pytest.fixture(scope="module")
def described(client: TestClient) -> dict[str, Any]:
    content: dict[str, Any] = client.get("/openapi.json").json()
    return content


@pytest.fixture(scope="module")
def operations(described: dict[str, Any]) -> Operations:
    found = [each for methods in described["paths"].values() for each in methods.values()]
    named = {each["operationId"]: each for each in found}
    assert len(named) == len(found)
    return named


def test_functions_of_generated_clients_have_short_names(operations: Operations):
    assert {"predict", "predict_unversioned", "predict_batch", "options", "evidence"} <= set(
        operations
    )
    assert all(name.isidentifier() and "v1" not in name for name in operations)


def test_description_names_its_server_tags_licence_and_security(
    described: dict[str, Any], operations: Operations
):
    assert [server["url"] for server in described["servers"]] == ["/"]
    assert described["info"]["license"]["name"] == "MIT"
    assert described["security"] == []
    tags = {tag["name"] for tag in described["tags"]}
    assert {tag for each in operations.values() for tag in each["tags"]} == tags


def test_films_of_a_batch_are_described_as_those_of_predict(described: dict[str, Any]):
    schemas = described["components"]["schemas"]
    assert schemas["Batch"]["properties"]["films"]["items"]["$ref"].endswith("/FilmFacts")


def test_optional_fields_of_a_request_have_no_default(described: dict[str, Any]):
    facts = described["components"]["schemas"]["FilmFacts"]
    assert "required" not in facts
    assert [name for name, each in facts["properties"].items() if "default" in each] == []


def test_bounds_of_the_release_date_are_described(described: dict[str, Any]):
    facts = described["components"]["schemas"]["FilmFacts"]["properties"]
    assert "1870-01-01 to 2100-01-01" in facts["release_date"]["description"]


def test_described_media_types_are_those_of_the_responses(
    client: TestClient, operations: Operations
):
    for name in ("card", "metrics", "options"):
        (described,) = operations[name]["responses"]["200"]["content"]
        assert client.get(f"/v1/{name}").headers["content-type"].startswith(described)


@pytest.mark.parametrize(
    ("path", "name", "query"),
    [
        ("/v1/options", "options", {}),
        ("/v1/people", "people", {"q": "a", "limit": 1}),
        (
            "/v1/predict",
            "predict_from_codes",
            {
                "runtime": 112,
                "genre_encoded": 0,
                "lang_encoded": 0,
                "sentiment": 0,
                "overview_len": 0,
            },
        ),
    ],
)
def test_described_headers_are_those_of_the_responses(
    client: TestClient, operations: Operations, path: str, name: str, query: dict[str, Any]
):
    described = operations[name]["responses"]["200"]["headers"]
    usual = {"cache-control", "content-length", "content-type", "vary", "content-encoding"}
    security = {"content-security-policy", "referrer-policy", "x-content-type-options"}
    sent = client.get(path, params=query).headers.keys() - usual - security - {"x-frame-options"}
    assert set(LIMITS) <= described.keys()  # but this service has no limit
    assert sent == {header.lower() for header in described.keys() - set(LIMITS)}


def test_every_operation_describes_the_problems_that_any_request_can_get(operations: Operations):
    for name, operation in operations.items():
        assert {"413", "415", "500"} <= operation["responses"].keys(), name
    assert "Retry-After" in operations["predict"]["responses"]["429"]["headers"]


def test_every_described_schema_is_used(described: dict[str, Any]):
    text = json.dumps(described)
    for name in described["components"]["schemas"]:
        assert f'"#/components/schemas/{name}"' in text, name
