import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import count, pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psutil
import pytest

from movierating.settings import Settings
from sandbox.tmdb.process import RunningStandIn, running
from scripts import backfill as module
from scripts.backfill import REPORT, DateRangeError, backfill, fill, finish, main, plan
from scripts.runtime import clock
from scripts.runtime.storage import read_json, write_json
from scripts.store.film_store import FilmStore, film_store
from scripts.tmdb import ingest as ingest_module
from scripts.tmdb import slices as slices_module
from scripts.tmdb.client import MAX_PAGE, PAGE_SIZE, Tmdb
from scripts.tmdb.errors import TmdbError
from scripts.tmdb.failures import FailingFilms
from scripts.tmdb.session import TmdbSession
from scripts.tmdb.slices import SLICE_FILMS, Slice, slice_query
from tests.support.bundles import RUN_DATE
from tests.support.failing_page import fail_page
from tests.support.films import columns, moment, stored
from tests.support.shifting_list import lose_first_film
from tests.support.stand_in import TMDB_KEY, unpaced

ROOT = Path(__file__).parents[2]
FIRST, LAST = date(2005, 1, 1), date(2005, 5, 31)  # the stand-in has about 80 films, on 5 pages
PATIENCE_SECONDS = 240  # time limit of a separate backfill process, even on a busy machine


@pytest.fixture
def settings(tmdb_stand_in: RunningStandIn, tmp_path: Path) -> Settings:
    tmdb_stand_in.forget()
    return unpaced(tmdb_stand_in.base_url, tmp_path / "data")


@pytest.fixture
def store(settings: Settings, tmdb_stand_in: RunningStandIn) -> FilmStore:
    return film_store(settings, tmdb_stand_in.source)


@pytest.fixture
def listed(settings: Settings) -> set[int]:
    """List the ids of the TMDB stand-in's films released from `FIRST` to `LAST`."""
    query = {
        "primary_release_date.gte": FIRST.isoformat(),
        "primary_release_date.lte": LAST.isoformat(),
    }
    with Tmdb(settings) as tmdb:
        return {film["id"] for film in tmdb.films("/discover/movie", query)}


def served(stand_in: RunningStandIn) -> int:
    count: int = stand_in.stats()["by_kind"].get("/movie/{id}", 0)
    return count


def store_after_every(films: int, patch: pytest.MonkeyPatch) -> None:
    """Make the backfill store the films in batches of this size, however fast they arrive."""
    patch.setattr(ingest_module, "time", SimpleNamespace(monotonic=count().__next__))
    patch.setattr(ingest_module, "_STORE_EVERY_SECONDS", films)


def leftovers(store: FilmStore) -> list[str]:
    return [path.name for path in store.folder.iterdir() if path.suffix != ".parquet"]


def test_plan_cuts_films_by_release_date_until_each_slice_can_be_listed(
    settings: Settings, listed: set[int]
):
    slices = plan(settings, FIRST, LAST, slice_films=20)
    assert len(slices) > 3
    assert sum(part.films for part in slices) == len(listed)
    assert all(part.films <= 20 for part in slices)
    assert slices[0].first == FIRST
    assert slices[-1].last == LAST
    for part, following in pairwise(slices):
        assert following.first == part.last + timedelta(days=1)


def test_slices_stay_far_below_the_last_page_of_tmdb():
    assert SLICE_FILMS * 2 <= MAX_PAGE * PAGE_SIZE


def test_range_with_more_films_than_tmdb_counts_is_cut(
    settings: Settings, listed: set[int], monkeypatch: pytest.MonkeyPatch
):
    def capped(self: Tmdb, path: str, number: int, **query: str | int) -> Any:
        listing = page(self, path, number, **query)
        return listing._replace(total=min(listing.total, 20))

    page = Tmdb.page
    monkeypatch.setattr(slices_module, "MAX_PAGE", 1)
    monkeypatch.setattr(Tmdb, "page", capped)
    slices = plan(settings, FIRST, LAST, slice_films=20)
    assert all(part.films < 20 for part in slices)
    assert sum(part.films for part in slices) == len(listed)


