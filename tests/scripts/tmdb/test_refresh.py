from collections.abc import Iterator
from datetime import date, timedelta
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from sandbox.tmdb.process import RunningStandIn
from scripts.store.film_store import FilmStore
from scripts.store.index import Index, days_since_1970
from scripts.tmdb import client as tmdb_module
from scripts.tmdb import refresh as module
from scripts.tmdb.client import Tmdb
from scripts.tmdb.failures import FailingFilms
from scripts.tmdb.refresh import (
    MIN_VOTES,
    changed,
    due,
    first_films,
    getting_old,
    listed,
    newest_rated,
    soon_released,
    with_young_votes,
)
from tests.support.bundles import RUN_DATE
from tests.support.films import columns, moment
from tests.support.stand_in import unpaced

DAY = timedelta(days=1)
TODAY = days_since_1970(RUN_DATE)
EARLY = date(2005, 9, 30)  # about 100 of the stand-in's rated films were released before


@pytest.fixture
def tmdb(tmdb_stand_in: RunningStandIn, tmp_path: Path) -> Iterator[Tmdb]:
    with Tmdb(unpaced(tmdb_stand_in.base_url, tmp_path)) as client:
        yield client


@pytest.fixture
def store(tmp_path: Path) -> FilmStore:
    return FilmStore(tmp_path / "films")


def index_of(store: FilmStore, *fetched: tuple[int, int, str]) -> Index:
    """Add films to a store, given as (id, days since the fetch, release date); return its index."""
    for film_id, days, opened in fetched:
        film = {"id": film_id, "release_date": opened}
        store.add(columns(film, day=RUN_DATE - days * DAY))
    return store.index()


def test_first_films_are_popular_ones_then_the_newest_with_enough_votes(tmdb: Tmdb):
    ids = first_films(tmdb, RUN_DATE, 30)
    popular = [film["id"] for film in tmdb.get("/movie/popular")["results"]]
    later = [film for answer in tmdb.details(ids[6:]) if (film := answer.content)]
    assert ids[:6] == popular[:6]
    assert len(later) == 24
    assert all(film["vote_count"] >= MIN_VOTES for film in later)
    assert max(film["release_date"] for film in later) <= RUN_DATE.isoformat()


def test_film_in_both_lists_is_fetched_once(tmdb: Tmdb):
    popular = {film["id"] for film in islice(tmdb.films("/movie/popular"), 80)}
    newest = {film["id"] for film in newest_rated(tmdb, RUN_DATE, 320)}
    ids = first_films(tmdb, RUN_DATE, 400)
    assert popular & newest
    assert len(ids) == len(set(ids)) == 400


@pytest.mark.parametrize("limit", [1, 2, 5, 21])
def test_limit_of_the_first_films_is_kept(tmdb: Tmdb, limit: int):
    assert len(first_films(tmdb, RUN_DATE, limit)) == limit


def test_films_that_wait_are_not_among_the_first(tmdb: Tmdb):
    popular = next(tmdb.films("/movie/popular"))["id"]
    ids = first_films(tmdb, RUN_DATE, 30, frozenset({popular}))
    assert popular not in ids
    assert len(ids) == 30


def test_newest_rated_films_are_released_up_to_the_day(tmdb: Tmdb):
    assert next(newest_rated(tmdb, date(2020, 6, 30), 20))["release_date"] <= "2020-06-30"


def test_rated_films_continue_by_date_past_the_last_page(
    tmdb: Tmdb, monkeypatch: pytest.MonkeyPatch
):
    whole = [film["id"] for film in newest_rated(tmdb, EARLY, 1_000)]
    monkeypatch.setattr(tmdb_module, "MAX_PAGE", 1)
    monkeypatch.setattr(module, "MAX_PAGE", 1)
    in_parts = [film["id"] for film in newest_rated(tmdb, EARLY, 1_000)]
    assert len(whole) > 3 * tmdb_module.PAGE_SIZE
    assert list(dict.fromkeys(in_parts)) == whole


def test_list_ends_when_one_day_has_more_films_than_tmdb_lists(
    tmdb: Tmdb, monkeypatch: pytest.MonkeyPatch
):
    def one_day(*_: Any, **__: Any) -> Any:
        return ({"id": number, "release_date": "2026-11-23"} for number in range(20))

    monkeypatch.setattr(module, "MAX_PAGE", 1)
    monkeypatch.setattr(tmdb, "films", one_day)
    assert len(list(newest_rated(tmdb, RUN_DATE, 1_000))) == 20


