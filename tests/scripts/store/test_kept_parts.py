from datetime import timedelta

import numpy as np
import pyarrow as pa

from scripts.store.kept_parts import NO_PART, drop_expired_parts, fill_part, find_parts
from tests.support.bundles import RUN_DATE
from tests.support.films import columns, moment


def test_newest_row_without_the_part_gets_it_from_the_newest_row_with_it():
    ids = np.asarray([7, 8, 7, 7, 8, 9])
    times = np.asarray([10, 10, 20, NO_PART, 30, NO_PART])
    newest = np.asarray([False, False, False, True, True, True])
    rows, sources = find_parts(ids, times, newest)
    assert (rows.tolist(), sources.tolist()) == ([3], [2])


def test_part_that_was_kept_gives_way_to_a_newer_one():
    ids, times = np.asarray([7, 7]), np.asarray([10, 20])
    rows, sources = find_parts(ids, times, np.asarray([True, False]))
    assert (rows.tolist(), sources.tolist()) == ([0], [1])


def test_store_without_any_part_lacks_none_that_could_be_kept():
    ids, times = np.asarray([7, 7]), np.asarray([NO_PART, NO_PART])
    rows, sources = find_parts(ids, times, np.asarray([False, True]))
    assert (len(rows), len(sources)) == (0, 0)


def test_part_is_filled_with_its_own_time_and_only_in_its_film():
    films = columns({"id": 1, "credits": None}, {"id": 2, "credits": None})
    older = columns({"id": 2}, day=RUN_DATE - timedelta(9))
    names = ["id", "credits", "credits_at"]
    one, two = fill_part(films, "credits", older.select(names)).to_pylist()
    assert one["credits"] is one["credits_at"] is None
    assert two["credits"] == older["credits"][0].as_py()
    assert two["credits_at"] == moment(RUN_DATE - timedelta(9))
    assert fill_part(films, "credits", older.select(names).slice(1)).equals(films)


def test_expired_part_is_dropped_and_the_others_stay():
    old = pa.array([moment(RUN_DATE - timedelta(200))], pa.timestamp("ms", "UTC"))
    films = columns({"id": 1})
    films = films.set_column(films.schema.get_field_index("credits_at"), "credits_at", old)
    (row,) = drop_expired_parts(films, moment(RUN_DATE - timedelta(180))).to_pylist()
    assert row["credits"] is row["credits_at"] is None
    assert row["keywords"] is not None
    assert row["keywords_at"] == moment()
