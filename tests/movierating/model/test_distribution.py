from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from movierating.model.distribution import (
    SCORED_LEVELS,
    NormalisedErrors,
    Numbers,
    RatingDistributions,
    crps,
    intervals,
)

LEVELS = np.linspace(0, 1, 41)


def skewed(count: int, seed: int = 1) -> Numbers:
    """Return random errors around 0; the negative ones are larger."""
    rng = np.random.default_rng(seed)
    errors = rng.gamma(2.0, 0.5, count)
    return np.asarray(1.0 - errors, float)


@pytest.fixture(scope="module")
def errors() -> NormalisedErrors:
    """Return the distribution of skewed errors that grow with the half-width."""
    half_widths = np.random.default_rng(2).uniform(0.4, 1.6, 4000)
    return NormalisedErrors.of(half_widths * (skewed(4000) + 0.5 * half_widths), half_widths)


@pytest.mark.parametrize("half_width", [0.4, 1.0, 1.6])
def test_quantiles_and_chances_are_those_of_new_errors(errors: NormalisedErrors, half_width: float):
    found = RatingDistributions(6.0, half_width, errors)
    ratings = 6.0 + half_width * (skewed(20_000, seed=3) + 0.5 * half_width)
    for level in (0.05, 0.1, 0.5, 0.9, 0.95):
        assert np.mean(ratings < found.quantile(level)) == pytest.approx(level, abs=0.03)
    for threshold in (5.5, 6.0, 6.5, 7.0):
        expected = np.mean(ratings >= threshold)
        assert float(found.at_least(threshold)) == pytest.approx(expected, abs=0.03)


def test_chance_of_a_quantile_is_the_rest_of_its_level(errors: NormalisedErrors):
    found = RatingDistributions(np.full(3, 5.0), np.array([0.5, 0.8, 1.0]), errors)
    for level in (0.03, 0.1, 0.25, 0.5, 0.75, 0.99):
        thresholds = found.quantile(level)
        chances = [float(found.at_least(float(each))[at]) for at, each in enumerate(thresholds)]
        assert chances == pytest.approx([1 - level] * 3, abs=1e-3)


@pytest.mark.parametrize("forecast", [0.0, 0.4, 6.3, 9.8, 10.0])
@pytest.mark.parametrize("half_width", [0.05, 0.7, 30.0])
def test_distribution_is_monotone_and_stays_between_0_and_10(
    errors: NormalisedErrors, forecast: float, half_width: float
):
    found = RatingDistributions(forecast, half_width, errors)
    quantiles = [float(found.quantile(level)) for level in LEVELS]
    assert all(low <= high for low, high in pairwise(quantiles))
    assert 0 <= quantiles[0] <= quantiles[-1] <= 10
    chances = [float(found.at_least(rating)) for rating in np.linspace(0, 10, 101)]
    assert all(likely >= rare for likely, rare in pairwise(chances))
    assert chances[0] == 1
    assert all(0 <= chance <= 1 for chance in chances)


@pytest.mark.parametrize(
    ("rating", "chance"), [(-5.0, 1.0), (0.0, 1.0), (10.01, 0.0), (float("inf"), 0.0)]
)
def test_no_rating_is_outside_0_to_10(errors: NormalisedErrors, rating: float, chance: float):
    found = RatingDistributions(np.array([0.5, 9.5]), np.array([3.0, 3.0]), errors)
    assert found.at_least(rating).tolist() == [chance, chance]


def test_forecasts_near_10_leave_a_chance_of_10():
    found = RatingDistributions(9.8, 1.0, NormalisedErrors.of(np.linspace(-1, 1, 99), np.ones(99)))
    assert float(found.quantile(0.9)) == 10
    assert float(found.at_least(10)) == pytest.approx(0.4, abs=0.01)


def test_few_errors_have_no_trend_and_reach_to_the_largest():
    found = NormalisedErrors.of([-0.5, 0.1, 0.3], [1.0, 0.5, 0.3])
    assert found.trend == 0
    assert (found.quantiles[0], found.quantiles[-1]) == (-0.5, 1.0)


def test_equal_half_widths_have_no_trend():
    assert NormalisedErrors.of(skewed(2000), np.ones(2000)).trend == 0


def test_tail_of_few_errors_is_as_likely_as_a_new_error_beyond_them():
    # A new error is the largest of ten with probability 1/10.
    found = NormalisedErrors.of(np.arange(9.0), np.ones(9))
    assert float(found.quantile(0.9, 1.0)) == pytest.approx(8.0)
    assert float(found.quantile(0.1, 1.0)) == pytest.approx(0.0)


def test_json_keeps_the_distribution(errors: NormalisedErrors):
    assert NormalisedErrors.from_json(errors.to_json()) == errors
    assert len(errors.quantiles) < 500


@pytest.mark.parametrize(
    "raw",
    [
        {"quantiles": [0.0], "trend": 0},
        {"quantiles": [1.0, 0.5], "trend": 0},
        {"quantiles": [0.0, float("nan")], "trend": 0},
        {"quantiles": [0.0, float("inf")], "trend": 0},
        {"quantiles": [0.0, 1.0], "trend": float("nan")},
    ],
)
def test_quantiles_that_are_no_distribution_are_refused(raw: Any):
    with pytest.raises(ValueError, match="quantiles"):
        NormalisedErrors.from_json(raw)


def test_interval_reaches_from_the_10th_to_the_90th_percentile(errors: NormalisedErrors):
    forecasts, half_widths = np.array([5.0, 6.0]), np.array([0.5, 1.0])
    found = RatingDistributions(forecasts, half_widths, errors)
    low, high = intervals(forecasts, half_widths, errors)
    assert (low.tolist(), high.tolist()) == (
        found.quantile(0.1).tolist(),
        found.quantile(0.9).tolist(),
    )


def test_interval_without_a_distribution_is_symmetric():
    low, high = intervals(np.array([5.0, 9.5]), np.array([0.5, 1.0]), None)
    assert (low.tolist(), high.tolist()) == ([4.5, 8.5], [5.5, 10.0])


def test_crps_of_a_certain_forecast_is_its_absolute_error():
    certain = np.tile([5.0, 7.0], (len(SCORED_LEVELS), 1))
    assert crps(certain, [5.5, 6.0]).tolist() == pytest.approx([0.5, 1.0])


def test_crps_of_a_normal_distribution_is_near_its_formula():
    # With standard deviation 1 and the rating in the middle, it is (sqrt(2) - 1) / sqrt(pi).
    draws = np.random.default_rng(4).normal(0, 1, 100_000)
    quantiles = np.quantile(draws, SCORED_LEVELS)[:, None]
    assert float(crps(quantiles, [0.0])[0]) == pytest.approx(0.2337, abs=0.005)


def test_crps_prefers_the_right_distribution():
    ratings = np.random.default_rng(5).normal(6, 0.5, 2000)

    def mean_crps(middle: float, spread: float) -> float:
        draws = np.random.default_rng(6).normal(middle, spread, 50_000)
        quantiles = np.quantile(draws, SCORED_LEVELS)[:, None]
        return float(crps(np.tile(quantiles, len(ratings)), ratings).mean())

    best = mean_crps(6, 0.5)
    assert best < min(mean_crps(6, 0.25), mean_crps(6, 1.0), mean_crps(6.4, 0.5))
