"""Reject features that depend on the outcome they are meant to forecast.

A feature must use only what was known before a film's release. To check this, the feature vectors
are built twice, the second time with altered ratings, votes and revenues of later films. If the
vector of an earlier film changes, one of its features was computed from the future.
"""

from collections.abc import Callable
from datetime import date, timedelta
from math import floor
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from movierating.errors import ExplainedError
from movierating.model.features import Matrix
from movierating.model.target_encoding import Effects
from scripts.dataset.split import Sample, TimeSplit
from scripts.training.vectors import FilmVectors

# About this many training films are checked, and as many hold-out films. A leak is a bug that shows
# on any films, so a sample is enough, and it is faster.
_PROBED_FILMS: Final = 1_000
_OUTCOMES: Final = ("vote_average", "vote_count", "revenue")

BuildVectors = Callable[[TimeSplit, tuple[str, ...]], tuple[FilmVectors, Effects]]


class LeakError(ExplainedError, ValueError):
    """A feature of a film depends on ratings or votes of films that were released later."""

    def __init__(self, features: list[str], later: date) -> None:
        """Create the error for these features; outcomes were altered from the date `later` on."""
        super().__init__(
            f"training refuses {', '.join(features)}: changing the ratings and votes of films "
            f"released on {later} or later changes these features of films released before"
        )


def refuse_leaks(split: TimeSplit, features: tuple[str, ...], build: BuildVectors) -> None:
    """Check that the outcomes of later films do not affect the vectors of earlier films.

    Outcomes are ratings, votes and revenue. Outcomes of hold-out films must not affect any vector.
    Outcomes of the last year before the split date may affect only the vectors of hold-out films.

    Args:
        split: The training films and the hold-out films.
        features: Names of the features to check.
        build: The function that builds the vectors, such as `build_vectors`.

    Raises:
        LeakError: An outcome affects a vector that it must not affect.
    """
    probed = TimeSplit(_sampled(split.train), _sampled(split.holdout), split.split_date)
    original, _ = build(probed, features)
    last_year = split.split_date - timedelta(floor(original.year_days))
    for first_year, later in ((0, split.split_date), (1, last_year)):
        altered, _ = build(_with_other_outcomes(probed, later), features)
        kept = original.years >= first_year
        leaking = _differing(original.full[kept], altered.full[kept]) | _differing(
            original.form[kept], altered.form[kept]
        )
        if leaking.any():
            raise LeakError([features[at] for at in np.flatnonzero(leaking)], later)


def _sampled(sample: Sample) -> Sample:
    step = max(len(sample) // _PROBED_FILMS, 1)
    return Sample(sample.frame.iloc[::step])


def _with_other_outcomes(split: TimeSplit, later: date) -> TimeSplit:
    train, holdout = (Sample(_altered(side.frame, later)) for side in (split.train, split.holdout))
    return TimeSplit(train, holdout, split.split_date)


def _altered(frame: pd.DataFrame, later: date) -> pd.DataFrame:
    """Alter the ratings, votes and revenues of the films released on `later` or after it."""
    released_later = frame["release_date"] >= later.isoformat()
    others = {name: frame[name].where(~released_later, 1 + frame[name] / 3) for name in _OUTCOMES}
    return frame.assign(**others)


def _differing(first: Matrix, second: Matrix) -> npt.NDArray[np.bool_]:
    """Find the columns that differ in at least one row; two NaNs are equal. Shape (features,)."""
    same = (first == second) | (np.isnan(first) & np.isnan(second))
    differing: npt.NDArray[np.bool_] = ~same.all(axis=0)
    return differing
