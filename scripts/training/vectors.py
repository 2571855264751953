"""Films as vectors, each made from the track records of the day its year began.

The chain goes back from the split in years. The films of a year are described by effects that were
learned from earlier films alone, so that the model learns from vectors as it will get them in
service; and what describes a year is what a forecaster had on its first day, so that the last years
before the split are folds of a rolling-origin validation. Only which words are rare, and which
flags there are, is told by all films that teach, whatever became of them.
"""

from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property
from math import floor
from typing import Any, Final, Self

import numpy as np
import numpy.typing as npt

from movierating.films.film import Film
from movierating.model.features import Matrix, build_matrix
from movierating.model.target_encoding import Effects
from scripts.dataset.split import Ratings, TimeSplit, TooFewFilmsError, only_form_fields
from scripts.parameters import (
    BURN_IN_SHARE,
    EFFECTS,
    FOLDS,
    HALF_LIFE_YEARS,
    HALF_WEIGHT_VOTES,
    MIN_FILMS,
    MIN_VOTES_TO_LEARN,
    MIN_VOTES_TO_MEASURE,
    EffectsConfig,
)
from scripts.runtime.clock import YEAR_DAYS
from scripts.training.masking import mask_at_random
from scripts.training.target_encoding import EffectsEstimate, estimate
from scripts.training.vocabulary import TokenRows, Vocabulary

_COLUMNS: Final = ("full", "form", "days", "years", "ratings", "targets", "votes")
Years = npt.NDArray[np.int64]


@dataclass(frozen=True)
class FilmVectors:
    """Films as vectors, row by row.

    Attributes:
        features: Their names.
        full: All that is known before release, shape (films, features).
        form: Only what the page's form asks for, shape (films, features).
        days: From the release to the split, negative for held-out films.
        years: The same in years, rounded up; 0 for held-out films.
        ratings: TMDB's `vote_average`.
        targets: The same without what few votes did to it, which is what teaches.
        votes: Their number.
        year_days: Length of such a year; shorter where the films span few years.
    """

    features: tuple[str, ...]
    full: Matrix
    form: Matrix
    days: Ratings
    years: Years
    ratings: Ratings
    targets: Ratings
    votes: Ratings
    year_days: float = YEAR_DAYS

    def select(self, rows: npt.NDArray[np.bool_]) -> Self:
        """Some of the films."""
        return replace(self, **{name: getattr(self, name)[rows] for name in _COLUMNS})

    def column(self, feature: str) -> int:
        """The column of a feature."""
        return self.features.index(feature)

    def training_films(self, before: int = 0) -> Self:
        """The films that teach a model whose forecasts begin so many years before the split."""
        return self.select((self.years > before) & (self.votes >= MIN_VOTES_TO_LEARN))

    def evaluation_films(self, years: range = range(1)) -> Self:
        """The films of some years that measure; those held out by default."""
        return self.select(evaluation_rows(self.years, self.votes, years))

    @property
    def folds(self) -> list[range]:
        """The folds before the split, the newest first."""
        return fold_years(self.years, self.votes, int(self.years.max(initial=0)))

    @property
    def weights(self) -> Ratings:
        """How much each film teaches, from 0 to 1: by its votes and by its age."""
        age = (self.years - self.years.min()) * self.year_days / YEAR_DAYS
        trust: Ratings = self.votes / (self.votes + HALF_WEIGHT_VOTES)
        freshness: Ratings = 0.5 ** (age / HALF_LIFE_YEARS)
        return trust * freshness

    @property
    def views(self) -> tuple[Matrix, Matrix, Matrix]:
        """Whole, as the page's form describes them, and with some of the form's facts hidden."""
        return self.full, self.form, mask_at_random(self.form, self.features)

    def __len__(self) -> int:
        """The number of films."""
        return len(self.ratings)


