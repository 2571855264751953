from pathlib import Path

from scripts.runtime.retention import Entry, expired
from tests.support.films import moment


def test_runs_of_a_year_stay_within_the_size_limit():
    runs = [
        Entry(Path(f"bundle_{day}"), moment().timestamp() - 86_400 * day, 10) for day in range(365)
    ]
    gone = list(expired(runs, moment(), keep_days=30, max_bytes=200))
    assert len(runs) - len(gone) == 20
    assert {entry.path for entry in gone} == {Path(f"bundle_{day}") for day in range(20, 365)}
