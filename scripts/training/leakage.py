"""Refuse features that know what they are to forecast.

Films are described twice, the second time with other ratings, votes and takings of those that open
later. A vector that changes with them was made from the future.
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

_PROBED_FILMS: Final = 1_000  # on each side: a leak is in the code, and shows on any films
_OUTCOMES: Final = ("vote_average", "vote_count", "revenue")

BuildVectors = Callable[[TimeSplit, tuple[str, ...]], tuple[FilmVectors, Effects]]


class LeakError(ExplainedError, ValueError):
    """Features depend on the outcome of films that were not released yet."""

    def __init__(self, features: list[str], later: date) -> None:
        """Say which, and how it was found."""
        super().__init__(
            f"training refuses {', '.join(features)}: changing the ratings and votes of films "
            f"released on {later} or later changes what describes the films released before"
        )


def refuse_leaks(split: TimeSplit, features: tuple[str, ...], build: BuildVectors) -> None:
    """Try out whether the outcome of later films enters the vectors of earlier ones.

    Held-out films must enter no vector at all, and the films of the last year before the split none
    of that year or an earlier one.

    Raises:
        LeakError: It does.
    """
    probed = TimeSplit(_some(split.train), _some(split.holdout), split.split_date)
    honest, _ = build(probed, features)
    last_year = split.split_date - timedelta(floor(honest.year_days))
    for first_year, later in ((0, split.split_date), (1, last_year)):
        altered, _ = build(_with_other_outcomes(probed, later), features)
        kept = honest.years >= first_year
        leaking = _differing(honest.full[kept], altered.full[kept]) | _differing(
            honest.form[kept], altered.form[kept]
        )
        if leaking.any():
            raise LeakError([features[at] for at in np.flatnonzero(leaking)], later)


def _some(sample: Sample) -> Sample:
    step = max(len(sample) // _PROBED_FILMS, 1)
    return Sample(sample.frame.iloc[::step])


def _with_other_outcomes(split: TimeSplit, later: date) -> TimeSplit:
    train, holdout = (Sample(_altered(side.frame, later)) for side in (split.train, split.holdout))
    return TimeSplit(train, holdout, split.split_date)


def _altered(frame: pd.DataFrame, later: date) -> pd.DataFrame:
    """The same films, but those that opened on a day or later came out otherwise."""
    opened_later = frame["release_date"] >= later.isoformat()
    others = {name: frame[name].where(~opened_later, 1 + frame[name] / 3) for name in _OUTCOMES}
    return frame.assign(**others)


def _differing(first: Matrix, second: Matrix) -> npt.NDArray[np.bool_]:
    same = (first == second) | (np.isnan(first) & np.isnan(second))
    differing: npt.NDArray[np.bool_] = ~same.all(axis=0)
    return differing
