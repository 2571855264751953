import time
from collections.abc import Iterator
from datetime import date, timedelta
from itertools import chain
from pathlib import Path

import pytest

from scripts.runtime.storage import DataFileError
from scripts.store.film_store import FilmStore
from scripts.tmdb.client import TmdbAnswer
from scripts.tmdb.errors import TmdbError
from scripts.tmdb.failures import TooManyDeletedError, TooManyFailuresError
from scripts.tmdb.ingest import Ingestion
from scripts.tmdb.validation import BadAnswersError
from tests.support.bundles import RUN_DATE
from tests.support.films import FILM, columns, moment, stored


@pytest.fixture
def ingestion(tmp_path: Path) -> Ingestion:
    return Ingestion(FilmStore(tmp_path / "films"), RUN_DATE, RUN_DATE, 0.1)


def answers(*ids: int, **change: object) -> Iterator[TmdbAnswer]:
    return (TmdbAnswer(film_id, FILM | {"id": film_id} | change, moment()) for film_id in ids)


def test_films_are_stored_with_the_run_that_fetched_them(ingestion: Ingestion):
    assert list(ingestion.add(answers(1, 2))) == [[1, 2]]
    films = stored(ingestion.store)
    assert {film["run_date"] for film in films.values()} == {RUN_DATE}
    assert films[1]["fetched_at"] == moment()
    assert ingestion.report.records == 2


def test_votes_are_stored_for_the_given_day(tmp_path: Path):
    backfill = Ingestion(FilmStore(tmp_path / "films"), date(2026, 11, 20), None, 0.1)
    list(backfill.add(answers(1)))
    film = stored(backfill.store)[1]
    assert film["run_date"] is None
    assert film["votes"][0]["date"] == date(2026, 11, 20)


def test_films_are_stored_every_second_while_more_arrive(
    ingestion: Ingestion, monkeypatch: pytest.MonkeyPatch
):
    seconds = iter(range(100))
    monkeypatch.setattr(time, "monotonic", lambda: 0.2 * next(seconds))
    kept = ingestion.add(answers(*range(1, 21)))
    first = next(kept)
    assert 2 <= len(first) <= 5
    assert sorted(stored(ingestion.store)) == first
    assert [film for batch in (first, *kept) for film in batch] == list(range(1, 21))


def test_deleted_film_is_done_and_counted(ingestion: Ingestion):
    gone = TmdbAnswer(9, None, moment())
    assert list(ingestion.add([gone])) == [[9]]
    assert ingestion.gone == 1
    assert stored(ingestion.store) == {}


def not_found(*ids: int) -> Iterator[TmdbAnswer]:
    return (TmdbAnswer(film_id, None, moment()) for film_id in ids)


def test_deleted_film_of_the_store_gets_a_tombstone(ingestion: Ingestion):
    ingestion.store.add(columns({"id": 1}, {"id": 2}, day=RUN_DATE - timedelta(1)))
    list(ingestion.add(not_found(1, 9)))
    ingestion.bury_deleted()
    assert stored(ingestion.store).keys() == {2}
    assert (ingestion.as_json()["gone"], ingestion.as_json()["deleted"]) == (2, [1])


def test_record_that_is_newer_than_the_answer_stays(ingestion: Ingestion):
    ingestion.store.add(columns({"id": 1}, hour=13))
    list(ingestion.add(not_found(1)))
    ingestion.bury_deleted()
    assert stored(ingestion.store).keys() == {1}


def test_tmdb_that_finds_no_film_deletes_none(ingestion: Ingestion):
    ids = range(1, 61)
    ingestion.store.add(columns(*({"id": key} for key in ids), day=RUN_DATE - timedelta(1)))
    list(ingestion.add(not_found(*ids)))
    with pytest.raises(TooManyDeletedError, match=r"60 of 60 films .* 1, 2, .*; check TMDB_BASE"):
        ingestion.bury_deleted()
    assert stored(ingestion.store).keys() == set(ids)


def failures(*ids: int) -> Iterator[TmdbAnswer]:
    return (TmdbAnswer(film_id, None, moment(), "TMDB answered HTTP 500") for film_id in ids)


def test_failed_film_is_done_and_named(ingestion: Ingestion):
    ingestion.known_failing = frozenset({2, 9})
    assert list(ingestion.add(chain(answers(1, 2), failures(9)))) == [[1, 2, 9]]
    assert ingestion.failed == {9: "TMDB answered HTTP 500"}
    assert ingestion.recovered == {2}
    assert ingestion.gone == 0
    assert sorted(stored(ingestion.store)) == [1, 2]


def test_films_that_arrived_are_stored_when_too_many_fail(ingestion: Ingestion):
    with pytest.raises(TooManyFailuresError, match=r"^6 of 8 films failed"):
        list(ingestion.add(chain(answers(1, 2), failures(*range(10, 16)))))
    assert sorted(stored(ingestion.store)) == [1, 2]


def test_films_that_failed_before_do_not_end_the_run(ingestion: Ingestion):
    ingestion.known_failing = frozenset(range(10, 40))
    list(ingestion.add(failures(*range(10, 45))))
    assert len(ingestion.failed) == 35


def test_films_that_arrived_are_stored_when_the_key_is_revoked(ingestion: Ingestion):
    def revoked() -> Iterator[TmdbAnswer]:
        yield from answers(1, 2)
        raise TmdbError("TMDB refuses the key (HTTP 401); check TMDB_API_KEY")

    with pytest.raises(TmdbError, match="check TMDB_API_KEY"):
        list(ingestion.add(revoked()))
    assert sorted(stored(ingestion.store)) == [1, 2]


def test_bad_records_stop_the_run_and_overwrite_nothing(ingestion: Ingestion):
    list(ingestion.add(answers(*range(1, 41))))
    with pytest.raises(BadAnswersError, match="runtime: another form"):
        list(ingestion.add(answers(*range(1, 41), runtime="101")))
    assert {film["runtime"] for film in stored(ingestion.store).values()} == {101}


def test_missing_parts_of_many_films_neither_end_the_run_nor_replace_known_ones(
    ingestion: Ingestion,
):
    store, ids = ingestion.store, range(1, 101)
    store.add(columns(*({"id": film_id} for film_id in ids), day=RUN_DATE - timedelta(9)))
    list(ingestion.add(answers(*ids, credits=None, keywords=None)))
    assert (ingestion.report.bad, ingestion.report.missing_parts["credits"]) == (0, 100)
    films = stored(store).values()
    assert {film["fetched_at"] for film in films} == {moment()}
    assert {film["credits_at"] for film in films} == {moment(RUN_DATE - timedelta(9))}
    assert all(film["credits"] and film["keywords"] for film in films)


def test_full_disk_is_reported_in_one_sentence(
    ingestion: Ingestion, monkeypatch: pytest.MonkeyPatch
):
    list(ingestion.add(answers(1)))

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(DataFileError, match="change DATA_DIR or free the disk"):
        list(ingestion.add(answers(2)))
    assert sorted(stored(ingestion.store)) == [1]
