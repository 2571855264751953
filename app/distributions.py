"""State a predicted distribution of a rating in an answer: its quantiles and probabilities."""

from collections.abc import Sequence

from app.schemas import Chance, Quantile
from movierating.model.distribution import STATED_LEVELS, STATED_RATINGS, RatingDistributions


def quantiles_of(distribution: RatingDistributions | None) -> list[Quantile] | None:
    """Return the quantiles of a film's distribution; None if there is no distribution."""
    if distribution is None:
        return None
    return [
        Quantile(level=level, rating=round(float(distribution.quantile(level)), 2))
        for level in STATED_LEVELS
    ]


def chances_of(
    distribution: RatingDistributions | None, at_least: Sequence[float]
) -> list[Chance] | None:
    """Return the probability of a rating or more; None if there is no distribution.

    Args:
        distribution: The distribution of one film.
        at_least: The ratings that the caller asks for, besides the ones that are always stated.
    """
    if distribution is None:
        return None
    return [
        Chance(rating=rating, probability=round(float(distribution.at_least(rating)), 3))
        for rating in sorted({*STATED_RATINGS, *at_least})
    ]
