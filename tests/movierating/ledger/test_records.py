from datetime import timedelta

import pytest

from movierating.ledger.records import last_before_release
from tests.support.bundles import RUN_DATE
from tests.support.forecasts import forecast

DAY = timedelta(days=1)
RELEASE = RUN_DATE + 10 * DAY


@pytest.mark.parametrize("order", [1, -1])
def test_last_forecast_before_the_release_counts(order: int):
    days = [RELEASE - 9 * DAY, RELEASE - DAY, RELEASE, RELEASE + DAY][::order]
    found = last_before_release([forecast(1, day) for day in days], {1: RELEASE})
    assert found[1].day == RELEASE - DAY


def test_later_of_two_forecasts_on_a_day_counts():
    noon = forecast(1, rating=6.0)
    evening = forecast(1, rating=7.0, made_at=noon.made_at + timedelta(hours=6))
    assert last_before_release([evening, noon], {1: RELEASE})[1] == evening


def test_forecasts_after_a_release_that_moved_earlier_do_not_count():
    found = last_before_release(
        [forecast(1), forecast(1, RUN_DATE + 3 * DAY)], {1: RUN_DATE + 2 * DAY}
    )
    assert found[1].day == RUN_DATE


def test_film_without_a_forecast_before_its_release_has_none():
    assert last_before_release([forecast(1)], {1: RUN_DATE}) == {}