def test_listed_films_are_due_unless_fetched_today(tmdb: Tmdb, store: FilmStore):
    popular = [film["id"] for film in islice(tmdb.films("/movie/popular"), 4)]
    opened = "2026-10-01"
    index = index_of(store, (popular[0], 0, opened), (popular[1], 1, opened))
    ids = list(listed(tmdb, index, TODAY))
    assert ids[:3] == popular[1:]
    assert len(ids) == len(set(ids)) > module.POPULAR_FILMS
    upcoming = [film["id"] for film in tmdb.get("/movie/upcoming")["results"]]
    assert set(upcoming) - {popular[0]} <= set(ids)


def test_film_is_due_after_a_change_newer_than_its_record(tmdb: Tmdb, store: FilmStore):
    yesterday = list(tmdb.changed(RUN_DATE - DAY))
    before, on_that_day, since, new = yesterday[:4]
    opened = "2020-10-01"
    index = index_of(store, (before, 9, opened), (on_that_day, 1, opened), (since, 0, opened))
    ids = list(changed(tmdb, index, TODAY - 1, TODAY))
    assert ids == [each for each in yesterday if each != since]
    assert new in ids


def test_changes_of_the_current_day_are_left_to_the_next_run(tmdb: Tmdb, store: FilmStore):
    assert list(changed(tmdb, index_of(store, (1, 1, "")), TODAY, TODAY)) == []


@pytest.mark.parametrize(
    ("opened_days_ago", "fetched_days_ago", "is_due"),
    [
        (0, 1, True),
        (5, 0, False),
        (5, 1, True),
        (30, 2, False),
        (30, 3, True),
        (300, 29, False),
        (300, 30, True),
        (366, 149, False),
        (-10, 9, False),
    ],
)
def test_record_of_a_young_film_is_due_at_a_tenth_of_its_age(
    store: FilmStore, opened_days_ago: int, fetched_days_ago: int, is_due: bool
):
    opened = RUN_DATE - opened_days_ago * DAY
    index = index_of(store, (1, fetched_days_ago, opened.isoformat()))
    assert list(with_young_votes(index, TODAY)) == ([1] if is_due else [])


def test_film_without_a_date_is_never_young(store: FilmStore):
    assert list(with_young_votes(index_of(store, (1, 99, "")), TODAY)) == []


@pytest.mark.parametrize(
    ("opens_in_days", "fetched_days_ago", "is_due"),
    [
        (1, 0, False),
        (1, 1, True),
        (28, 1, True),
        (29, 6, False),
        (29, 7, True),
        (180, 7, True),
        (181, 99, False),
        (0, 99, False),
    ],
)
def test_film_to_come_is_due_daily_in_the_last_weeks_and_weekly_before(
    store: FilmStore, opens_in_days: int, fetched_days_ago: int, is_due: bool
):
    opens = RUN_DATE + opens_in_days * DAY
    index = index_of(store, (1, fetched_days_ago, opens.isoformat()), (2, 99, ""))
    assert list(soon_released(index, TODAY)) == ([1] if is_due else [])


def test_film_that_would_soon_be_purged_is_due(store: FilmStore):
    fetched = [(film, days, "2010-01-01") for film, days in enumerate((150, 151, 179), start=1)]
    assert sorted(getting_old(index_of(store, *fetched), TODAY)) == [1, 2, 3]


def test_daily_share_of_old_records_is_due_but_none_of_this_month(store: FilmStore):
    films = columns(*({"id": film} for film in range(1, 452)), day=RUN_DATE - 29 * DAY)
    store.add(films)
    assert list(getting_old(store.index(), TODAY)) == []
    assert len(list(getting_old(store.index(), TODAY + 1))) == 4  # 451 / 150, rounded up


def test_each_due_film_comes_once_and_listed_films_first(tmdb: Tmdb, store: FilmStore):
    popular = next(tmdb.films("/movie/popular"))["id"]
    index = index_of(store, (popular, 160, "2026-11-01"), (7, 160, "2010-01-01"))
    ids = due(tmdb, index, RUN_DATE - 2 * DAY, moment(), FailingFilms(store.folder))
    assert len(ids) == len(set(ids))
    assert ids[0] == popular
    assert ids[-1] == 7
    assert set(tmdb.changed(RUN_DATE - 2 * DAY)) <= set(ids)


def test_failing_film_is_due_on_its_day_and_not_before(tmdb: Tmdb, store: FilmStore):
    popular = next(tmdb.films("/movie/popular"))["id"]
    index = index_of(store, (popular, 160, "2026-11-01"))
    failing = FailingFilms(store.folder)
    failing.update({popular: "TMDB answered HTTP 500"}, (), RUN_DATE)
    failing.update({99: "TMDB answered HTTP 500"}, (), RUN_DATE - DAY)
    ids = due(tmdb, index, RUN_DATE - DAY, moment(), failing)
    assert popular not in ids
    assert 99 in ids
