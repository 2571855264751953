from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from movierating.settings import Settings
from sandbox.tmdb.process import RunningStandIn
from scripts import people
from scripts.people import collect_people
from scripts.store.film_store import FilmStore, film_store
from scripts.store.people import PeopleStore, PersonRecord
from scripts.tmdb.client import Tmdb
from scripts.tmdb.people import fetch_people
from scripts.tmdb.source import film_source
from tests.support.bundles import RUN_DATE
from tests.support.films import columns
from tests.support.stand_in import unpaced


@pytest.fixture
def settings(tmdb_stand_in: RunningStandIn, tmp_path: Path) -> Settings:
    return unpaced(tmdb_stand_in.base_url, tmp_path / "data", collect_max_people=15)


@pytest.fixture
def store(settings: Settings) -> FilmStore:
    """Return a film store with a few films of the stand-in."""
    store = film_store(settings, film_source(settings))
    with Tmdb(settings) as tmdb:
        ids = [film["id"] for film in tmdb.films("/movie/popular", limit=8)]
        films = [answer.content for answer in tmdb.details(ids) if answer.content]
    day = RUN_DATE + timedelta(60)
    upcoming = {"release_date": f"{day}", "release_dates": None}
    store.add(columns(*(film | upcoming for film in films), day=RUN_DATE))
    return store


def test_people_are_requested_once_and_a_limited_number_per_run(
    settings: Settings, store: FilmStore, tmdb_stand_in: RunningStandIn
):
    assert collect_people(RUN_DATE, settings) == 15
    first = PeopleStore(store.folder).read()
    assert len(first) == 15
    everybody = people.credited_people(store, RUN_DATE)
    assert collect_people(RUN_DATE, settings, everybody=True) == len(everybody) - 15
    stored = PeopleStore(store.folder).read()
    assert stored.keys() == everybody.keys()
    assert any(person.other_names for person in stored.values())
    assert {number: stored[number] for number in first} == first
    tmdb_stand_in.forget()
    assert collect_people(RUN_DATE, settings) == 0
    assert "/person/{id}" not in tmdb_stand_in.stats()["by_kind"]


def test_expired_records_are_deleted_even_if_nobody_is_requested(
    settings: Settings, store: FilmStore
):
    with Tmdb(settings) as tmdb:
        now = tmdb.server_time()
    nobody = settings.model_copy(update={"collect_max_people": 0})
    known = [PersonRecord(1, now - timedelta(days=181), "Old"), PersonRecord(2, now, "New")]
    PeopleStore(store.folder).write(known)
    assert collect_people(RUN_DATE, nobody) == 0
    assert PeopleStore(store.folder).read().keys() == {2}


def test_person_that_tmdb_does_not_have_is_not_asked_for_again(
    settings: Settings, store: FilmStore
):
    crew = [{"id": 5, "name": "Gone", "job": "Director", "department": "Directing"}]
    gone = {"id": 1, "credits": {"cast": [], "crew": crew}, "release_date": f"{RUN_DATE}"}
    store.add(columns(gone, day=RUN_DATE))
    collect_people(RUN_DATE, settings, everybody=True)
    assert PeopleStore(store.folder).read()[5].name is None
    assert collect_people(RUN_DATE, settings) == 0


def test_empty_store_needs_no_people(settings: Settings):
    assert collect_people(RUN_DATE, settings) == 0


def test_people_of_another_process_stay(
    settings: Settings, store: FilmStore, monkeypatch: pytest.MonkeyPatch
):
    other = PersonRecord(1, datetime(2100, 1, 1, tzinfo=UTC), "Other")

    def overtaken(tmdb: Tmdb, chosen: Sequence[int]) -> Iterator[PersonRecord]:
        PeopleStore(store.folder).write([other])
        yield from fetch_people(tmdb, chosen)

    monkeypatch.setattr(people, "fetch_people", overtaken)
    assert collect_people(RUN_DATE, settings) == 15
    stored = PeopleStore(store.folder).read()
    assert (len(stored), stored[1]) == (16, other)


def test_newer_record_of_a_person_stays(store: FilmStore):
    old, new = (PersonRecord(1, datetime(year, 1, 1, tzinfo=UTC)) for year in (2025, 2026))
    for later in (new, old):
        PeopleStore(store.folder).add([later])
    assert PeopleStore(store.folder).read() == {1: new}
