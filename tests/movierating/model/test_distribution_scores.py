import numpy as np
import pytest

from movierating.model.distribution import NormalisedErrors, RatingDistributions
from movierating.model.distribution_scores import (
    ChanceScores,
    DistributionScores,
    score_distributions,
)

FILMS = 4000


def test_scores_of_a_few_films_are_those_by_hand():
    found = ChanceScores.of(7.0, [0.8, 0.4, 0.1, 0.5], [7.0, 6.9, 5.0, 8.0])
    assert (found.rating, found.share) == (7.0, 0.5)
    assert found.brier == pytest.approx((0.04 + 0.16 + 0.01 + 0.25) / 4, abs=1e-4)
    assert found.base_brier == 0.25
    (only,) = found.bins
    assert (only.chance, only.share, only.films) == (0.45, 0.5, 4)
    assert found.off == pytest.approx(0.05)


def test_reliable_probabilities_are_off_by_little_and_better_than_the_base_rate():
    rng = np.random.default_rng(1)
    chances = rng.beta(1, 3, FILMS)
    ratings = np.where(rng.random(FILMS) < chances, 7.5, 6.0)
    found = ChanceScores.of(7.0, chances, ratings)
    assert found.off < 0.02
    assert found.brier < found.base_brier
    assert sum(each.films for each in found.bins) == FILMS
    assert [each.chance for each in found.bins] == sorted(each.chance for each in found.bins)


def test_probabilities_that_are_too_high_are_off_by_the_difference():
    rng = np.random.default_rng(2)
    ratings = np.where(rng.random(FILMS) < 0.25, 7.5, 6.0)
    found = ChanceScores.of(7.0, np.full(FILMS, 0.45), ratings)
    assert found.off == pytest.approx(0.2, abs=0.03)
    assert found.brier > found.base_brier


def test_distributions_are_scored_at_6_7_and_8():
    rng = np.random.default_rng(3)
    errors = rng.normal(0, 0.5, FILMS)
    forecasts = rng.normal(6.5, 0.7, FILMS)
    ones = np.ones(FILMS)
    right = RatingDistributions(forecasts, ones, NormalisedErrors.of(errors, ones))
    ratings = forecasts + rng.permutation(errors)
    found = score_distributions(right, ratings)
    assert found.films == FILMS
    assert [each.rating for each in found.at_least] == [6.0, 7.0, 8.0]
    assert max(each.off for each in found.at_least) < 0.03
    assert found.crps < np.abs(ratings - forecasts).mean()
    # A distribution that is too wide or too low has larger scores.
    wide = RatingDistributions(forecasts, np.full(FILMS, 2.0), right.errors)
    low = RatingDistributions(forecasts - 0.4, ones, right.errors)
    for wrong in (wide, low):
        worse = score_distributions(wrong, ratings)
        assert worse.crps > found.crps + 0.02
        assert worse.at_least[1].brier > found.at_least[1].brier


def test_one_film_can_be_scored():
    found = DistributionScores.of({7.0: [0.3]}, [0.4], [6.8])
    assert (found.films, found.crps) == (1, 0.4)
    assert found.at_least[0].brier == pytest.approx(0.09)


def test_fields_of_a_newer_version_are_ignored():
    found = DistributionScores.of({7.0: [0.3]}, [0.4], [6.8])
    assert DistributionScores.model_validate(found.model_dump() | {"new": 1}) == found
