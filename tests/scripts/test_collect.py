import csv
import json
import os
from collections.abc import Iterator
from datetime import date, timedelta
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import requests
from pydantic import SecretStr

from movierating.films.source import describe
from movierating.settings import Settings, SettingsError
from sandbox.tmdb.process import RunningStandIn, running
from scripts import collect as module
from scripts.collect import LONGEST_CACHE, NothingCollectedError, collect, main
from scripts.runtime import clock
from scripts.runtime.run_files import RunFiles
from scripts.runtime.storage import DataFileError, read_json
from scripts.store.film_store import FilmStore, film_store
from scripts.store.schema import FIELDS
from scripts.tmdb import refresh as refresh_module
from scripts.tmdb.client import Tmdb
from scripts.tmdb.errors import ClockError, OtherFilmsError, TmdbError, TmdbUnavailableError
from scripts.tmdb.failures import FailingFilms, TooManyFailuresError
from scripts.tmdb.refresh import first_films
from scripts.tmdb.session import TmdbSession
from scripts.tmdb.validation import BadAnswersError
from tests.support.bundles import RUN_DATE
from tests.support.failing_page import fail_page
from tests.support.films import columns, moment, stored
from tests.support.stand_in import TMDB_KEY, add_headers, unpaced

DAY = timedelta(days=1)
FILMS = 12


@pytest.fixture(scope="module")
def tmdb_stand_in() -> Iterator[RunningStandIn]:
    """Run a TMDB stand-in (a local imitation of TMDB) with few films.

    Some tests collect all its films, which would take long with more films."""
    arguments = ("--today", RUN_DATE.isoformat(), "--requests-per-second", "100000")
    with running(*arguments, "--films", "400") as stand_in:
        yield stand_in


@pytest.fixture
def settings(tmdb_stand_in: RunningStandIn, tmp_path: Path) -> Settings:
    tmdb_stand_in.forget()
    return unpaced(tmdb_stand_in.base_url, tmp_path / "data", collect_max_films=FILMS)


@pytest.fixture
def unlimited(settings: Settings) -> Settings:
    return settings.model_copy(update={"collect_max_films": None})


@pytest.fixture
def files(settings: Settings) -> RunFiles:
    return RunFiles(Path(settings.data_dir), RUN_DATE)


@pytest.fixture
def store(settings: Settings, tmdb_stand_in: RunningStandIn) -> FilmStore:
    return film_store(settings, tmdb_stand_in.source)


@pytest.fixture
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(TmdbSession, "_await_turn", lambda _: None)
    monkeypatch.setattr(TmdbSession, "_sleep", lambda *_: None)


def rows(path: Any) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as stream:
        return list(csv.DictReader(stream))


def served(stand_in: RunningStandIn) -> int:
    """Return how many film requests (`/movie/{id}`) the TMDB stand-in has answered."""
    count: int = stand_in.stats()["by_kind"].get("/movie/{id}", 0)
    return count


