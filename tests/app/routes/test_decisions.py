from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from app.routes.decisions import HistoryReader
from movierating.registry.decisions import DECISIONS_PREFIX, Decision, DecisionLog
from movierating.s3 import Bucket, open_bucket
from movierating.settings import Settings
from tests.app.conftest import serving


@pytest.fixture
def client(bucket_settings: Settings, bucket: Bucket, tmp_path: Path) -> Iterator[TestClient]:
    for day in (21, 22, 23):
        DecisionLog(bucket).record(decision(day))
    with serving(bucket_settings, tmp_path) as (client, _):
        yield client


def decision(day: int, **others: Any) -> Decision:
    facts = {
        "action": "refused",
        "version": f"2026-11-{day}-0123456789ab",
        "production": "2026-11-20-0123456789ab",
        "at": datetime(2026, 11, day, 3, tzinfo=UTC),
        "by": "tests",
        "reason": "it is not better by more than chance",
        "figures": {"holdout_rmse": 0.7, "baseline_mean_rmse": 0.8},
    }
    return Decision.model_validate(facts | others)


def days(client: TestClient, **query: int) -> list[str]:
    response = client.get("/v1/history", params=query)
    assert response.status_code == 200, response.text
    return [each["at"][:10] for each in response.json()["decisions"]]


def test_decisions_are_told_as_they_were_recorded(client: TestClient):
    told = client.get("/v1/history").json()["decisions"][0]
    assert told == decision(23).model_dump(mode="json")


def test_newest_decisions_come_first_and_so_many_as_are_asked_for(client: TestClient):
    assert days(client) == ["2026-11-23", "2026-11-22", "2026-11-21"]
    assert days(client, limit=2) == ["2026-11-23", "2026-11-22"]


@pytest.mark.parametrize("limit", [0, 401, "all"])
def test_bad_limit_names_its_field(client: TestClient, limit: Any):
    response = client.get("/v1/history", params={"limit": limit})
    assert response.status_code == 422
    assert response.json()["errors"][0]["field"] == "limit"


def test_registry_without_decisions_is_no_error(bucket_settings: Settings, tmp_path: Path):
    with serving(bucket_settings, tmp_path) as (client, _):
        assert client.get("/v1/history").json() == {"decisions": []}


def test_bucket_that_cannot_be_read_is_told_with_the_setting_to_change(
    bucket_settings: Settings, tmp_path: Path
):
    lost = bucket_settings.model_copy(update={"s3_bucket_name": "no-such-bucket"})
    with serving(lost, tmp_path) as (client, _):
        response = client.get("/v1/history")
    assert response.status_code == 503
    assert "S3_BUCKET_NAME" in response.json()["detail"]


def test_what_was_read_is_not_read_again_and_stays_when_s3_goes_away(
    bucket_settings: Settings, bucket: Bucket
):
    lost = bucket_settings.model_copy(update={"s3_bucket_name": "no-such-bucket"})
    places = [bucket, bucket, open_bucket(lost)]
    reader = HistoryReader(lambda: places.pop(0))
    DecisionLog(bucket).record(decision(22))
    reader.refresh()
    (first,) = reader.decisions
    DecisionLog(bucket).record(decision(23))
    reader.refresh()
    assert reader.decisions[-1] is first
    reader.refresh()
    assert reader.problem is not None
    assert reader.decisions == [decision(23), decision(22)]


def test_unreadable_decision_hides_no_other(bucket: Bucket):
    DecisionLog(bucket).record(decision(22))
    bucket.put(f"{DECISIONS_PREFIX}20261123T030000.000000Z-refused-odd.json", b"{}")
    reader = HistoryReader(lambda: bucket)
    reader.refresh()
    assert (reader.problem, reader.decisions) == (None, [decision(22)])
