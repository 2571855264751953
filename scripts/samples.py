"""Rated films to learn from and to measure with, split by release date."""

from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Self

import numpy as np
import numpy.typing as npt
import pandas as pd

from movierating.errors import ExplainedError
from movierating.features import Matrix, build_matrix
from movierating.film import Film
from scripts.cleaned import films_of
from scripts.parameters import (
    HALF_WEIGHT_VOTES,
    MIN_FILMS,
    MIN_VOTES_TO_LEARN,
    MIN_VOTES_TO_MEASURE,
)

Ratings = npt.NDArray[np.float64]


class TooFewFilmsError(ExplainedError, ValueError):
    """There are not enough rated films to learn from or to measure with."""

    def __init__(self, found: str) -> None:
        """Say what was found, and what to change."""
        super().__init__(f"too few films: {found}; run the backfill, or raise COLLECT_MAX_FILMS")


@dataclass(frozen=True)
class Sample:
    """Some rows of the cleaned file, as the films they describe."""

    frame: pd.DataFrame

    @cached_property
    def films(self) -> list[Film]:
        """The films, row by row."""
        return films_of(self.frame)

    @property
    def ratings(self) -> Ratings:
        """TMDB's `vote_average`, shape (films,)."""
        return self.frame["vote_average"].to_numpy(float)

    @property
    def weights(self) -> Ratings:
        """How far each rating can be trusted, from 0 to 1 with its votes; shape (films,)."""
        votes = self.frame["vote_count"].to_numpy(float)
        trust: Ratings = votes / (votes + HALF_WEIGHT_VOTES)
        return trust

    def matrix(self, features: tuple[str, ...]) -> Matrix:
        """All that is known before release, shape (films, features)."""
        return build_matrix(self.films, features)

    def form_matrix(self, features: tuple[str, ...]) -> Matrix:
        """Only what the four fields of the page's form tell, shape (films, features)."""
        return build_matrix(map(as_on_the_form, self.films), features)

    def __len__(self) -> int:
        """The number of films."""
        return len(self.frame)


def as_on_the_form(film: Film) -> Film:
    """A film as the page's form describes it: running time, language, main genre, plot."""
    return Film(
        genres=film.genres[:1],
        original_language=film.original_language,
        runtime_minutes=film.runtime_minutes,
        plot=film.plot,
    )


@dataclass(frozen=True)
class TimeSplit:
    """Films before a date to learn from, films from that date on to measure with.

    Attributes:
        train: Films released before `split_date`, with enough votes to learn from.
        holdout: Films released on `split_date` or later, with enough votes to measure with.
    """

    train: Sample
    holdout: Sample
    split_date: date

    @classmethod
    def by_share(cls, frame: pd.DataFrame, share: float) -> Self:
        """Hold out the newest `share` of the films; those of one day stay together.

        Raises:
            TooFewFilmsError: One side has no film with enough votes.
        """
        learnable = frame[frame["vote_count"] >= MIN_VOTES_TO_LEARN]
        if learnable.empty:
            raise TooFewFilmsError(f"no film has {MIN_VOTES_TO_LEARN} votes")
        opened = learnable["release_date"].sort_values(ignore_index=True)
        split_date = opened.iloc[int(len(opened) * (1 - share))]
        train = learnable[learnable["release_date"] < split_date]
        later = learnable[learnable["release_date"] >= split_date]
        holdout = later[later["vote_count"] >= MIN_VOTES_TO_MEASURE]
        if len(train) < MIN_FILMS or len(holdout) < MIN_FILMS:
            raise TooFewFilmsError(
                f"{len(train)} films opened before {split_date}, {len(holdout)} with "
                f"{MIN_VOTES_TO_MEASURE} votes later, and each side needs {MIN_FILMS}"
            )
        return cls(Sample(train), Sample(holdout), date.fromisoformat(split_date))
