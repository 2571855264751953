from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from scripts.runtime.storage import write_bytes
from scripts.store.film_store import FilmStore
from scripts.store.schema import PART_TIMES
from scripts.store.store_files import StoreCorruptError, checksum
from tests.support.bundles import RUN_DATE
from tests.support.films import columns, moment, stored

DAY = timedelta(days=1)


@pytest.fixture
def store(tmp_path: Path) -> FilmStore:
    return FilmStore(tmp_path / "films")


def parquet(store: FilmStore) -> list[Path]:
    return sorted(Path(str(store.folder)).glob("*.parquet"))


@pytest.mark.parametrize("damage", ["flipped bit", "half", "empty", "garbage"])
def test_damaged_file_is_reported_in_one_sentence_and_others_stay(store: FilmStore, damage: str):
    store.add(columns(*({"id": at, "overview": "lantern " * at} for at in range(1, 40))))
    store.add(columns({"id": 40}))
    path, good = parquet(store)
    raw = bytearray(path.read_bytes())
    middle = len(raw) // 2
    raw[middle] ^= 1
    spoilt = {
        "flipped bit": bytes(raw),
        "half": bytes(raw[:middle]),
        "empty": b"",
        "garbage": b"x" * 99,
    }
    path.write_bytes(spoilt[damage])
    with pytest.raises(StoreCorruptError, match=rf"{path.name} is damaged; move it away"):
        list(store.films())
    if damage != "flipped bit":
        with pytest.raises(StoreCorruptError):
            store.index()
    path.rename(path.with_suffix(".damaged"))
    assert sorted(stored(store)) == [40]
    assert parquet(store) == [good]


def test_damaged_votes_of_an_older_record_are_never_returned(store: FilmStore):
    films = [{"id": film, "vote_count": 10 * film} for film in range(1, 200)]
    store.add(columns(*films, day=RUN_DATE - DAY))
    store.add(columns(*films))
    expected = [row["votes"] for row in stored(store).values()]
    path = parquet(store)[0]
    sound = path.read_bytes()
    for at in range(200, 4000, 190):
        raw = bytearray(sound)
        raw[-at] ^= 4
        path.write_bytes(raw)
        with suppress(StoreCorruptError):
            assert [row["votes"] for row in stored(store).values()] == expected, at


def test_unreadable_file_is_not_reported_as_damaged(
    store: FilmStore, monkeypatch: pytest.MonkeyPatch
):
    def refused(*_: Any, **__: Any) -> None:
        raise PermissionError(13, "Permission denied")

    store.add(columns({"id": 1}))
    monkeypatch.setattr(Path, "open", refused)
    with pytest.raises(PermissionError):
        store.index()


def test_file_of_version_1_0_0_is_read_as_it_was(store: FilmStore):
    """Such a file has no tombstones, no fame and no times of parts.

    A part is then as old as its record."""
    old = columns({"id": 1}, {"id": 2, "credits": None}, day=RUN_DATE - DAY)
    released = old.drop_columns([*PART_TIMES.values(), "deleted", "fame"])
    sink = pa.BufferOutputStream()
    pq.write_table(released, sink, compression="zstd", write_page_checksum=True)
    raw = sink.getvalue().to_pybytes()
    write_bytes(store.folder / f"{1:020}-{checksum(raw)}.parquet", raw)
    known = [row | {"deleted": None} for row in old.to_pylist()]
    assert list(stored(store).values()) == known
    assert len(store.index()) == 2
    store.add(columns({"id": 1, "credits": None}))
    store.compact()
    films = stored(store)
    assert films[1]["credits_at"] == moment(RUN_DATE - DAY)
    assert films[2]["credits"] is None