@dataclass(frozen=True)
class FilmHistory:
    """The films of a split with their outcomes, those that teach first.

    Attributes:
        films: With all their facts.
        vocabulary: The tokens that films that teach have.
        tokens: Their tokens, row by row.
        ratings: TMDB's `vote_average`; (films,).
        votes: Their number; (films,).
        days: From the release to the split, negative for held-out films; (films,).
    """

    films: list[Film]
    vocabulary: Vocabulary
    tokens: TokenRows
    ratings: Ratings
    votes: Ratings
    days: Ratings
    split_date: date

    @classmethod
    def of(cls, split: TimeSplit, config: EffectsConfig = EFFECTS) -> Self:
        """The history of a split."""
        films = split.train.films + split.holdout.films
        vocabulary = Vocabulary.of(split.train.films, config)
        opened = np.concatenate([split.train.opened, split.holdout.opened])
        return cls(
            films=films,
            vocabulary=vocabulary,
            tokens=TokenRows.of(films, vocabulary),
            ratings=np.concatenate([split.train.ratings, split.holdout.ratings]),
            votes=np.concatenate([split.train.votes, split.holdout.votes]),
            days=(np.datetime64(split.split_date) - opened).astype(float),
            split_date=split.split_date,
        )

    @cached_property
    def year_days(self) -> float:
        """Length of a year in days; shorter where the films span too few of them for the folds."""
        span = float(np.quantile(self.days[self.days > 0], 1 - BURN_IN_SHARE))
        return min(YEAR_DAYS, span / (FOLDS + 2))

    @cached_property
    def years(self) -> Years:
        """Years from the release to the split, rounded up; 0 for held-out films."""
        years: Years = np.maximum(np.ceil(self.days / self.year_days), 0).astype(np.int64)
        return years

    def estimate(self, year: int, config: EffectsConfig = EFFECTS) -> EffectsEstimate:
        """The effects as they were known so many years before the split."""
        before = year * self.year_days
        as_of = date.fromordinal(self.split_date.toordinal() - floor(before))
        earlier, age = self.years > year, self.days - before
        return estimate(self.tokens, earlier, self.ratings, self.votes, age, as_of, config)

    @property
    def folds(self) -> list[range]:
        """The folds before the split, the newest first."""
        return fold_years(self.years, self.votes, self.first_year)

    @property
    def first_year(self) -> int:
        """The oldest year that has enough films before it.

        Raises:
            TooFewFilmsError: No year has films before it.
        """
        if len(np.unique(self.years[self.years > 0])) < 2:  # noqa: PLR2004 - one to be described
            raise TooFewFilmsError("all that teach opened at about the same time")
        oldest = int(np.quantile(self.years[self.years > 0], 1 - BURN_IN_SHARE))
        return max(oldest - 1, 1)


def evaluation_rows(years: Years, votes: Ratings, fold: range) -> npt.NDArray[np.bool_]:
    """Which films measure the forecasts of a fold: those of its years with enough votes."""
    return (years >= fold.start) & (years < fold.stop) & (votes >= MIN_VOTES_TO_MEASURE)


def fold_years(years: Years, votes: Ratings, first_year: int) -> list[range]:
    """The folds before the split, the newest first: a year each, or as many as have enough films.

    Args:
        years: Years from each film's release to the split, rounded up; (films,).
        votes: Their votes; (films,).
        first_year: The oldest year that is described; what is older teaches nothing.
    """
    folds: list[range] = []
    start = 1
    for year in range(1, first_year):
        fold = range(start, year + 1)
        older = (years > year) & (years <= first_year) & (votes >= MIN_VOTES_TO_LEARN)
        enough = min(evaluation_rows(years, votes, fold).sum(), older.sum()) >= MIN_FILMS
        if enough and len(folds) < FOLDS:
            folds.append(fold)
            start = fold.stop
    return folds


def build_vectors(
    split: TimeSplit, features: tuple[str, ...], config: EffectsConfig = EFFECTS
) -> tuple[FilmVectors, Effects]:
    """Describe the films of a split, oldest first, but for the burn-in.

    Returns:
        The films, and the effects as of the split, which describe the held-out ones.

    Raises:
        TooFewFilmsError: The films of a single year cannot be described by earlier ones.
    """
    history = FilmHistory.of(split, config)
    slim = [only_form_fields(film) for film in history.films]
    slim_tokens = TokenRows.of(slim, history.vocabulary)
    parts = []
    for year in range(history.first_year, -1, -1):
        learned = history.estimate(year, config)
        which = history.years == year
        shift = learned.few_votes_shift(history.tokens, history.votes, which)
        parts.append(
            FilmVectors(
                features=features,
                full=_matrix(history.films, which, features, learned, history.tokens),
                form=_matrix(slim, which, features, learned, slim_tokens),
                days=history.days[which],
                years=history.years[which],
                ratings=history.ratings[which],
                targets=history.ratings[which] - shift,
                votes=history.votes[which],
                year_days=history.year_days,
            )
        )
    return _joined(parts), learned.effects(history.vocabulary)


def _matrix(
    films: list[Film],
    which: npt.NDArray[np.bool_],
    features: tuple[str, ...],
    learned: EffectsEstimate,
    tokens: TokenRows,
) -> Matrix:
    chosen = [films[at] for at in np.flatnonzero(which)]
    return build_matrix(chosen, features, learned.encodings(tokens, which))


def _joined(parts: list[FilmVectors]) -> FilmVectors:
    columns: dict[str, Any] = {
        name: np.concatenate([getattr(part, name) for part in parts]) for name in _COLUMNS
    }
    return replace(parts[0], **columns)
