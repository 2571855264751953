from datetime import timedelta

import pytest

from movierating.settings import SettingsError
from scripts.runtime.clock import past_or_today, today


@pytest.mark.parametrize("days_ago", [0, 1, 4000])
def test_run_date_may_be_today_or_earlier(days_ago: int):
    day = today() - timedelta(days=days_ago)
    assert past_or_today(day) == day


def test_future_run_date_is_refused_and_the_message_names_today():
    with pytest.raises(SettingsError, match=str(today())):
        past_or_today(today() + timedelta(days=1))
