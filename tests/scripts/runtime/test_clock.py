from datetime import timedelta

import pytest

from movierating.settings import SettingsError
from scripts.runtime.clock import past_or_today, today


@pytest.mark.parametrize("days_ago", [0, 1, 4000])
def test_today_and_the_past_can_be_run_for(days_ago: int):
    day = today() - timedelta(days=days_ago)
    assert past_or_today(day) == day


def test_future_is_refused_in_a_sentence_that_names_the_last_day_allowed():
    with pytest.raises(SettingsError, match=str(today())):
        past_or_today(today() + timedelta(days=1))
