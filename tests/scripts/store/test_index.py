import numpy as np
import pytest

from scripts.store.index import days_since_1970, ints, is_last
from tests.support.bundles import RUN_DATE
from tests.support.films import columns, moment


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("id", 1),
        ("vote_count", 60),
        ("fetched_at", round(moment().timestamp() * 1000)),
        ("run_date", days_since_1970(RUN_DATE)),
    ],
)
def test_numbers_times_and_dates_become_integers(name: str, value: int):
    found = ints(columns({}, run_date=RUN_DATE), name)
    assert found.dtype == np.int64
    assert found.tolist() == [value]


def test_null_becomes_the_given_value():
    assert ints(columns({}), "run_date", -1).tolist() == [-1]


def test_last_row_of_equal_keys_is_marked():
    films, days = np.array([1, 1, 1, 2, 2]), np.array([7, 7, 8, 8, 8])
    assert is_last(films).tolist() == [False, False, True, False, True]
    assert is_last(films, days).tolist() == [False, True, True, False, True]
    assert is_last(films[:0]).tolist() == []
