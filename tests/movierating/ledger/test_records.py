from datetime import timedelta

import pytest

from movierating.ledger.records import counting
from tests.support.bundles import RUN_DATE
from tests.support.forecasts import forecast

DAY = timedelta(days=1)
OPENS = RUN_DATE + 10 * DAY


@pytest.mark.parametrize("order", [1, -1])
def test_last_forecast_before_the_release_counts(order: int):
    days = [OPENS - 9 * DAY, OPENS - DAY, OPENS, OPENS + DAY][::order]
    found = counting([forecast(1, day) for day in days], {1: OPENS})
    assert found[1].day == OPENS - DAY


def test_of_two_forecasts_of_a_day_the_later_one_counts():
    noon = forecast(1, rating=6.0)
    evening = forecast(1, rating=7.0, made_at=noon.made_at + timedelta(hours=6))
    assert counting([evening, noon], {1: OPENS})[1] == evening


def test_release_that_was_brought_forward_leaves_only_what_was_said_before_it():
    found = counting([forecast(1), forecast(1, RUN_DATE + 3 * DAY)], {1: RUN_DATE + 2 * DAY})
    assert found[1].day == RUN_DATE


def test_film_forecast_only_after_its_release_has_none_that_counts():
    assert counting([forecast(1)], {1: RUN_DATE}) == {}
