"""Split rated films by release date into training films and hold-out films."""

from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Self

import numpy as np
import numpy.typing as npt
import pandas as pd

from movierating.errors import ExplainedError
from movierating.films.film import Film
from movierating.model.plot_encoder import Vectors
from scripts.dataset.plot_vectors import KOREAN_VECTOR, PLOT_VECTOR, stacked
from scripts.dataset.table import films_of
from scripts.parameters import (
    HOLDOUT_FILMS,
    HOLDOUT_SHARE,
    MIN_FILMS,
    MIN_VOTES_TO_COUNT,
    MIN_VOTES_TO_MEASURE,
)

Ratings = npt.NDArray[np.float64]


class TooFewFilmsError(ExplainedError, ValueError):
    """There are too few rated films to train or to evaluate a model."""

    def __init__(self, found: str) -> None:
        """Create the error; its message has `found` (which films are too few) and the remedy."""
        super().__init__(f"too few films: {found}; run the backfill, or raise COLLECT_MAX_FILMS")


@dataclass(frozen=True)
class Sample:
    """Some films of the cleaned file: their rows, and the same films as `Film` objects."""

    frame: pd.DataFrame

    @classmethod
    def joined(cls, *parts: "Sample") -> Self:
        """Join samples, in their order."""
        joined = cls(pd.concat([part.frame for part in parts]))
        # Converting tens of thousands of rows takes seconds, so their films are not made again.
        joined.__dict__["films"] = [film for part in parts for film in part.films]
        return joined

    @cached_property
    def films(self) -> list[Film]:
        """The films, in the order of the rows."""
        return films_of(self.frame)

    @property
    def ratings(self) -> Ratings:
        """TMDB's `vote_average`, shape (films,)."""
        return self.frame["vote_average"].to_numpy(float)

    @property
    def votes(self) -> Ratings:
        """TMDB's `vote_count`, shape (films,)."""
        return self.frame["vote_count"].to_numpy(float)

    @property
    def opened(self) -> npt.NDArray[np.datetime64]:
        """The release dates, shape (films,)."""
        return self.frame["release_date"].to_numpy("datetime64[D]")

    @property
    def plot_vectors(self) -> Vectors:
        """The vectors of the plots, shape (films, 512); NaN for a film without a vector."""
        return stacked(self.frame, PLOT_VECTOR)

    @property
    def korean_vectors(self) -> Vectors:
        """The vectors of the Korean plots, shape (films, 512); NaN for a film without a vector."""
        return stacked(self.frame, KOREAN_VECTOR)

    def newest(self, count: int) -> "Sample":
        """Select the `count` films that were released last, of those with enough votes to measure.

        The oldest of them comes first.
        """
        with_votes = np.flatnonzero(self.votes >= MIN_VOTES_TO_MEASURE)
        by_age = with_votes[np.argsort(self.opened[with_votes], kind="stable")]
        return Sample(self.frame.iloc[by_age[-count:]])

    def __len__(self) -> int:
        """The number of films."""
        return len(self.frame)


def only_form_fields(film: Film) -> Film:
    """Copy a film with only the facts in the UI's short form.

    These are the running time, the language, the first genre and the plot.
    """
    return Film(
        genres=film.genres[:1],
        original_language=film.original_language,
        runtime_minutes=film.runtime_minutes,
        plot=film.plot,
    )


@dataclass(frozen=True)
class TimeSplit:
    """Training films, released before a date, and hold-out films, released on it or later.

    Attributes:
        train: Films released before `split_date` with at least `MIN_VOTES_TO_COUNT` votes.
        holdout: Films released on `split_date` or later with at least `MIN_VOTES_TO_MEASURE` votes.
        split_date: The first day of the hold-out films.
        few_votes: Films released on `split_date` or later with fewer votes, but at least
            `MIN_VOTES_TO_COUNT`. Only the refit uses them; by default there are none.
    """

    train: Sample
    holdout: Sample
    split_date: date
    few_votes: Sample | None = None

    @cached_property
    def later(self) -> Sample:
        """All films released on the split date or later: the hold-out films come first."""
        return (
            self.holdout if self.few_votes is None else Sample.joined(self.holdout, self.few_votes)
        )

    @classmethod
    def of_newest(
        cls, frame: pd.DataFrame, share: float = HOLDOUT_SHARE, enough: int = HOLDOUT_FILMS
    ) -> Self:
        """Split the films by date, so that the newest ones are held out.

        The arguments give two upper limits; the stricter one applies. Films released on the same
        day are never separated, so the first hold-out day can exceed the limits.

        Args:
            frame: A cleaned frame.
            share: Hold out at most this fraction of the films with `MIN_VOTES_TO_COUNT` votes.
            enough: Hold out at most this many films with `MIN_VOTES_TO_MEASURE` votes.

        Raises:
            TooFewFilmsError: One side has too few films with enough votes.
        """
        counted = frame[frame["vote_count"] >= MIN_VOTES_TO_COUNT]
        if counted.empty:
            raise TooFewFilmsError(f"no film has {MIN_VOTES_TO_COUNT} votes")
        opened = counted["release_date"].sort_values(ignore_index=True)
        first = opened.iloc[int(len(opened) * (1 - share))]
        measured = frame.loc[frame["vote_count"] >= MIN_VOTES_TO_MEASURE, "release_date"]
        # Use the later of the two dates, because it holds out fewer films.
        if len(measured) > enough:
            first = max(first, measured.sort_values().iloc[-enough])
        return cls.by_date(frame, date.fromisoformat(first))

    @classmethod
    def by_date(cls, frame: pd.DataFrame, split_date: date) -> Self:
        """Split the films at a date: hold out those released on it or later.

        Raises:
            TooFewFilmsError: One side has too few films with enough votes.
        """
        earlier = frame["release_date"] < split_date.isoformat()
        # Hold-out films need more votes: noise in their ratings would count as error of the model,
        # while training gives noisy ratings less weight.
        train = frame[earlier & (frame["vote_count"] >= MIN_VOTES_TO_COUNT)]
        holdout = frame[~earlier & (frame["vote_count"] >= MIN_VOTES_TO_MEASURE)]
        if len(train) < MIN_FILMS or len(holdout) < MIN_FILMS:
            raise TooFewFilmsError(
                f"{len(train)} films opened before {split_date}, {len(holdout)} with "
                f"{MIN_VOTES_TO_MEASURE} votes later, and each side needs {MIN_FILMS}"
            )
        votes = frame["vote_count"]
        few = ~earlier & (votes >= MIN_VOTES_TO_COUNT) & (votes < MIN_VOTES_TO_MEASURE)
        return cls(Sample(train), Sample(holdout), split_date, Sample(frame[few]))
