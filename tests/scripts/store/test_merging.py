from datetime import timedelta
from itertools import permutations
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from scripts.store import merging as module
from scripts.store.film_store import FilmStore
from scripts.store.schema import compact_json
from tests.support.bundles import RUN_DATE
from tests.support.films import columns, moment, stored

DAY = timedelta(days=1)
CREDITS: dict[str, Any] = {"cast": [{"name": "Kim"}], "crew": []}


@pytest.fixture
def store(tmp_path: Path) -> FilmStore:
    return FilmStore(tmp_path / "films")


def without_credits(store: FilmStore, days: int, *ids: int) -> None:
    """Add records without credits, fetched some days before `RUN_DATE`."""
    films = ({"id": film_id, "credits": None} for film_id in ids)
    store.add(columns(*films, day=RUN_DATE - days * DAY))


def test_part_that_the_newest_record_lacks_is_kept_with_its_own_age(store: FilmStore):
    store.add(columns({"id": 1, "credits": CREDITS}, {"id": 2}, day=RUN_DATE - 9 * DAY))
    without_credits(store, 3, 1)
    without_credits(store, 0, 1)
    film = stored(store)[1]
    assert film["credits"] == compact_json(CREDITS)
    assert film["credits_at"] == moment(RUN_DATE - 9 * DAY)
    assert film["fetched_at"] == film["keywords_at"] == moment()
    of_the_day = pa.concat_tables(store.as_of(RUN_DATE))
    assert None not in of_the_day["credits"].to_pylist()


@pytest.mark.parametrize("order", list(permutations(range(4))), ids=str)
def test_kept_part_is_the_same_in_any_order_of_writing_and_merging(
    store: FilmStore, order: tuple[int, ...]
):
    records = [
        columns({"id": 1, "credits": None}),
        columns({"id": 1, "credits": CREDITS}, {"id": 2}, day=RUN_DATE - 5 * DAY),
        columns({"id": 1, "credits": None, "keywords": None}, day=RUN_DATE - 7 * DAY),
        columns({"id": 1, "credits": {"cast": [], "crew": []}}, day=RUN_DATE - 9 * DAY),
    ]
    for count, at in enumerate(order):
        store.add(records[at])
        if count % 2:
            store.merge_written()
    store.compact()
    films = stored(store)
    assert films.keys() == {1, 2}
    assert films[1]["credits"] == compact_json(CREDITS)
    assert films[1]["credits_at"] == moment(RUN_DATE - 5 * DAY)
    assert films[1]["keywords_at"] == moment()


def test_kept_part_is_deleted_once_it_is_too_old_and_the_film_stays(store: FilmStore):
    store.add(columns({"id": 1}, day=RUN_DATE - 100 * DAY))
    without_credits(store, 50, 1)
    store.compact()
    without_credits(store, 0, 1)
    assert store.purge(moment(RUN_DATE - 101 * DAY)) == 0
    assert stored(store)[1]["credits"] is not None
    assert store.purge(moment(RUN_DATE - 99 * DAY)) == 0
    film = stored(store)[1]
    assert film["credits"] is film["credits_at"] is None
    assert (film["title"], len(film["votes"])) == ("The Lantern", 3)


def test_parts_are_kept_in_groups_that_fit_into_memory(
    store: FilmStore, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(module, "_MOST_KEPT_PARTS", 2)
    store.add(columns(*({"id": film_id} for film_id in range(1, 8)), day=RUN_DATE - DAY))
    for film_id in range(1, 8):
        without_credits(store, 0, film_id)
    assert len(list(store.folder.glob("*.parquet"))) == 8
    films = stored(store)
    assert all(film["credits"] for film in films.values())
    assert {film["fetched_at"] for film in films.values()} == {moment()}
