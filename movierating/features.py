"""From a film to the numbers a model sees: the one place where features are named and made.

Every feature is known before release. A missing fact is NaN, never zero. A feature is a
measurement from `MEASUREMENTS`, a flag `genre=NAME` or `language=CODE`, or what the track records
say, `effect=TRAIT`. So a bundle's list of names and its effects are all that serving needs to
rebuild the vector.
"""

import math
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from typing import Final

import numpy as np
import numpy.typing as npt

from movierating.effects import RECORDED, Record
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


def choose_features(films: Iterable[Film], min_films: int) -> tuple[str, ...]:
    """The features that these films can teach: a flag needs `min_films` films that carry it."""
    genres, languages = Counter[str](), Counter[str]()
    for film in films:
        genres.update(film.genres)
        languages.update([film.original_language] if film.original_language else [])
    flags = [f"genre={name}" for name in _frequent(genres, min_films)]
    flags += [f"language={code}" for code in _frequent(languages, min_films)]
    return (*MEASUREMENTS, *(f"effect={trait}" for trait in RECORDED), *flags)


def build_features(film: Film, names: Sequence[str], record: Record) -> list[float]:
    """One film as numbers in the order of `names`; NaN where the fact is unknown.

    `record` is what `Effects.of` says of the film.

    Raises:
        UnknownFeatureError: A name cannot be made from what is known before release.
    """
    return [_reader(name)(film, record) for name in names]


def build_matrix(films: Iterable[Film], names: Sequence[str], records: Iterable[Record]) -> Matrix:
    """Films and their records as a float32 matrix of shape (films, names); NaN where unknown.

    Raises:
        UnknownFeatureError: A name cannot be made from what is known before release.
    """
    readers = [_reader(name) for name in names]
    rows = [
        [read(film, record) for read in readers]
        for film, record in zip(films, records, strict=True)
    ]
    return np.asarray(rows, dtype=np.float32).reshape(len(rows), len(names))


@cache
def _reader(name: str) -> Callable[[Film, Record], float]:
    """What reads a feature off a film and its record."""
    if name in MEASUREMENTS and name not in AFTER_RELEASE:
        return lambda film, _: _number(MEASUREMENTS[name](film))
    kind, _, wanted = name.partition("=")
    if kind == "effect" and wanted in RECORDED:
        return lambda _, record: record[wanted]
    if kind == "genre" and wanted:
        return lambda film, _: float(wanted in film.genres) if film.genres else MISSING
    if kind == "language" and wanted:
        return lambda film, _: _is(film.original_language, wanted)
    raise UnknownFeatureError(name)


def _number(value: float | None) -> float:
    return MISSING if value is None else float(value)


def _is(value: str | None, wanted: str) -> float:
    return MISSING if value is None else float(value == wanted)


def _frequent(counts: Counter[str], min_films: int) -> list[str]:
    return sorted(value for value, count in counts.items() if count >= min_films)
