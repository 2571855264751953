from typing import Any

import icalendar
import pytest

from app.feeds import calendar
from app.feeds.entries import Feed
from movierating.films.source import invented_films
from tests.app.feeds.test_atom import ODD_TITLES, feed, listed
from tests.support.forecasts import forecast


def read(written: bytes) -> Any:
    """Read a calendar as a foreign program does; check the rules that it forgives."""
    lines = written.split(b"\r\n")
    assert lines.pop() == b""
    assert all(len(line) <= 75 and b"\n" not in line for line in lines)
    for line in lines:
        line.decode()  # no line ends within a character
    found = icalendar.Calendar.from_ical(written)
    assert not found.errors
    assert all(not each.errors for each in found.walk())
    return found


def events(written: bytes) -> Any:
    return read(written).walk("VEVENT")


def test_release_is_an_event_of_a_whole_day():
    (event,) = events(calendar.write(feed(listed(original_title="등불"))))
    made = forecast()
    assert event["SUMMARY"] == "The Lantern (등불): 6.5 (5.5 to 7.5)"
    assert event["DTSTART"].dt == made.release_date
    assert event["DTSTART"].params["VALUE"] == "DATE"
    assert event["DTSTAMP"].dt == made.made_at
    assert event["URL"] == "https://www.themoviedb.org/movie/1"
    assert event["DESCRIPTION"].splitlines()[1] == "Probability of 7.0 or more: 25%."


@pytest.mark.parametrize("title", ODD_TITLES)
def test_any_title_is_read_as_it_was_written(title: str):
    shown = feed(listed(title))
    (event,) = events(calendar.write(shown))
    assert event["SUMMARY"] == shown.entries[0].title
    assert event["DESCRIPTION"] == shown.entries[0].text


def test_event_keeps_its_id_when_its_forecast_changes():
    films = (listed(), listed("Renamed", rating=8.0))
    ids = {events(calendar.write(feed(film)))[0]["UID"] for film in films}
    assert len(ids) == 1


def test_invented_film_has_no_link():
    (event,) = events(calendar.write(feed(listed(), source=invented_films("1a2b"))))
    assert "URL" not in event


def test_calendar_without_films_has_a_component_and_no_event():
    found = read(calendar.write(Feed.of([], 200, None, "forecasts.ics")))
    assert [each.name for each in found.subcomponents] == ["VTIMEZONE"]
    assert found["X-WR-CALNAME"] == "Film forecasts"
