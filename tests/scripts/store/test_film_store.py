import multiprocessing
import os
import random
import shutil
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from movierating.films.source import TMDB, catalogue_films, invented_films
from movierating.settings import Settings, load_settings
from scripts.runtime.storage import DataFileError, write_bytes
from scripts.store import film_store as module
from scripts.store import store_files
from scripts.store.film_store import FilmStore, film_store, other_sources
from scripts.store.index import Index
from scripts.store.store_files import StoreCorruptError, read_columns
from tests.support.bundles import RUN_DATE
from tests.support.films import columns, moment, releases, stored, tmdb_store

DAY = timedelta(days=1)
FILMS_EACH = 20  # of each concurrent writer


@pytest.fixture
def store(tmp_path: Path) -> FilmStore:
    return FilmStore(tmp_path / "films")


def votes(row: dict[str, Any]) -> list[tuple[str, float | None, int]]:
    return [
        (vote["date"].isoformat(), vote["vote_average"], vote["vote_count"])
        for vote in row["votes"]
    ]


def parquet(store: FilmStore) -> list[Path]:
    return sorted(Path(str(store.folder)).glob("*.parquet"))


def test_each_source_has_its_own_store(tmp_path: Path):
    settings = load_settings(Settings, data_dir=str(tmp_path))
    others = (invented_films("1a2b"), catalogue_films("to_2022", "3c4d"))
    assert other_sources(settings, TMDB) == []
    for source in (TMDB, *others):
        film_store(settings, source).add(columns({"id": 1}))
    assert other_sources(settings, TMDB) == sorted(others)
    assert {path.name for path in (tmp_path / "films").iterdir()} == {TMDB, *others}


def test_store_without_films_supports_all_operations(store: FilmStore):
    store.add(columns())
    assert stored(store) == {}
    assert len(store.index()) == 0
    assert store.purge(moment()) == 0
    store.compact()
    assert not Path(str(store.folder)).exists()


def test_film_is_read_as_it_was_added(store: FilmStore):
    films = columns({"id": 1}, {"id": 2, "overview": "여름의\r끝 \u2028 ✓", "runtime": None})
    store.add(films)
    assert list(stored(store).values()) == films.to_pylist()


def test_newest_record_counts_in_any_order_of_writing(store: FilmStore):
    new, old = ({"id": 1, "title": title} for title in ("new", "old"))
    store.add(columns(new, day=RUN_DATE))
    store.add(columns(old, day=RUN_DATE - DAY))
    assert stored(store)[1]["title"] == "new"


def test_votes_of_all_records_are_merged_by_date(store: FilmStore):
    for days, average, count in [(0, 8.0, 30), (9, 6.0, 10), (2, 7.0, 20)]:
        film = {"id": 1, "vote_average": average, "vote_count": count}
        store.add(columns(film, *([{"id": 2}] if days else []), day=RUN_DATE - days * DAY))
    films = stored(store)
    assert votes(films[1]) == [
        ("2026-11-14", 6.0, 10),
        ("2026-11-21", 7.0, 20),
        ("2026-11-23", 8.0, 30),
    ]
    assert votes(films[2]) == [("2026-11-14", 7.25, 60), ("2026-11-21", 7.25, 60)]


def test_rating_that_returned_to_an_earlier_value_survives_partial_merging(store: FilmStore):
    for days, count in [(3, 10), (1, 10)]:
        store.add(columns({"id": 1, "vote_count": count}, day=RUN_DATE - days * DAY))
    store.compact()
    store.add(columns({"id": 1, "vote_count": 20}, day=RUN_DATE - 2 * DAY))
    (table,) = store.as_of(RUN_DATE)
    assert table["vote_count"].to_pylist() == [10]


def test_votes_of_the_later_of_two_records_on_one_day_count(store: FilmStore):
    for hour, count in [(9, 20), (7, 10)]:
        store.add(columns({"id": 1, "vote_count": count}, hour=hour))
    assert votes(stored(store)[1]) == [("2026-11-23", 7.25, 20)]


