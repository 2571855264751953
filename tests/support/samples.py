"""Create small data sets of rated films for tests."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from itertools import cycle
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from movierating.films.film import Film
from movierating.model.features import Matrix
from scripts.dataset.split import TimeSplit
from scripts.dataset.table import row_of
from scripts.parameters import MIN_FILMS, ModelConfig
from scripts.runtime.clock import YEAR_DAYS
from scripts.training.vectors import FilmVectors
from tests.support.bundles import CODES, invented_films

SPLIT_DATE: Final = date(2024, 1, 1)

# Every model family, with hyperparameters that make training fast.
SMALL = ModelConfig(
    parameters={
        "xgboost": {"n_estimators": 20, "max_depth": 3},
        "lgbm": {"n_estimators": 20, "num_leaves": 4},
        "rf": {"n_estimators": 20, "max_depth": 3},
        "linear": {"alpha": 1.0},
    }
)

Numbers = Sequence[float] | npt.NDArray[Any]


def rated(films: Sequence[Film], days: Numbers, ratings: Numbers, votes: Numbers) -> pd.DataFrame:
    """Create a data frame of films like the one after preprocessing, sorted by release date.

    Args:
        films: The films; their own release dates are replaced.
        days: How many days before `SPLIT_DATE` each film was released.
        ratings: The rating of each film.
        votes: The number of votes for each film.
    """
    columns = zip(films, days, ratings, votes, strict=True)
    rows = [
        {"id": at, "revenue": 1e6, "vote_count": int(count), "vote_average": float(rating)}
        | row_of(replace(film, release_date=SPLIT_DATE - timedelta(int(day))), CODES)
        for at, (film, day, rating, count) in enumerate(columns)
    ]
    return pd.DataFrame(rows).sort_values(["release_date", "id"], ignore_index=True)


def years_of_films(per_year: int = 40, years: int = 7) -> pd.DataFrame:
    """Create films released in the `years` years before `SPLIT_DATE` and the year after it.

    Longer films have higher ratings."""
    rng = np.random.default_rng(11)
    days = np.round(np.linspace(years * 365, -364, per_year * (years + 1)))
    films = [
        replace(film, runtime_minutes=float(rng.integers(80, 160)))
        for film in invented_films(len(days))
    ]
    minutes = np.asarray([film.runtime_minutes for film in films])
    ratings = 6 + (minutes - 120) / 40 + rng.normal(0, 0.3, len(days))
    return rated(films, days, ratings, rng.integers(50, 500, len(days)))


def opened_since(first: date, count: int = 200, level: float = 7.0) -> pd.DataFrame:
    """Create a data frame of preprocessed films whose ratings lie around `level`.

    It has `count` films, one released every third day from `first` on, and `MIN_FILMS` films that
    are eleven years older. Every third film is Korean. Every second film has 60 votes, the others
    have 500.
    The ids start at 1,000, so they differ from the ids of the similar films in `bundles.pack`.
    """
    rng = np.random.default_rng(5)
    films = [
        replace(film, runtime_minutes=float(rng.integers(80, 160)), original_language=language)
        for film, language in zip(
            invented_films(count + MIN_FILMS), cycle(("ko", "en", "fr")), strict=False
        )
    ]
    since = (SPLIT_DATE - first).days
    days = [since - 3 * at for at in range(count)] + [since + 4_000] * MIN_FILMS
    minutes = np.asarray([film.runtime_minutes for film in films])
    ratings = level + (minutes - 120) / 100 + rng.normal(0, 0.3, len(films))
    frame = rated(films, days, ratings, np.where(np.arange(len(films)) % 2, 60, 500))
    return frame.assign(id=frame["id"] + 1_000)


def as_csv(frame: pd.DataFrame) -> bytes:
    """Convert a data frame of films to the bytes of a CSV file."""
    return frame.to_csv(index=False).encode("utf-8-sig")


def split_of(frame: pd.DataFrame) -> TimeSplit:
    """Split a data frame of films at `SPLIT_DATE` into training films and hold-out films."""
    return TimeSplit.by_date(frame, SPLIT_DATE)


def film_vectors(
    full: Matrix,
    ratings: Numbers,
    years: Numbers,
    votes: Numbers | None = None,
) -> FilmVectors:
    """Create film vectors from a matrix of feature values.

    Args:
        full: The feature matrix, shape (films, features). Its first column is the average rating
            plus all target-encoded effects.
        ratings: The rating of each film.
        years: The release year of each film.
        votes: The number of votes for each film; None for 200 each.
    """
    rated_as = np.asarray(ratings, np.float64)
    full = np.asarray(full, np.float32)
    return FilmVectors(
        features=("effect=all", *(f"genre={at}" for at in range(1, full.shape[1]))),
        full=full,
        form=full,
        days=np.asarray(years, float) * YEAR_DAYS,
        years=np.asarray(years, np.int64),
        ratings=rated_as,
        targets=rated_as,
        votes=np.full(len(rated_as), 200.0) if votes is None else np.asarray(votes, float),
    )