def test_day_with_more_films_than_tmdb_lists_is_reported(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    page = Tmdb.page
    monkeypatch.setattr(Tmdb, "page", lambda *of, **query: page(*of, **query)._replace(total=10**4))
    assert len(plan(settings, FIRST, FIRST)) == 1
    assert "TMDB lists only 10000 of the films released on 2005-01-01" in caplog.text


@pytest.mark.parametrize(
    ("first", "last"), [(LAST, FIRST), (date(2099, 1, 1), None), (None, date(1800, 1, 1))]
)
def test_reversed_range_is_refused_before_any_request(
    settings: Settings,
    store: FilmStore,
    tmdb_stand_in: RunningStandIn,
    first: date | None,
    last: date | None,
):
    tmdb_stand_in.forget()
    with pytest.raises(DateRangeError, match=r"is after the last one .*; exchange the two, or"):
        backfill(settings, first, last, 0)
    assert tmdb_stand_in.stats()["requests"] == 0
    assert not any(Path(str(store.folder)).glob("*"))


def test_single_day_is_a_slice_whatever_its_number_of_films(
    settings: Settings,
):
    slices = plan(settings, FIRST, FIRST + timedelta(days=2), slice_films=0)
    assert [part.first for part in slices] == [part.last for part in slices]
    assert len(slices) == 3


def test_films_with_few_votes_can_be_left_out(
    settings: Settings, store: FilmStore, listed: set[int]
):
    (part,) = plan(settings, FIRST, LAST, min_votes=100)
    assert 0 < part.films < len(listed)
    fill(part, settings)
    films = stored(store).values()
    assert len(films) == part.films
    assert min(film["vote_count"] for film in films) >= 100


def test_default_plan_covers_the_oldest_and_upcoming_films(settings: Settings):
    slices = plan(settings)
    assert slices[0].first == date(1874, 1, 1)
    assert slices[-1].last.year >= RUN_DATE.year + 5


def test_slice_can_be_passed_between_tasks(settings: Settings):
    (part,) = plan(settings, FIRST, LAST)
    assert Slice.from_json(part.as_json()) == part
    assert all(isinstance(value, str) for value in part.as_json().values())


def test_complete_backfill_deletes_the_progress_of_those_that_were_cancelled_before(
    settings: Settings, store: FilmStore
):
    (part,) = plan(settings, FIRST, LAST)
    before = replace(part, planned_at=part.planned_at - timedelta(days=2)).progress_name
    later = replace(part, planned_at=part.planned_at + timedelta(hours=1)).progress_name
    for name in (before, later):
        write_json(store.folder / name, {})
    finish([fill(part, settings)], settings)
    assert set(leftovers(store)) == {later, REPORT}


def test_parallel_workers_fill_one_store(settings: Settings, store: FilmStore, listed: set[int]):
    slices = plan(settings, FIRST, LAST, slice_films=20)
    with ThreadPoolExecutor(2) as workers:
        outcomes = list(workers.map(lambda part: fill(part, settings), slices))
    total = finish(outcomes, settings)
    assert total == {"listed": len(listed), "missing": 0, "gone": 0, "failed": 0, "bad": 0}
    assert stored(store).keys() == listed
    assert leftovers(store) == [REPORT]


def test_backfill_fetches_every_film_once_with_its_parts(
    settings: Settings, store: FilmStore, listed: set[int], tmdb_stand_in: RunningStandIn
):
    tmdb_stand_in.forget()
    total = backfill(settings, FIRST, LAST, 0)
    assert total == {"listed": len(listed), "missing": 0, "gone": 0, "failed": 0, "bad": 0}
    assert served(tmdb_stand_in) == len(listed)
    films = stored(store)
    assert films.keys() == listed
    assert {film["run_date"] for film in films.values()} == {None}
    assert leftovers(store) == [REPORT]
    assert read_json(store.folder / REPORT) == total | {
        "faults": {},
        "missing_parts": {},
        "failing": {},
        "failed_pages": {},
    }


def test_fresh_film_is_not_refetched_but_an_old_one_is(
    settings: Settings, store: FilmStore, listed: set[int], tmdb_stand_in: RunningStandIn
):
    fresh, old = sorted(listed)[:2]
    store.add(columns({"id": fresh}, day=RUN_DATE - timedelta(days=6)))
    store.add(columns({"id": old}, day=RUN_DATE - timedelta(days=9)))
    tmdb_stand_in.forget()
    backfill(settings, FIRST, LAST, 0)
    assert served(tmdb_stand_in) == len(listed) - 1
    assert stored(store)[old]["fetched_at"] > moment(RUN_DATE - timedelta(days=1))


def test_complete_slice_sends_no_request(settings: Settings, tmdb_stand_in: RunningStandIn):
    (part,) = plan(settings, FIRST, LAST)
    outcome = fill(part, settings)
    tmdb_stand_in.forget()
    assert fill(part, settings) == outcome
    assert tmdb_stand_in.stats()["requests"] == 0


def test_slice_continues_where_a_revoked_key_stopped_it(
    settings: Settings, store: FilmStore, listed: set[int], tmdb_stand_in: RunningStandIn
):
    (part,) = plan(settings, FIRST, LAST)
    stopped_at = sorted(listed)[len(listed) // 2]

    class Revoked(Tmdb):
        def _answer(self, kind: str, ask: Any, number: int) -> Any:
            if number == stopped_at:
                raise TmdbError("TMDB refuses the key (HTTP 401); check TMDB_API_KEY")
            return super()._answer(kind, ask, number)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(slices_module, "Tmdb", Revoked)
        with pytest.raises(TmdbError, match="check TMDB_API_KEY"):
            fill(part, settings)
    came = set(stored(store))
    assert 0 < len(came) < len(listed)
    tmdb_stand_in.forget()
    fill(part, settings)
    assert stored(store).keys() == listed
    assert served(tmdb_stand_in) == len(listed) - len(came)


@pytest.mark.parametrize("kind", ["404_6", "500"])
def test_film_that_always_fails_does_not_stop_the_backfill(
    settings: Settings,
    store: FilmStore,
    listed: set[int],
    tmdb_stand_in: RunningStandIn,
    monkeypatch: pytest.MonkeyPatch,
    kind: str,
):
    monkeypatch.setattr(TmdbSession, "_sleep", lambda *_: None)
    bad = sorted(listed)[10]
    with tmdb_stand_in.faults({"kind": kind, "path": f"/3/movie/{bad}", "exact": True}):
        total = backfill(settings, FIRST, LAST, 0)
    assert total["failed"] == 1
    assert total["missing"] == 0
    assert stored(store).keys() == listed - {bad}
    assert read_json(store.folder / REPORT)["failing"].keys() == {str(bad)}
    assert FailingFilms(store.folder).ids == {bad}


@pytest.mark.parametrize("number", [1, 3])
def test_page_that_always_fails_does_not_stop_the_backfill(
    settings: Settings,
    store: FilmStore,
    listed: set[int],
    monkeypatch: pytest.MonkeyPatch,
    number: int,
):
    (part,) = plan(settings, FIRST, LAST)
    store_after_every(4, monkeypatch)
    fail_page(monkeypatch, "/discover/movie", number)
    total = finish([fill(part, settings)], settings)
    assert (total["missing"], total["failed"]) == (PAGE_SIZE, 0)
    assert len(stored(store)) == len(listed) - PAGE_SIZE
    (page,) = read_json(store.folder / REPORT)["failed_pages"]
    assert page == f"page {number} of /discover/movie (2005-01-01 to 2005-05-31)"


def test_entry_without_an_id_is_not_missing(settings: Settings, tmdb_stand_in: RunningStandIn):
    (part,) = plan(settings, FIRST, LAST)
    fault = {"kind": "null", "field": "id", "entries": 1, "first": 1}
    tmdb_stand_in.forget()
    with tmdb_stand_in.faults(fault | {"path": "/3/discover"}):
        progress = fill(part, settings)
    assert (progress["unusable"], progress["missing"]) == (1, 0)
    assert tmdb_stand_in.stats()["by_kind"]["/discover/movie"] == -(-part.films // 20)


def test_film_lost_with_a_damaged_file_is_fetched_again(
    settings: Settings, store: FilmStore, listed: set[int]
):
    (part,) = plan(settings, FIRST, LAST)
    fill(part, settings)
    damaged = next(Path(str(store.folder)).glob("*.parquet"))
    damaged.rename(damaged.with_suffix(".damaged"))
    assert len(stored(store)) < len(listed)
    fill(part, settings)
    assert stored(store).keys() == listed


def test_list_that_shifted_before_the_process_was_killed_is_read_again(
    settings: Settings, store: FilmStore, listed: set[int], monkeypatch: pytest.MonkeyPatch
):
    class KilledError(BaseException):
        pass

    def shifting(self: Tmdb, path: str, number: int, **query: str | int) -> Any:
        listing = page(self, path, number, **query)
        if number == 1:
            return listing._replace(films=listing.films[5:])
        # How soon the films of page 1 are stored depends on the machine's speed.
        if progress.exists() and read_json(progress)["page"] >= 1:
            raise KilledError
        return listing

    page = Tmdb.page
    (part,) = plan(settings, FIRST, LAST)
    progress = store.folder / part.progress_name
    monkeypatch.setattr(Tmdb, "page", shifting)
    store_after_every(4, monkeypatch)
    with pytest.raises(KilledError):
        fill(part, settings)
    monkeypatch.setattr(Tmdb, "page", page)
    assert fill(part, settings)["missing"] == 0
    assert stored(store).keys() == listed


def test_old_plan_is_not_resumed(
    settings: Settings, store: FilmStore, listed: set[int], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(module, "fill_slice", lambda *_: divmod(1, 0))
    with pytest.raises(ZeroDivisionError):
        backfill(settings, FIRST, LAST, 0)
    monkeypatch.undo()
    old = read_json(store.folder / "plan.json")
    for part in old["slices"]:
        part |= {"planned_at": moment(RUN_DATE - timedelta(days=8)).isoformat(), "films": "7"}
    write_json(store.folder / "plan.json", old)
    assert backfill(settings, FIRST, LAST, 0)["listed"] == len(listed)


def test_list_that_shifts_while_it_is_read_is_read_again(
    settings: Settings, store: FilmStore, listed: set[int], monkeypatch: pytest.MonkeyPatch
):
    read: list[int] = []

    def shifting(self: Tmdb, path: str, number: int, **query: str | int) -> Any:
        listing = page(self, path, number, **query)
        read.append(number)
        if read.count(number) == 1 and number == 3:
            return listing._replace(films=listing.films[5:])
        return listing

    page = Tmdb.page
    (part,) = plan(settings, FIRST, LAST)
    monkeypatch.setattr(Tmdb, "page", shifting)
    assert fill(part, settings)["missing"] == 0
    assert read.count(3) == 2
    assert stored(store).keys() == listed


def test_list_that_loses_a_film_while_it_is_read_loses_no_other(
    settings: Settings, store: FilmStore, listed: set[int], monkeypatch: pytest.MonkeyPatch
):
    (part,) = plan(settings, FIRST, LAST)
    read = lose_first_film(monkeypatch, "/discover/movie", after_page=2)
    progress = fill(part, settings)
    assert stored(store).keys() == listed
    assert (progress["listed"], progress["missing"]) == (len(listed) - 1, 0)
    assert read.count(1) == 2


def test_list_that_loses_a_film_while_the_backfill_is_interrupted_loses_no_other(
    settings: Settings, store: FilmStore, listed: set[int], monkeypatch: pytest.MonkeyPatch
):
    class KilledError(BaseException):
        pass

    def killed(self: Tmdb, path: str, number: int, **query: str | int) -> Any:
        if number == 3:
            raise KilledError
        return page(self, path, number, **query)

    page = Tmdb.page
    (part,) = plan(settings, FIRST, LAST)
    store_after_every(4, monkeypatch)
    with monkeypatch.context() as patch:
        patch.setattr(Tmdb, "page", killed)
        with pytest.raises(KilledError):
            fill(part, settings)
    before = stored(store).keys()
    assert before
    lose_first_film(monkeypatch, "/discover/movie", after_page=0).append(0)
    fill(part, settings)
    # Films arrive in any order, so the film that TMDB loses may not have been stored before.
    missing = listed - stored(store).keys()
    assert missing <= listed - before
    assert len(missing) <= 1


def test_film_that_is_counted_but_never_listed_is_reported(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    def one_too_many(*arguments: Any, **query: Any) -> Any:
        listing = page(*arguments, **query)
        return listing._replace(total=listing.total + 1)

    page = Tmdb.page
    (part,) = plan(settings, FIRST, LAST)
    monkeypatch.setattr(Tmdb, "page", one_too_many)
    assert fill(part, settings)["missing"] == 1
    assert "1 films that TMDB counts are on none of its pages" in caplog.text


@pytest.fixture(scope="module")
def paced() -> Iterator[RunningStandIn]:
    """Run a TMDB stand-in (a local imitation of TMDB) with today's real date.

    Tests that use it start other processes, whose date the tests cannot set.
    """
    with running("--requests-per-second", "100000") as stand_in:
        yield stand_in


@pytest.fixture
def paced_settings(
    paced: RunningStandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Settings:
    """Return settings for the TMDB stand-in `paced`, and use the real date in the test.

    The processes that the test starts have the real date too."""
    monkeypatch.setattr(clock, "_clock", lambda: datetime.now(UTC))
    paced.forget()
    return unpaced(paced.base_url, tmp_path / "data")


def start(
    settings: Settings, *options: str, per_second: int = 40, largest_file: int = 10**9
) -> "subprocess.Popen[bytes]":
    environment = {
        "DATA_DIR": settings.data_dir,
        "TMDB_API_KEY": TMDB_KEY,
        "TMDB_BASE_URL": settings.tmdb_base_url,
        "TMDB_REQUESTS_PER_SECOND": str(per_second),
    }
    days = ["--first", FIRST.isoformat(), "--last", LAST.isoformat()]
    command = [sys.executable, "-m", "scripts.backfill", *days, *options]
    process = subprocess.Popen(command, cwd=ROOT, env=os.environ | environment)
    psutil.Process(process.pid).rlimit(psutil.RLIMIT_FSIZE, (largest_file, largest_file))
    return process


def test_killed_backfill_repeats_only_films_that_it_had_not_stored(
    paced: RunningStandIn, paced_settings: Settings, tmp_path: Path
):
    undisturbed = paced_settings.model_copy(update={"data_dir": str(tmp_path / "undisturbed")})
    backfill(undisturbed, FIRST, LAST, 0)
    needed = served(paced)
    paced.forget()
    store = film_store(paced_settings, paced.source)
    lost = 0
    for films in (20, 55):
        before, begun = len(stored(store)), served(paced)
        process = start(paced_settings, per_second=20)
        wait_until_served(paced, films)
        process.send_signal(signal.SIGKILL)
        process.wait()
        kept = len(stored(store)) - before
        assert kept > 0
        lost += served(paced) - begun - kept
    backfill(paced_settings, FIRST, LAST, 0)
    # The stand-in may count requests that were under way after the process was killed.
    assert served(paced) - needed <= lost + 2 * paced_settings.collect_workers
    assert store.digest() == film_store(undisturbed, paced.source).digest()


def wait_until_served(stand_in: RunningStandIn, films: int) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while served(stand_in) < films:
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_full_disk_is_reported_in_one_sentence_and_nothing_is_lost(
    paced: RunningStandIn, paced_settings: Settings, capfd: pytest.CaptureFixture[str]
):
    backfill(paced_settings, FIRST, LAST, 300)
    store = film_store(paced_settings, paced.source)
    before = store.digest()
    assert start(paced_settings, largest_file=5_000).wait(PATIENCE_SECONDS) == 1
    said = capfd.readouterr().err
    assert "cannot be written (file too large); change DATA_DIR or free the disk" in said
    assert "Traceback" not in said
    assert store.digest() == before
    assert not list(Path(str(store.folder)).glob(".*"))
    total = backfill(paced_settings, FIRST, LAST, 0)
    assert len(stored(store)) == total["listed"] > 60


@pytest.mark.parametrize("min_votes", [0, 1], ids=["same", "other"])
def test_two_concurrent_backfills_fill_one_store(
    paced: RunningStandIn, paced_settings: Settings, min_votes: int
):
    process = start(paced_settings)
    wait_until_served(paced, 1)
    limited = paced_settings.model_copy(update={"tmdb_requests_per_second": 40})
    backfill(limited, FIRST, LAST, min_votes)
    assert process.wait(PATIENCE_SECONDS) == 0
    films = stored(film_store(paced_settings, paced.source))
    with Tmdb(paced_settings) as tmdb:
        query = slice_query(FIRST, LAST, 0)
        assert films.keys() == {film["id"] for film in tmdb.films("/discover/movie", query)}


def test_command_line_shows_progress_and_the_total(
    paced_settings: Settings, capfd: pytest.CaptureFixture[str]
):
    assert start(paced_settings, "--min-votes", "200").wait(PATIENCE_SECONDS) == 0
    said = capfd.readouterr().err
    assert re.search(r"films from 2005-01-01 to 2005-05-31 in 1 slices", said)
    assert re.search(r"\d+ of \d+ films, [\d.]+film/s, 00:\d\d left", said)
    assert re.search(r"the backfill is complete: {'listed': \d+, 'missing': 0", said)
    assert TMDB_KEY not in said


def test_command_line_reports_an_error_in_one_sentence(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, tmp_path: Path
):
    monkeypatch.setattr(
        module, "pipeline_settings", lambda: unpaced("http://127.0.0.1:1/3", tmp_path)
    )
    monkeypatch.setattr(TmdbSession, "_sleep", lambda *_: None)
    assert main(["--first", "2022-01-01"]) == 1
    with pytest.raises(SystemExit):
        main(["--min-votes", "-1"])
    assert "check TMDB_BASE_URL and the network" in caplog.records[-1].getMessage()
