from datetime import UTC, date, datetime, timedelta
from email.utils import parsedate_to_datetime

import pytest
import requests

from sandbox.tmdb.process import running


@pytest.mark.parametrize("days", [-900, 4000])
def test_answers_are_dated_by_the_stand_ins_clock(days: int):
    today: date = datetime.now(UTC).date() + timedelta(days=days)
    with running("--today", today.isoformat(), "--films", "10") as stand_in:
        answer = requests.get(f"{stand_in.base_url}/genre/movie/list", timeout=10)
    (dated,) = answer.headers["Date"].split("\n")
    expected = datetime.now(UTC) + timedelta(days=days)
    assert abs(parsedate_to_datetime(dated) - expected) < timedelta(minutes=5)
