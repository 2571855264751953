"""The naive baselines: mean ratings of all films, of recent films, and of the main genre."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final, Self

import numpy as np
import numpy.typing as npt
import pandas as pd

NAIVE_BASELINES: Final = ("mean", "recent_mean", "genre_mean")
RECENT_YEARS: Final = 3


@dataclass(frozen=True)
class NaiveMeans:
    """Mean ratings of earlier films, used as naive forecasts that a model must beat.

    Attributes:
        mean: Mean rating of all films.
        recent_mean: Mean rating of the films from the last three years; if there are none, the mean
            rating of all films.
        by_genre: Mean rating by main genre; the key None is for films without a genre.
    """

    mean: float
    recent_mean: float
    by_genre: Mapping[str | None, float]

    @classmethod
    def of(
        cls,
        ratings: npt.NDArray[np.float64],
        opened: npt.NDArray[np.datetime64],
        genres: Sequence[str | None],
        day: date,
    ) -> Self:
        """Calculate the mean ratings from one or more films.

        Args:
            ratings: TMDB's ratings; shape (films,).
            opened: Release dates, all before `day`; shape (films,).
            genres: Main genres; None for a film without a genre; shape (films,).
            day: The day of the forecasts; recent films were released in the three years before it.
        """
        start = pd.Timestamp(day) - pd.DateOffset(years=RECENT_YEARS)
        recent = opened >= np.datetime64(start.date())
        # pandas drops films whose group is None, so films without a genre are grouped under "".
        by_genre = pd.Series(ratings).groupby([genre or "" for genre in genres]).mean()
        return cls(
            mean=float(ratings.mean()),
            recent_mean=float(ratings[recent if recent.any() else slice(None)].mean()),
            by_genre={str(genre) or None: float(mean) for genre, mean in by_genre.items()},
        )

    def forecast(self, genre: str | None) -> dict[str, float]:
        """Forecast a film with each naive baseline.

        Args:
            genre: The film's main genre. If no earlier film has it, the mean of all films is used.

        Returns:
            The forecast ratings by the names in `NAIVE_BASELINES`.
        """
        means = (self.mean, self.recent_mean, self.by_genre.get(genre, self.mean))
        return dict(zip(NAIVE_BASELINES, means, strict=True))