def content(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_file_has_the_26_fields_of_each_fetched_film(
    settings: Settings, tmdb_stand_in: RunningStandIn
):
    path = collect(RUN_DATE, settings)
    assert path.name == "movies_2026-11-23.csv"
    assert path.read_bytes().startswith(b"\xef\xbb\xbf")
    collected = rows(path)
    assert tuple(collected[0]) == FIELDS
    for row in (collected[0], collected[-1]):
        url = f"{tmdb_stand_in.base_url}/movie/{row['id']}"
        film = requests.get(url, params={"api_key": TMDB_KEY}, timeout=10).json()
        assert film.keys() == row.keys()
        assert row["title"] == film["title"]
        assert row["overview"] == film["overview"]
        assert row["release_date"] == film["release_date"]
        assert json.loads(row["genres"]) == film["genres"]
        assert float(row["vote_average"] or 0) == film["vote_average"]


def test_first_run_fetches_as_many_films_as_allowed(settings: Settings, store: FilmStore):
    ids = [int(row["id"]) for row in rows(collect(RUN_DATE, settings))]
    assert len(ids) == len(set(ids)) == FILMS
    films = stored(store)
    assert films.keys() == set(ids)
    assert {film["run_date"] for film in films.values()} == {RUN_DATE}
    assert all(json.loads(film["credits"])["cast"] for film in films.values())


def test_report_has_the_source_and_the_faults_found(
    settings: Settings, files: RunFiles, tmdb_stand_in: RunningStandIn
):
    collect(RUN_DATE, settings)
    report = read_json(files.collect_report)
    assert report["source"] == tmdb_stand_in.source
    assert (report["films"], report["gone"]) == (FILMS, 0)
    assert report["validation"]["records"] == FILMS
    assert report["validation"]["bad"] == 0


def test_rerun_keeps_the_file_and_asks_only_for_the_source(
    settings: Settings, tmdb_stand_in: RunningStandIn
):
    before = collect(RUN_DATE, settings).read_bytes()
    tmdb_stand_in.forget()
    assert collect(RUN_DATE, settings).read_bytes() == before
    assert tmdb_stand_in.stats()["by_kind"] == {"/genre/movie/list": 1}


def test_daily_run_fetches_no_film_if_all_are_fresh(
    unlimited: Settings, store: FilmStore, tmdb_stand_in: RunningStandIn
):
    with Tmdb(unlimited) as tmdb:
        lists = ("/movie/popular", "/movie/now_playing", "/movie/upcoming")
        ids = {film["id"] for name in lists for film in islice(tmdb.films(name), 400)}
        films = [answer.content for answer in tmdb.details(ids) if answer.content]
    store.add(columns(*films))
    tmdb_stand_in.forget()
    assert rows(collect(RUN_DATE, unlimited)) == []
    assert served(tmdb_stand_in) == 0


def test_next_day_fetches_changed_and_listed_films(unlimited: Settings, store: FilmStore):
    store.add(columns({"id": 1, "release_date": "2010-01-01"}, day=RUN_DATE - DAY))
    brought = {int(row["id"]) for row in rows(collect(RUN_DATE, unlimited))}
    with Tmdb(unlimited) as tmdb:
        assert brought == {
            *tmdb.changed(RUN_DATE - DAY),
            *(film["id"] for film in tmdb.films("/movie/now_playing")),
            *(film["id"] for film in tmdb.films("/movie/upcoming")),
            *brought.intersection(film["id"] for film in tmdb.films("/movie/popular")),
        }
    assert stored(store).keys() == {1, *brought}


def test_changes_are_read_from_where_the_last_complete_run_stopped(
    settings: Settings, store: FilmStore
):
    collect(RUN_DATE - DAY, settings)  # completes a first run
    assert read_json(store.folder / "changes.json") == {"known_until": "2026-11-23"}
    (store.folder / "changes.json").write_text('{"known_until": "2026-11-20"}')
    with Tmdb(settings) as tmdb:
        missed = set(tmdb.changed(date(2026, 11, 20)))
    few = settings.model_copy(update={"collect_max_films": 5})
    collect(RUN_DATE, few)
    assert read_json(store.folder / "changes.json") == {"known_until": "2026-11-20"}
    collect(RUN_DATE, settings.model_copy(update={"collect_max_films": None}))
    assert read_json(store.folder / "changes.json") == {"known_until": "2026-11-23"}
    assert missed <= stored(store).keys()


def test_changes_after_the_list_was_made_are_read_next_time(
    unlimited: Settings, store: FilmStore, monkeypatch: pytest.MonkeyPatch
):
    store.add(columns({"id": 1, "release_date": "2010-01-01"}, day=RUN_DATE - DAY))
    add_headers(monkeypatch, {"X-Memc-Age": f"{24 * 3600}"})
    collect(RUN_DATE, unlimited)
    assert read_json(store.folder / "changes.json") == {"known_until": "2026-11-22"}
    made = {film["fetched_at"].date() for film in stored(store).values()}
    assert made == {RUN_DATE - DAY}


def test_films_beyond_the_limit_wait_for_the_next_run(
    settings: Settings, store: FilmStore, caplog: pytest.LogCaptureFixture
):
    store.add(columns({"id": 1}, day=RUN_DATE - DAY))
    assert len(rows(collect(RUN_DATE, settings))) == FILMS
    assert "films wait for the next run; raise COLLECT_MAX_FILMS" in caplog.text


def test_run_with_another_limit_is_repeated(settings: Settings, tmdb_stand_in: RunningStandIn):
    collect(RUN_DATE, settings)
    tmdb_stand_in.forget()
    path = collect(RUN_DATE, settings.model_copy(update={"collect_max_films": FILMS + 1}))
    assert len(rows(path)) == FILMS + 1
    assert served(tmdb_stand_in) == 1


@pytest.mark.parametrize("served_instead", ["catalogue", "world"])
def test_films_of_another_source_at_the_same_address_are_collected_apart(
    settings: Settings,
    store: FilmStore,
    files: RunFiles,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    served_instead: str,
):
    caplog.set_level("INFO", "scripts")
    collect(RUN_DATE, settings)
    before = store.digest()
    # The ids of the file's films are also ids of invented films.
    ids = sorted(stored(store))[:FILMS]
    pq.write_table(
        pa.table({"id": ids, "title": [f"Real {at}" for at in ids]}), tmp_path / "r.parquet"
    )
    options = {"catalogue": ("--catalogue", str(tmp_path / "r.parquet")), "world": ("--seed", "8")}
    today = ("--today", RUN_DATE.isoformat(), "--requests-per-second", "100000")
    with running(*today, "--films", "400", *options[served_instead]) as other:
        there = settings.model_copy(update={"tmdb_base_url": other.base_url})
        path = collect(RUN_DATE, there)
        source = other.source
    collected = stored(film_store(settings, source))
    assert {int(row["id"]) for row in rows(path)} == collected.keys()
    assert collected
    assert store.digest() == before
    assert files.source() == source
    assert f"{describe(store.folder.name)} stay in the film store" in caplog.text
    collect(RUN_DATE, settings)
    assert stored(store).keys() == {int(row["id"]) for row in rows(path)}


def test_server_that_changes_its_films_during_a_run_ends_it(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(module, "film_source", lambda _: "invented-films@1a2b")
    with pytest.raises(OtherFilmsError, match=r"instead of invented films \(invented-films@1a2b"):
        collect(RUN_DATE, settings)


def test_catalogue_that_is_not_served_is_reported_in_one_sentence(settings: Settings):
    other = settings.model_copy(update={"tmdb_catalogue": "/data/films.parquet"})
    with pytest.raises(SettingsError, match=r"TMDB_CATALOGUE is set, but .* serves invented films"):
        collect(RUN_DATE, other)


def test_file_of_another_date_is_unchanged(settings: Settings, files: RunFiles):
    collect(RUN_DATE, settings)
    before = files.collected.read_bytes()
    collect(RUN_DATE - DAY, settings)
    assert files.collected.read_bytes() == before


def test_run_for_the_past_asks_only_for_the_source_and_uses_the_store(
    settings: Settings, store: FilmStore, tmdb_stand_in: RunningStandIn
):
    store.add(columns({"id": 1}, day=date(2026, 10, 1), run_date=date(2026, 10, 1)))
    store.add(columns({"id": 2}, day=date(2026, 10, 2), run_date=date(2026, 10, 2)))
    assert [row["id"] for row in rows(collect(date(2026, 10, 1), settings))] == ["1"]
    assert rows(collect(date(2026, 9, 1), settings)) == []
    assert tmdb_stand_in.stats()["by_kind"] == {"/genre/movie/list": 2}


def test_run_for_the_past_on_an_empty_store_is_refused(settings: Settings, files: RunFiles):
    with pytest.raises(NothingCollectedError, match="or run for today first"):
        collect(date(2025, 1, 1), settings)
    assert not files.collected.exists()


def test_votes_fetched_past_midnight_belong_to_the_run_date(settings: Settings, store: FilmStore):
    collect(RUN_DATE - DAY, settings)
    dates_of_votes = {vote["date"] for film in stored(store).values() for vote in film["votes"]}
    assert dates_of_votes == {RUN_DATE - DAY}


def test_content_older_than_tmdbs_terms_allow_is_deleted(settings: Settings, store: FilmStore):
    store.add(columns({"id": 1}, day=RUN_DATE - 181 * DAY))
    store.add(columns({"id": 2}, day=RUN_DATE - 100 * DAY))
    ages = {"movies_2026-05-01.csv": 181, "movies_cleaned_2026-05-01.csv": 181, "b.csv": 181}
    folder = Path(settings.data_dir)
    for name, days in (ages | {"movies_2026-06-01.csv": 179}).items():
        (folder / name).touch()
        written = moment().timestamp() - days * 86_400
        os.utime(folder / name, (written, written))
    collect(RUN_DATE, settings)
    assert {path.name for path in folder.iterdir()} == {
        "b.csv",
        "films",
        "movies_2026-06-01.csv",
        "movies_2026-11-23.csv",
        "movies_2026-11-23.json",
    }
    assert 1 not in stored(store)
    assert 2 in stored(store)


def test_films_about_to_expire_are_refreshed_and_not_deleted(unlimited: Settings, store: FilmStore):
    with Tmdb(unlimited) as tmdb:
        ids = [film["id"] for film in islice(tmdb.films("/movie/top_rated"), 20)]
    store.add(columns(*({"id": film_id} for film_id in ids), day=RUN_DATE - 181 * DAY))
    (store.folder / "changes.json").write_text('{"known_until": "2026-11-23"}')
    collect(RUN_DATE, unlimited)
    films = stored(store)
    assert set(ids) <= films.keys()
    assert {films[film_id]["fetched_at"].date() for film_id in ids} == {RUN_DATE}


def test_film_that_changed_after_an_earlier_attempt_is_fetched_again(
    unlimited: Settings, store: FilmStore
):
    with Tmdb(unlimited) as tmdb:
        changed = next(tmdb.changed(RUN_DATE - DAY))
    tried = columns({"id": changed}, day=RUN_DATE - DAY, run_date=RUN_DATE)
    store.add(tried)
    store.add(columns({"id": 1}, day=RUN_DATE - DAY))
    collect(RUN_DATE, unlimited)
    assert stored(store)[changed]["title"] != "The Lantern"


def test_record_expires_by_tmdbs_clock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    others = FilmStore(tmp_path / "data" / "films" / "127.0.0.1")
    later = RUN_DATE + LONGEST_CACHE + DAY
    monkeypatch.setattr(clock, "_clock", lambda: moment(later))
    arguments = ("--today", later.isoformat(), "--requests-per-second", "100000")
    with running(*arguments, "--films", "100") as stand_in:
        store = FilmStore(tmp_path / "data" / "films" / stand_in.source)
        for each in (store, others):
            each.add(columns({"id": 1}))
            each.add(columns({"id": 2}, day=later - DAY))
        collect(later, unpaced(stand_in.base_url, tmp_path / "data", collect_max_films=5))
    assert 1 not in stored(store)
    assert len(stored(store)) == 6
    assert stored(others).keys() == {2}


@pytest.mark.usefixtures("_no_waiting")
def test_unkind_tmdb_ends_no_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    for day in (RUN_DATE, RUN_DATE + 12 * DAY):
        monkeypatch.setattr(clock, "_clock", partial(moment, day))
        arguments = ("--today", day.isoformat(), "--requests-per-second", "100000")
        with running(*arguments, "--films", "60", "--unkind") as stand_in:
            settings = unpaced(stand_in.base_url, tmp_path / "data", collect_max_films=None)
            assert rows(collect(day, settings))
        report = read_json(RunFiles(Path(settings.data_dir), day).collect_report)
        assert report["failing"]
        assert report["validation"]["records"] == report["films"] > 0
    # The changes of the last days name a film that was merged with another, and have a null id.
    assert report["gone"] > 0
    assert report["unusable_entries"] > 0


@pytest.mark.parametrize("days", [-500, -3, 3, 5000])
def test_jumped_clock_is_reported_and_nothing_is_lost(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, days: int
):
    collect(RUN_DATE, settings)
    before = content(Path(settings.data_dir))
    jumped = moment(RUN_DATE + timedelta(days=days))
    monkeypatch.setattr(clock, "_clock", lambda: jumped)
    with pytest.raises(ClockError, match="set the clock"):
        collect(jumped.date(), settings)
    assert content(Path(settings.data_dir)) == before


@pytest.mark.usefixtures("_no_waiting")
@pytest.mark.parametrize("kind", ["500", "cut", "not_json"])
def test_failed_run_leaves_no_file_and_keeps_the_fetched_films(
    settings: Settings, files: RunFiles, store: FilmStore, tmdb_stand_in: RunningStandIn, kind: str
):
    with (
        tmdb_stand_in.faults({"kind": kind, "after": FILMS}),  # then TMDB is down
        pytest.raises(TmdbUnavailableError),
    ):
        collect(RUN_DATE, settings)
    assert not files.collected.exists()
    came = stored(store)
    assert 0 < len(came) < FILMS
    tmdb_stand_in.forget()
    assert len(rows(collect(RUN_DATE, settings))) == FILMS
    assert served(tmdb_stand_in) == FILMS - len(came)


@pytest.mark.usefixtures("_no_waiting")
@pytest.mark.parametrize("kind", ["400", "401", "404_6", "500", "not_json", "null"])
def test_film_that_always_fails_is_named_and_left_for_a_later_day(
    settings: Settings, files: RunFiles, store: FilmStore, tmdb_stand_in: RunningStandIn, kind: str
):
    with Tmdb(settings) as tmdb:
        bad = next(tmdb.films("/movie/popular"))["id"]
    store.add(columns({"id": bad, "title": "Known"}, day=RUN_DATE - 9 * DAY))
    fault = {"kind": kind, "field": "id", "path": f"/3/movie/{bad}", "exact": True}
    with tmdb_stand_in.faults(fault):
        collected = rows(collect(RUN_DATE, settings))
        assert len(collected) == FILMS - 1
        assert stored(store)[bad]["title"] == "Known"
        failing = read_json(files.collect_report)["failing"]
        assert failing.keys() == {str(bad)}
        assert failing[str(bad)]["problem"].startswith("TMDB ")
        assert failing[str(bad)]["next_day"] == "2026-11-24"
        tmdb_stand_in.forget()
        files.collect_report.unlink()
        collect(RUN_DATE, settings)
        # The rest of today's runs leave it alone.
        assert read_json(files.collect_report)["failing"] == failing
        assert tmdb_stand_in.stats()["faults"] == {}


def test_film_that_failed_is_tried_again_on_its_day(settings: Settings, store: FilmStore):
    with Tmdb(settings) as tmdb:
        bad = next(tmdb.films("/movie/popular"))["id"]
    store.add(columns({"id": 1, "release_date": "2010-01-01"}, day=RUN_DATE - DAY))
    FailingFilms(store.folder).update({bad: "TMDB answered HTTP 500"}, (), RUN_DATE - DAY)
    collect(RUN_DATE, settings)
    assert bad in stored(store)
    assert FailingFilms(store.folder).ids == frozenset()


@pytest.mark.usefixtures("_no_waiting")
def test_run_in_which_too_many_films_fail_ends_with_their_ids(
    settings: Settings, files: RunFiles, store: FilmStore, tmdb_stand_in: RunningStandIn
):
    with Tmdb(settings) as tmdb:
        ids = first_films(tmdb, RUN_DATE, FILMS)[:6]
    faults = [{"kind": "500", "path": f"/3/movie/{each}", "exact": True} for each in ids]
    with (
        tmdb_stand_in.faults(*faults),
        pytest.raises(TooManyFailuresError, match=r"raise COLLECT_MAX_BAD_SHARE$") as caught,
    ):
        collect(RUN_DATE, settings)
    assert all(str(each) in str(caught.value) for each in ids)
    assert not files.collected.exists()
    assert FailingFilms(store.folder).ids == frozenset()  # the fault may be TMDB's


def test_part_that_tmdb_leaves_out_is_kept_and_counted_apart(
    settings: Settings, files: RunFiles, store: FilmStore, tmdb_stand_in: RunningStandIn
):
    with Tmdb(settings) as tmdb:
        film_id = next(tmdb.films("/movie/popular"))["id"]
    store.add(columns({"id": film_id}, day=RUN_DATE - 9 * DAY))
    before = stored(store)[film_id]["credits"]
    path = f"/3/movie/{film_id}"
    with tmdb_stand_in.faults(
        {"kind": "missing_field", "field": "credits", "path": path, "exact": True},
        {"kind": "404", "path": f"{path}/credits", "exact": True},
    ):
        collect(RUN_DATE, settings)
    report = read_json(files.collect_report)["validation"]
    assert (report["missing_parts"], report["bad"]) == ({"credits": 1}, 0)
    film = stored(store)[film_id]
    assert film["title"] != "The Lantern"
    assert (film["credits"], film["credits_at"]) == (before, moment(RUN_DATE - 9 * DAY))


def test_film_that_tmdb_names_as_changed_and_has_deleted_is_gone(
    unlimited: Settings, files: RunFiles, store: FilmStore, tmdb_stand_in: RunningStandIn
):
    few = unlimited.model_copy(update={"collect_max_films": FILMS})
    with Tmdb(unlimited) as tmdb:
        deleted = next(tmdb.changed(RUN_DATE - DAY))
    store.add(columns({"id": deleted}, {"id": 1}, day=RUN_DATE - DAY))
    empty: Iterator[Any] = iter(())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(refresh_module, "listed", lambda *_: empty)  # changes come first
        patch.setattr(Tmdb, "changed", lambda *_: iter([deleted]))
        with tmdb_stand_in.faults({"kind": "404", "path": f"/3/movie/{deleted}", "exact": True}):
            collect(RUN_DATE, few)
    assert deleted not in stored(store)
    assert deleted not in {int(row["id"]) for row in rows(files.collected)}
    report = read_json(files.collect_report)
    assert (report["gone"], report["deleted"]) == (1, [deleted])


@pytest.mark.usefixtures("_no_waiting")
@pytest.mark.parametrize("kind", ["null", "missing_field", "wrong_type"])
def test_entry_of_a_list_without_an_id_is_skipped_and_counted(
    settings: Settings, files: RunFiles, store: FilmStore, tmdb_stand_in: RunningStandIn, kind: str
):
    store.add(columns({"id": 1, "release_date": "2010-01-01"}, day=RUN_DATE - DAY))
    lists = ("popular", "now_playing", "upcoming", "changes")
    faults = [
        {"kind": kind, "field": "id", "entries": 1, "first": 1, "path": f"/3/movie/{name}"}
        for name in lists
    ]
    with tmdb_stand_in.faults(*faults):
        collect(RUN_DATE, settings)
    report = read_json(files.collect_report)
    assert report["unusable_entries"] == len(lists)
    assert report["films"] == FILMS
    assert tmdb_stand_in.stats()["by_kind"]["/movie/changes"] <= 2


@pytest.mark.usefixtures("_no_waiting")
@pytest.mark.parametrize(
    ("path", "number"), [("/movie/popular", 2), ("/movie/upcoming", 1), ("/movie/changes", 1)]
)
def test_page_of_a_list_that_always_fails_is_left_out_and_named(
    unlimited: Settings, store: FilmStore, files: RunFiles, path: str, number: int
):
    store.add(columns({"id": 1, "release_date": "2010-01-01"}, day=RUN_DATE - DAY))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(refresh_module, "POPULAR_FILMS", 40)
        fail_page(patch, path, number)
        collect(RUN_DATE, unlimited)
    report = read_json(files.collect_report)
    assert len(report["failed_pages"]) == 1
    assert next(iter(report["failed_pages"])).startswith(f"page {number} of {path}")
    assert report["films"] > FILMS
    # The next run reads the list of changes with the failed page again.
    known_until = RUN_DATE - DAY if path == "/movie/changes" else RUN_DATE
    assert read_json(store.folder / "changes.json") == {"known_until": known_until.isoformat()}


@pytest.mark.usefixtures("_no_waiting")
def test_passing_faults_do_not_change_the_result(
    settings: Settings, store: FilmStore, tmdb_stand_in: RunningStandIn, tmp_path: Path
):
    kinds = (
        "429", "429_retry_after", "500", "503", "cut", "truncated", "not_json",
        "missing_field", "wrong_type",
    )  # fmt: skip
    collect(RUN_DATE, settings)
    faulty = settings.model_copy(update={"data_dir": str(tmp_path / "faulty")})
    with tmdb_stand_in.faults(*({"kind": kind, "share": 0.1} for kind in kinds)):
        collect(RUN_DATE, faulty)
    assert film_store(faulty, tmdb_stand_in.source).digest() == store.digest()


def test_run_continues_with_a_new_key_after_a_revoked_one(
    settings: Settings, store: FilmStore, tmdb_stand_in: RunningStandIn
):
    halfway = collect(RUN_DATE, settings.model_copy(update={"collect_max_films": FILMS // 2}))
    assert len(rows(halfway)) == FILMS // 2
    with tmdb_stand_in.revoked(TMDB_KEY):
        with pytest.raises(TmdbError, match="check TMDB_API_KEY") as caught:
            collect(RUN_DATE, settings)
        assert TMDB_KEY not in str(caught.value)
        assert len(stored(store)) == FILMS // 2
        tmdb_stand_in.forget()
        renewed = settings.model_copy(update={"tmdb_api_key": SecretStr("f" * 32)})
        assert len(rows(collect(RUN_DATE, renewed))) == FILMS
    assert served(tmdb_stand_in) == FILMS // 2


@pytest.mark.usefixtures("_no_waiting")
def test_changed_format_of_tmdb_fails_the_run(
    settings: Settings, files: RunFiles, tmdb_stand_in: RunningStandIn
):
    with (
        tmdb_stand_in.faults({"kind": "wrong_type", "field": "runtime", "path": "/3/movie/1"}),
        pytest.raises(BadAnswersError, match="runtime: another form"),
    ):
        collect(RUN_DATE, settings)
    assert not files.collected.exists()
    assert not files.collect_report.exists()


@pytest.mark.usefixtures("_no_waiting")
def test_empty_lists_of_tmdb_are_reported_in_one_sentence(
    settings: Settings, files: RunFiles, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(Tmdb, "films", lambda *_, **__: iter(()))
    with pytest.raises(NothingCollectedError, match="check TMDB_BASE_URL"):
        collect(RUN_DATE, settings)
    assert not files.collected.exists()


def test_unwritable_folder_is_found_before_any_request(
    settings: Settings, tmdb_stand_in: RunningStandIn, tmp_path: Path
):
    (tmp_path / "a file").touch()
    unwritable = settings.model_copy(update={"data_dir": str(tmp_path / "a file" / "data")})
    with pytest.raises(DataFileError, match=r"cannot be written .*; change DATA_DIR"):
        collect(RUN_DATE, unwritable)
    assert tmdb_stand_in.stats()["requests"] == 0


def test_command_line_reports_an_error_in_one_sentence(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, tmp_path: Path
):
    monkeypatch.setattr(
        module, "pipeline_settings", lambda: unpaced("http://127.0.0.1:1/3", tmp_path)
    )
    monkeypatch.setattr(TmdbSession, "_sleep", lambda *_: None)
    assert main(["--date", "2026-11-23"]) == 1
    assert "check TMDB_BASE_URL and the network" in caplog.records[-1].getMessage()
    assert caplog.records[-1].exc_info is None
