"""From a film to the numbers a model sees: the one place where features are named and made.

Every feature is known before release. A missing fact is NaN, never zero. A feature is a
measurement from `MEASUREMENTS`, or a flag `genre=NAME` or `language=CODE`, so that the list of
names in a bundle is all that serving needs to rebuild the vector.
"""

import math
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from movierating.errors import ExplainedError
from movierating.film import Film

Matrix = npt.NDArray[np.float32]

MISSING: Final = math.nan

# Known only after release, or made from what is: may label or filter, never describe a film.
AFTER_RELEASE: Final = frozenset(
    {"vote_count", "vote_average", "popularity", "revenue", "status", "poster_path", "homepage"}
)

MEASUREMENTS: Final[dict[str, Callable[[Film], float | None]]] = {
    "runtime_minutes": lambda film: film.runtime_minutes,
    "overview_len": lambda film: film.plot.length if film.plot else None,  # characters
    "overview_sentiment": lambda film: film.plot.polarity if film.plot else None,  # -1 to 1
    "overview_subjectivity": lambda film: film.plot.subjectivity if film.plot else None,  # 0 to 1
    "release_year": lambda film: film.release_date.year if film.release_date else None,
    "release_month": lambda film: film.release_date.month if film.release_date else None,
    "budget_usd": lambda film: film.budget_usd,
}


class UnknownFeatureError(ExplainedError, ValueError):
    """A feature is not one this code can make, or is not known before release."""

    def __init__(self, name: str) -> None:
        """Say which feature, and why it is refused."""
        source = name.partition("=")[0]
        reason = "is known only after release" if source in AFTER_RELEASE else "is not known here"
        super().__init__(f"feature {name!r} {reason}")


def choose_features(films: Sequence[Film], min_films: int) -> tuple[str, ...]:
    """The features that these films can teach: a flag needs `min_films` films that carry it."""
    genres = _frequent((genre for film in films for genre in film.genres), min_films)
    languages = _frequent((film.original_language for film in films), min_films)
    flags = [f"genre={name}" for name in genres] + [f"language={code}" for code in languages]
    return (*MEASUREMENTS, *flags)


def build_features(film: Film, names: Sequence[str]) -> list[float]:
    """One film as numbers in the order of `names`; NaN where the fact is unknown.

    Raises:
        UnknownFeatureError: A name cannot be made from what is known before release.
    """
    return [_feature(film, name) for name in names]


def build_matrix(films: Iterable[Film], names: Sequence[str]) -> Matrix:
    """Films as a float32 matrix of shape (films, names); NaN where a fact is unknown.

    Raises:
        UnknownFeatureError: A name cannot be made from what is known before release.
    """
    rows = [build_features(film, names) for film in films]
    return np.asarray(rows, dtype=np.float32).reshape(len(rows), len(names))


def _feature(film: Film, name: str) -> float:
    if name in MEASUREMENTS:
        value = MEASUREMENTS[name](film)
        return MISSING if value is None else float(value)
    kind, _, wanted = name.partition("=")
    if wanted and kind == "genre":
        return float(wanted in film.genres) if film.genres else MISSING
    if wanted and kind == "language":
        return float(film.original_language == wanted) if film.original_language else MISSING
    raise UnknownFeatureError(name)


def _frequent(values: Iterable[str | None], min_films: int) -> list[str]:
    counts = Counter(value for value in values if value)
    return sorted(value for value, count in counts.items() if count >= min_films)
