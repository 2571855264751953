from datetime import datetime
from typing import Any
from xml.etree import ElementTree as ET

import feedparser
import pytest

from app.feeds import atom
from app.feeds.entries import Feed
from app.recorded import ListedFilm
from movierating.films.source import TMDB, invented_films
from movierating.ledger.records import Upcoming, UpcomingFilm
from tests.support.bundles import RUN_DATE
from tests.support.forecasts import forecast

# Titles, and how a feed shows them: in one line, without the characters that XML forbids.
ODD_TITLES = {
    "Fish & Chips <b>2</b>": "Fish & Chips <b>2</b>",
    "기생충, 그 후; \\ 1부": "기생충, 그 후; \\ 1부",
    "One\r\nline\tof 🍿👨‍👩‍👧 text": "One line of 🍿👨‍👩‍👧 text",
    "]]> &amp; <![CDATA[": "]]> &amp; <![CDATA[",
    "\x00a\x0bb\x1b\x7f\x85\ufffe end": "a b end",
    "é" * 500: "é" * 199 + "…",
}


def feed(*films: ListedFilm, source: str | None = TMDB, limit: int = 200) -> Feed:
    upcoming = Upcoming(as_of=RUN_DATE, source=source, films=())
    return Feed.of(films, limit, upcoming, "forecasts.atom?search=a&limit=2")


def listed(title: str | None = "The Lantern", film_id: int = 1, **others: Any) -> ListedFilm:
    made = forecast(film_id, title=title, **others)
    return ListedFilm(UpcomingFilm(forecast=made, week_ago=6.0))


def read(written: bytes) -> feedparser.FeedParserDict:
    found = feedparser.parse(written)
    assert not found.bozo, found.bozo_exception
    assert found.version == "atom10"
    return found


def test_feed_is_read_by_a_reader_of_feeds():
    found = read(atom.write(feed(listed(original_title="등불"))))
    assert found.feed.title == "Film forecasts"
    assert "not endorsed or certified by TMDB" in found.feed.subtitle
    (entry,) = found.entries
    assert entry.title == "The Lantern (등불): 6.5 (5.5 to 7.5)"
    assert entry.link == "https://www.themoviedb.org/movie/1"
    assert datetime.fromisoformat(entry.updated) == forecast().made_at
    assert entry.content[0].value.splitlines() == [
        f"Opens on {forecast().release_date}.",
        "Forecast: 6.5. 8 of 10 such films get 5.5 to 7.5.",
        "Probability of 7.0 or more: 25%.",
        "Change in a week: +0.5.",
        f"Made on {RUN_DATE} by the model 2026-11-23-0123456789ab.",
    ]


@pytest.mark.parametrize(("title", "shown"), ODD_TITLES.items())
def test_any_title_is_text_of_one_line(title: str, shown: str):
    written = atom.write(feed(listed(title)))
    # A reader of feeds removes markup even from plain text, so the XML itself is compared.
    _, entry = ET.fromstring(written).iter("{http://www.w3.org/2005/Atom}title")
    assert entry.text == f"{shown}: 6.5 (5.5 to 7.5)"
    read(written)


def test_entry_keeps_its_id_when_its_forecast_changes():
    ids = {
        read(atom.write(feed(film))).entries[0].id
        for film in (listed(), listed("Renamed", rating=8.0, release_date=RUN_DATE))
    }
    assert len(ids) == 1
    assert next(iter(ids)).startswith("urn:uuid:")


def test_films_of_two_sources_have_different_ids_and_invented_ones_no_link():
    real, invented = (
        read(atom.write(feed(listed(), source=source))).entries[0]
        for source in (TMDB, invented_films("1a2b"))
    )
    assert real.id != invented.id
    assert (len(real.links), "links" in invented and bool(invented.links)) == (1, False)


def test_feed_without_films_is_valid():
    found = read(atom.write(Feed.of([], 200, None, "forecasts.atom")))
    assert (found.entries, found.feed.updated) == ([], "1970-01-01T00:00:00Z")
    assert read(atom.write(feed())).feed.updated == f"{RUN_DATE}T00:00:00Z"


def test_own_address_is_relative():
    (link,) = ET.fromstring(atom.write(feed())).iter("{http://www.w3.org/2005/Atom}link")
    assert link.get("href") == "forecasts.atom?search=a&limit=2"


def test_feed_that_leaves_films_out_says_so():
    found = read(atom.write(feed(listed(), listed(film_id=2), limit=1)))
    assert len(found.entries) == 1
    assert "The first 1 of 2 films." in found.feed.subtitle
