import json
from datetime import timedelta

import numpy as np
import pytest

from movierating.ledger.records import (
    Forecast,
    Score,
    StatedDistribution,
    VersionErrors,
    last_before_release,
)
from movierating.model.distribution import (
    SCORED_LEVELS,
    NormalisedErrors,
    RatingDistributions,
    crps,
)
from tests.support.bundles import RUN_DATE
from tests.support.forecasts import ERRORS, forecast, scored, stated

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


def test_stated_distribution_is_that_of_the_prediction():
    errors = NormalisedErrors.of(np.random.default_rng(1).normal(0, 1, 500), np.ones(500))
    predicted = RatingDistributions(6.5, 0.7, errors)
    stated = StatedDistribution.of(predicted)
    assert list(stated.at_least) == [6, 7, 8]
    assert stated.at_least[7] == pytest.approx(float(predicted.at_least(7)), abs=1e-4)
    assert sorted(stated.quantiles) == list(stated.quantiles)
    quantiles = [[predicted.quantile(level)] for level in SCORED_LEVELS]
    assert stated.crps(6.1) == pytest.approx(crps(quantiles, [6.1])[0], abs=1e-3)


def test_whole_distribution_can_be_had_from_a_record_and_the_errors_of_its_version():
    errors = NormalisedErrors.of(np.random.default_rng(1).normal(0, 1, 2000), np.full(2000, 1.1))
    there = RatingDistributions(6.5, 0.7, errors)
    record = forecast(rating=6.5, distribution=StatedDistribution.of(there))
    read = VersionErrors.model_validate_json(VersionErrors.of(errors).model_dump_json())
    back = record.whole_distribution(read.normalised())
    assert back
    for at in np.linspace(0, 10, 41):
        assert back.at_least(at) == pytest.approx(float(there.at_least(at)), abs=1e-5)
        assert back.quantile(at / 10) == pytest.approx(float(there.quantile(at / 10)), abs=1e-5)


def test_whole_distribution_of_an_old_record_or_of_an_unknown_version_is_unknown():
    assert forecast().whole_distribution(ERRORS) is None  # recorded without the half-width
    assert forecast(distribution=stated(6.5, 0.7)).whole_distribution(None) is None
    assert forecast(distribution=None).whole_distribution(ERRORS) is None


def test_errors_that_are_no_distribution_are_refused():
    with pytest.raises(ValueError, match="not in order"):
        VersionErrors(quantiles=(1.0, 0.0), trend=0.0)


def test_distribution_is_read_as_it_was_written():
    made = forecast()
    assert made.distribution is not None
    assert Forecast.model_validate_json(made.model_dump_json()) == made


@pytest.mark.parametrize("record", [forecast(), scored()])
def test_record_of_version_1_0_0_has_no_distribution(record: Forecast | Score):
    old = record.model_dump(mode="json", exclude={"distribution", "at_least", "crps"})
    read = type(record).model_validate_json(json.dumps(old))
    assert set(read.model_dump(include={"distribution", "at_least", "crps"}).values()) == {None}
