from datetime import timedelta
from pathlib import Path
from typing import Any

import feedparser
import icalendar
import pytest
from fastapi.testclient import TestClient

from app.feeds import atom, calendar
from movierating.settings import Settings
from tests.app.conftest import serving
from tests.support.bundles import RUN_DATE


@pytest.fixture
def client(ledger_settings: Settings, tmp_path: Path):
    with serving(ledger_settings, tmp_path) as (client, _):
        yield client


def test_films_to_come_are_in_both_feeds(client: TestClient):
    found = feedparser.parse(client.get("/v1/forecasts.atom").content)
    titles = [entry.title.partition(":")[0] for entry in found.entries]
    assert titles == ["The Lantern", "여름의 끝", "Lantern II (등불 Été)", "Film 4"]
    events = icalendar.Calendar.from_ical(client.get("/v1/forecasts.ics").content).walk("VEVENT")
    assert [str(event["SUMMARY"]).partition(":")[0] for event in events] == titles


@pytest.mark.parametrize("query", [{"search": "여름"}, {"opened": "2026-12-03", "limit": 1}])
def test_feeds_select_films_as_the_list_does(client: TestClient, query: dict[str, Any]):
    (film,) = client.get("/v1/forecasts", params=query).json()["films"]
    (entry,) = feedparser.parse(client.get("/v1/forecasts.atom", params=query).content).entries
    assert entry.title.startswith(film["title"])


@pytest.mark.parametrize(
    ("path", "media_type"),
    [("/v1/forecasts.atom", atom.MEDIA_TYPE), ("/v1/forecasts.ics", calendar.MEDIA_TYPE)],
)
def test_feed_has_its_media_type_and_is_not_sent_twice(
    client: TestClient, path: str, media_type: str
):
    answer = client.get(path)
    assert answer.headers["content-type"] == f"{media_type}; charset=utf-8"
    again = client.get(path, headers={"If-None-Match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert client.head(path).headers["content-length"] == answer.headers["content-length"]


def test_days_without_films_give_an_empty_feed(client: TestClient):
    query = {"opened": f"{RUN_DATE + timedelta(1)}"}
    assert feedparser.parse(client.get("/v1/forecasts.atom", params=query).content).entries == []
    calendar_read = icalendar.Calendar.from_ical(
        client.get("/v1/forecasts.ics", params=query).content
    )
    assert calendar_read.walk("VEVENT") == []


@pytest.mark.parametrize("path", ["/v1/forecasts.atom", "/v1/forecasts.ics"])
def test_unknown_days_are_refused(client: TestClient, path: str):
    response = client.get(path, params={"opened": "lately"})
    assert response.status_code == 422
    assert response.headers["content-type"] == "application/problem+json"


def test_address_that_a_caller_names_is_not_repeated(client: TestClient):
    answer = client.get("/v1/forecasts.atom", headers={"Host": "stranger.example"})
    assert "stranger" not in answer.text
