from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from movierating.registry.decisions import DecisionLog
from movierating.s3 import Bucket
from movierating.settings import Settings
from tests.app.background.test_decisions_reader import decision
from tests.app.conftest import serving
from tests.app.test_paging import pages_of


@pytest.fixture
def client(bucket_settings: Settings, bucket: Bucket, tmp_path: Path) -> Iterator[TestClient]:
    for day in (21, 22, 23):
        DecisionLog(bucket).record(decision(day))
    with serving(bucket_settings, tmp_path) as (client, _):
        yield client


def days(client: TestClient, **query: int) -> list[str]:
    response = client.get("/v1/history", params=query)
    assert response.status_code == 200, response.text
    return [each["at"][:10] for each in response.json()["decisions"]]


def test_decisions_are_returned_as_recorded(client: TestClient):
    newest = client.get("/v1/history").json()["decisions"][0]
    assert newest == decision(23).model_dump(mode="json")


def test_newest_decisions_come_first_up_to_the_limit(client: TestClient):
    assert days(client) == ["2026-11-23", "2026-11-22", "2026-11-21"]
    assert days(client, limit=2) == ["2026-11-23", "2026-11-22"]


def test_next_links_lead_through_all_decisions(client: TestClient):
    assert days(client, limit=2, offset=2) == ["2026-11-21"]
    assert pages_of(client, "/v1/history?limit=2") == [2, 1]


@pytest.mark.parametrize("limit", [0, 401, "all"])
def test_invalid_limit_names_its_field(client: TestClient, limit: Any):
    response = client.get("/v1/history", params={"limit": limit})
    assert response.status_code == 422
    assert response.json()["errors"][0]["field"] == "limit"


def test_registry_without_decisions_gives_an_empty_list(bucket_settings: Settings, tmp_path: Path):
    with serving(bucket_settings, tmp_path) as (client, _):
        assert client.get("/v1/history").json() == {"decisions": [], "next": None}


def test_unreadable_bucket_gives_503_that_names_the_setting_to_change(
    bucket_settings: Settings, tmp_path: Path
):
    lost = bucket_settings.model_copy(update={"s3_bucket_name": "no-such-bucket"})
    with serving(lost, tmp_path) as (client, _):
        response = client.get("/v1/history")
    assert response.status_code == 503
    assert "S3_BUCKET_NAME" in response.json()["detail"]