@pytest.mark.parametrize(
    ("days_before", "expected"),
    [(0, (8.0, 30)), (1, (7.0, 20)), (4, (6.0, 10)), (9, (6.0, 10)), (10, (None, None))],
)
def test_films_as_of_a_day_have_the_rating_known_then(
    store: FilmStore, days_before: int, expected: tuple[float, int]
):
    for days, average, count in [(9, 6.0, 10), (3, 7.0, 20), (0, 8.0, 30)]:
        film = {"id": 1, "vote_average": average, "vote_count": count}
        store.add(columns(film, day=RUN_DATE - days * DAY))
    (table,) = store.as_of(RUN_DATE - days_before * DAY)
    (row,) = table.to_pylist()
    assert (row["vote_average"], row["vote_count"]) == expected


def test_films_as_of_a_day_have_their_first_release(store: FilmStore):
    premiere = releases(("IT", 1, "2026-09-03"), ("KR", 3, "2026-10-01"))
    store.add(columns({"id": 1, "release_dates": premiere}))
    (table,) = store.as_of(RUN_DATE)
    assert table["release_date"].to_pylist() == [date(2026, 9, 3)]
    assert stored(store)[1]["release_date"] == date(2026, 10, 1)  # as TMDB sent it


def test_index_has_the_dates_of_each_films_newest_record(store: FilmStore):
    store.add(columns({"id": 5}, {"id": 3, "release_date": ""}, day=RUN_DATE - DAY))
    store.add(columns({"id": 5, "vote_count": 70}, run_date=RUN_DATE))
    index = store.index()
    assert index.ids.tolist() == [3, 5]
    assert index.fetched_at[1] == moment().timestamp() * 1000
    assert index.run_day.tolist() == [-1, (RUN_DATE - date(1970, 1, 1)).days]
    assert index.release_day.tolist() == [
        Index.UNDATED,
        (date(2026, 10, 1) - date(1970, 1, 1)).days,
    ]
    assert [index.fetched(film) for film in (3, 5, 4, 6)] == [
        moment(RUN_DATE - DAY).timestamp() * 1000,
        moment().timestamp() * 1000,
        0,
        0,
    ]


def test_films_of_a_run_are_those_whose_newest_record_it_fetched(store: FilmStore):
    yesterday = RUN_DATE - DAY
    store.add(columns({"id": 1}, {"id": 2}, {"id": 3}, day=yesterday, run_date=yesterday))
    store.add(columns({"id": 2}, {"id": 4}, run_date=RUN_DATE))
    store.add(columns({"id": 3}))  # fetched by a backfill
    found = {
        day: sorted(film for films in store.films(day) for film in films["id"].to_pylist())
        for day in (yesterday, RUN_DATE, RUN_DATE + DAY)
    }
    assert found == {yesterday: [1], RUN_DATE: [2, 4], RUN_DATE + DAY: []}


def test_merging_small_files_keeps_the_content(store: FilmStore, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module, "SMALL_FILES", 8)
    for at in range(8 + 3):
        store.add(columns({"id": at + 1}))
    assert len(parquet(store)) == 4
    before = store.digest()
    store.compact()
    assert len(parquet(store)) == 1
    assert store.digest() == before
    assert sorted(stored(store)) == list(range(1, 12))


