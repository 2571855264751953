"""Score predicted distributions against the ratings that films got: reliability, Brier score, CRPS.

Both the evaluation of a model and the forecast ledger use these scores.
"""

from collections.abc import Iterator, Mapping
from typing import Final, Self

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field

from movierating.model.distribution import (
    SCORED_LEVELS,
    STATED_RATINGS,
    Numbers,
    RatingDistributions,
    crps,
)

_MAX_BINS: Final = 10
_MIN_BIN: Final = 10  # films; the share of fewer is noise
_DIGITS: Final = 4


class _Part(BaseModel):
    # Stored for years, and read by older and newer versions of this code.
    model_config = ConfigDict(frozen=True, extra="ignore")


class ReliabilityBin(_Part):
    """A group of films for which similar probabilities were forecast."""

    chance: float = Field(description="mean forecast probability")
    share: float = Field(description="share of the films that got the rating or more")
    films: int


class ChanceScores(_Part):
    """The scores of the forecast probabilities of one rating or more."""

    rating: float
    share: float = Field(description="share of the films that got the rating or more")
    brier: float = Field(
        description="mean squared difference between the probability and the outcome (0 or 1)"
    )
    base_brier: float = Field(
        description="the same score, if the probability of every film were `share`"
    )
    off: float = Field(
        description="mean absolute difference between forecast probability and share, over the bins"
    )
    bins: tuple[ReliabilityBin, ...]

    @classmethod
    def of(cls, rating: float, chances: npt.ArrayLike, ratings: npt.ArrayLike) -> Self:
        """Score the forecast probabilities of `rating` or more, for one or more films.

        Args:
            rating: The rating that the probabilities are about.
            chances: The forecast probabilities, shape (films,).
            ratings: The ratings that the films got, shape (films,).
        """
        said = np.asarray(chances, float)
        happened = (np.asarray(ratings, float) >= rating).astype(float)
        share = happened.mean()
        bins = tuple(_bins(said, happened))
        gaps = [each.films * abs(each.chance - each.share) for each in bins]
        return cls(
            rating=rating,
            share=_rounded(share),
            brier=_rounded(np.mean((said - happened) ** 2)),
            base_brier=_rounded(share * (1 - share)),
            off=_rounded(sum(gaps) / len(said)),
            bins=bins,
        )


class DistributionScores(_Part):
    """The scores of the predicted distributions of some films."""

    films: int
    crps: float = Field(
        description="continuous ranked probability score, in rating points: the error of a "
        "distribution; for a forecast without uncertainty, the mean absolute error"
    )
    at_least: tuple[ChanceScores, ...] = Field(
        description="scores of the probabilities of 6, 7 and 8 or more"
    )

    @classmethod
    def of(
        cls, chances: Mapping[float, npt.ArrayLike], crps: npt.ArrayLike, ratings: npt.ArrayLike
    ) -> Self:
        """Score the distributions of one or more films.

        Args:
            chances: For each rating, the forecast probabilities of this rating or more, shape
                (films,).
            crps: The continuous ranked probability score of each film, shape (films,).
            ratings: The ratings that the films got, shape (films,).
        """
        return cls(
            films=len(np.asarray(ratings)),
            crps=_rounded(np.asarray(crps, float).mean()),
            at_least=tuple(
                ChanceScores.of(rating, chances[rating], ratings) for rating in sorted(chances)
            ),
        )


def score_distributions(
    distributions: RatingDistributions, ratings: npt.ArrayLike
) -> DistributionScores:
    """Score predicted distributions against the ratings that the films got, shape (films,)."""
    return DistributionScores.of(
        {rating: distributions.at_least(rating) for rating in STATED_RATINGS},
        crps([distributions.quantile(level) for level in SCORED_LEVELS], ratings),
        ratings,
    )


def _bins(chances: Numbers, happened: Numbers) -> Iterator[ReliabilityBin]:
    """Sort the films by probability, and cut them into bins of equal size."""
    order = np.argsort(chances, kind="stable")
    count = min(_MAX_BINS, max(len(order) // _MIN_BIN, 1))
    for rows in np.array_split(order, count):
        yield ReliabilityBin(
            chance=_rounded(chances[rows].mean()),
            share=_rounded(happened[rows].mean()),
            films=len(rows),
        )


def _rounded(value: float | np.floating) -> float:
    # The scores are part of a version's files, and their last digits may differ between machines.
    return round(float(value), _DIGITS)