def test_superseded_records_are_merged_away_but_their_votes_kept(
    store: FilmStore, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(module, "_SMALL_BYTES", 0)  # no file is small
    store.add(columns({"id": 1, "vote_count": 10}, {"id": 2}, {"id": 3}, day=RUN_DATE - DAY))
    store.compact()
    assert len(parquet(store)) == 1
    store.add(columns({"id": 1, "vote_count": 20}))
    store.compact()
    assert len(parquet(store)) == 2  # one of four rows is outdated, too few to rewrite all files
    store.add(columns({"id": 2, "vote_count": 30}))
    store.compact()
    (path,) = parquet(store)
    assert read_columns(path, ["id"]).num_rows == 3
    assert [count for _, _, count in votes(stored(store)[1])] == [10, 20]


def test_purge_deletes_unrefreshed_films_and_old_records_of_refreshed_ones(store: FilmStore):
    old = {"id": 2, "release_date": "2020-10-01"}
    store.add(columns({"id": 1}, old | {"vote_count": 10}, day=RUN_DATE - 181 * DAY))
    store.add(columns(old, {"id": 3}, day=RUN_DATE - 180 * DAY))
    assert store.purge(moment() - 180 * DAY) == 1
    assert sorted(stored(store)) == [2, 3]
    assert sum(read_columns(path, ["id"]).num_rows for path in parquet(store)) == 2
    assert [count for _, _, count in votes(stored(store)[2])] == [10, 60]
    assert store.purge(moment() - 180 * DAY) == 0


def test_purge_empties_a_store_of_expired_films(store: FilmStore):
    store.add(columns({"id": 1}))
    assert store.purge(moment() + 181 * DAY) == 1
    assert parquet(store) == []


def test_digest_depends_on_the_films_only(tmp_path: Path):
    one, two, other = (FilmStore(tmp_path / name) for name in ("one", "two", "other"))
    one.add(columns({"id": 1}, {"id": 2}))
    two.add(columns({"id": 2}, day=RUN_DATE - DAY))
    two.add(columns({"id": 1}, day=RUN_DATE - DAY, run_date=RUN_DATE))
    other.add(columns({"id": 1}, {"id": 2, "runtime": 102}))
    assert one.digest() == two.digest() != other.digest()


def test_partial_file_of_a_killed_writer_is_deleted(store: FilmStore):
    store.add(columns({"id": 1}))
    old, new = (Path(str(store.folder)) / f".{name}.parquet.1.partial" for name in "ab")
    for path, age in ((old, 7200), (new, 60)):
        path.write_bytes(b"half")
        os.utime(path, (time.time() - age,) * 2)
    store.compact()
    assert (old.exists(), new.exists()) == (False, True)


@pytest.mark.parametrize("step", ["compact", "purge"])
def test_damaged_file_stops_merging_and_nothing_is_deleted(store: FilmStore, step: str):
    for at in range(3):
        store.add(columns({"id": at + 1}, day=RUN_DATE - 200 * DAY))
    raw = bytearray(parquet(store)[0].read_bytes())
    raw[200] ^= 1
    parquet(store)[0].write_bytes(raw)
    before = {path.name: path.read_bytes() for path in parquet(store)}
    with pytest.raises(StoreCorruptError):
        store.compact() if step == "compact" else store.purge(moment())
    left = {path.name: path.read_bytes() for path in parquet(store)}
    assert before.items() <= left.items()


class KilledError(BaseException):
    """Imitates the kill of a process; the code under test does not catch it."""


@pytest.fixture(scope="module")
def six_files(tmp_path_factory: pytest.TempPathFactory) -> FilmStore:
    """Create a store of six files with two records of each film; tests must not change it."""
    store = FilmStore(tmp_path_factory.mktemp("six") / "films")
    for at in range(6):
        store.add(columns({"id": at // 2 + 1, "vote_count": at + 1}, day=RUN_DATE + at * DAY))
    return store


@pytest.mark.parametrize("writes", range(8))
def test_process_killed_while_merging_leaves_the_same_films(
    six_files: FilmStore, store: FilmStore, monkeypatch: pytest.MonkeyPatch, writes: int
):
    monkeypatch.setattr(module, "_FILE_BYTES", 600)
    shutil.copytree(str(six_files.folder), str(store.folder))
    before, digest = stored(store), store.digest()
    left = writes

    def dying(*arguments: Any) -> None:
        nonlocal left
        if left == 0:
            raise KilledError
        left -= 1
        write_bytes(*arguments)

    def dying_unlink(path: Path, missing_ok: bool = False) -> None:
        nonlocal left
        if path.suffix == ".parquet" and left == 0:
            raise KilledError
        left -= path.suffix == ".parquet"
        unlink(path, missing_ok)

    unlink = Path.unlink
    monkeypatch.setattr(store_files, "write_bytes", dying)
    monkeypatch.setattr(Path, "unlink", dying_unlink)
    with pytest.raises(KilledError):
        store.compact()
    monkeypatch.undo()
    again = FilmStore(store.folder)
    assert stored(again) == before
    again.compact()
    assert again.digest() == digest
    assert stored(again) == before


def test_full_disk_is_reported_in_one_sentence_and_the_store_unchanged(
    store: FilmStore, monkeypatch: pytest.MonkeyPatch
):
    store.add(columns({"id": 1}))
    before = {path.name: path.read_bytes() for path in parquet(store)}

    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(DataFileError, match=r"no space left on device.* free the disk"):
        store.add(columns({"id": 2}))
    monkeypatch.undo()
    assert {path.name: path.read_bytes() for path in store.folder.iterdir()} == before


def _write_many(folder: str, seed: int) -> None:
    """Add 20 films in separate files; after every third film, merge the files of all writers.

    With each film, also add a record of film 1, which all writers share."""
    store, chance = FilmStore(Path(folder)), random.Random(seed)
    for at in range(FILMS_EACH):
        film_id = seed * 1000 + at
        store.add(columns({"id": film_id}, {"id": 1, "vote_count": chance.randint(1, 10**6)}))
        if at % 3 == 2:
            store.compact()


def test_concurrent_writers_that_merge_lose_nothing(tmp_path: Path):
    context = multiprocessing.get_context("spawn")
    other = context.Process(target=_write_many, args=(str(tmp_path), 1))
    other.start()
    while other.is_alive() and not any(tmp_path.glob("*.parquet")):
        time.sleep(0.01)
    reads = 0
    with ThreadPoolExecutor(1) as pool:
        own = pool.submit(_write_many, str(tmp_path), 2)
        while other.is_alive() or not own.done():
            reads += len(stored(FilmStore(tmp_path))) > 0
            time.sleep(0.02)
    own.result()
    assert other.exitcode == 0
    assert reads > 1
    expected = {1, *(seed * 1000 + at for seed in (1, 2) for at in range(FILMS_EACH))}
    films = stored(FilmStore(tmp_path))
    assert films.keys() == expected
    assert all(votes(film) == [("2026-11-23", 7.25, 60)] for n, film in films.items() if n > 1)


def test_reader_continues_while_files_are_merged(store: FilmStore):
    for at in range(5):
        store.add(columns({"id": at + 1}))
    reading = store.films()
    first = next(reading)
    FilmStore(store.folder).compact()
    ids = [first["id"][0].as_py(), *(film for table in reading for film in table["id"].to_pylist())]
    assert sorted(ids) == [1, 2, 3, 4, 5]


events = st.lists(
    st.tuples(
        st.sampled_from(["add", "compact", "reopen"]),
        st.integers(1, 4),  # film id
        st.integers(0, 20),  # days before `RUN_DATE`
        st.integers(1, 5),  # number of votes
    ),
    max_size=14,
)


@settings(max_examples=25)
@given(events)
def test_store_behaves_like_a_dictionary(events: list[tuple[str, int, int, int]]):
    with TemporaryDirectory() as folder:
        store = FilmStore(Path(folder) / "films")
        newest: dict[int, tuple[datetime, int]] = {}
        history: dict[int, dict[date, int]] = {}
        # Each event has another hour, so that no two records have the same time.
        for hour, (event, film, days, count) in enumerate(events):
            day = RUN_DATE - days * DAY
            if event == "compact":
                store.compact()
            elif event == "reopen":
                store = FilmStore(store.folder)
            else:
                store.add(columns({"id": film, "vote_count": count}, day=day, hour=hour))
                at = moment(day, hour)
                newest[film] = max(newest.get(film, (at, count)), (at, count))
                history.setdefault(film, {})[day] = count
        found = stored(store)
        assert {film: row["vote_count"] for film, row in found.items()} == {
            film: count for film, (_, count) in newest.items()
        }
        for film, by_day in history.items():
            for day in by_day:
                known = [count for seen, count in sorted(by_day.items()) if seen <= day]
                (label,) = (
                    row["vote_count"]
                    for table in store.as_of(day)
                    for row in table.to_pylist()
                    if row["id"] == film
                )
                assert label == known[-1]


def test_object_deleted_while_it_is_read_is_no_error(
    bucket_settings: Settings, monkeypatch: pytest.MonkeyPatch
):
    there = bucket_settings.model_copy(
        update={"data_dir": f"s3://{bucket_settings.s3_bucket_name}/pipeline"}
    )
    store = tmdb_store(there)
    for film in (1, 2):
        store.add(columns({"id": film}))
    files, before = FilmStore._files, store._files()
    FilmStore(store.folder).compact()
    listings = iter([before])
    monkeypatch.setattr(FilmStore, "_files", lambda self: next(listings, None) or files(self))
    assert sorted(stored(tmdb_store(there))) == [1, 2]


def test_store_in_s3_behaves_like_a_local_one(bucket_settings: Settings) -> None:
    there = bucket_settings.model_copy(
        update={"data_dir": f"s3://{bucket_settings.s3_bucket_name}/pipeline"}
    )
    store = tmdb_store(there)
    assert len(store.index()) == 0
    for days, count in [(2, 10), (0, 30), (1, 20)]:
        tmdb_store(there).add(columns({"id": 1, "vote_count": count}, day=RUN_DATE - days * DAY))
    store.add(columns({"id": 2}))
    digest = store.digest()
    assert [count for _, _, count in votes(stored(store)[1])] == [10, 20, 30]
    store.compact()
    assert len(list(store.folder.glob("*.parquet"))) == 1
    assert store.digest() == digest
    assert store.purge(moment() - DAY) == 0
    assert store.purge(moment() + DAY) == 2


def test_deleted_film_is_gone_for_all_readers(store: FilmStore):
    store.add(columns({"id": 1}, {"id": 2}, day=RUN_DATE - DAY, run_date=RUN_DATE))
    only_two = FilmStore(store.folder.parent / "two")
    only_two.add(columns({"id": 2}))
    store.bury({1: moment()})
    for _ in ("as written", "merged"):
        assert stored(store).keys() == {2}
        assert store.index().ids.tolist() == [2]
        assert pa.concat_tables(store.as_of(RUN_DATE))["id"].to_pylist() == [2]
        assert pa.concat_tables(store.films(RUN_DATE))["id"].to_pylist() == [2]
        assert store.digest() == only_two.digest()
        store.compact()
    assert len(parquet(store)) == 1


def test_older_record_does_not_bring_a_deleted_film_back(store: FilmStore):
    store.bury({1: moment()})
    store.compact()
    store.add(columns({"id": 1}, day=RUN_DATE - DAY))
    store.compact()
    assert stored(store) == {}
    assert len(store.index()) == 0


@pytest.mark.parametrize("is_merged", [False, True])
def test_newer_record_brings_a_deleted_film_back_without_its_old_parts(
    store: FilmStore, *, is_merged: bool
):
    store.add(columns({"id": 1}, day=RUN_DATE - 2 * DAY))
    store.bury({1: moment(RUN_DATE - DAY)})
    if is_merged:
        store.merge_written()
    store.add(columns({"id": 1, "title": "Back", "credits": None}))
    film = stored(store)[1]
    assert film["title"] == "Back"
    assert film["credits"] is None
    assert film["keywords_at"] == moment()
    assert [vote["date"] for vote in film["votes"]] == [RUN_DATE - 2 * DAY, RUN_DATE]


def test_tombstone_expires_with_the_records_of_its_film(store: FilmStore):
    store.add(columns({"id": 1}, day=RUN_DATE - 2 * DAY))
    store.bury({1: moment(RUN_DATE - DAY)})
    store.purge(moment(RUN_DATE - 2 * DAY + DAY / 2))
    assert stored(store) == {}
    store.purge(moment())
    assert parquet(store) == []
