"""Name and compute the features of a film, in one place for both training and serving.

Every feature is known before release. A missing fact is NaN, never zero. There are three kinds:

* measurements, listed in `MEASUREMENTS`;
* flags (0 or 1): `genre=NAME` and `language=CODE`;
* target encodings: `effect=TRAIT`, the past ratings `films=TRAIT`, `mean=TRAIT` and
  `latest=TRAIT`, and `plot_score`. A trait is a kind of fact, such as `director`.

To build the same vector as training, serving needs only the feature names and the effects that are
stored in the model's bundle.
"""

import math
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
import numpy.typing as npt

from movierating.errors import ExplainedError
from movierating.films.film import Film
from movierating.model.target_encoding import ENCODED_FEATURES, TargetEncoding

Matrix = npt.NDArray[np.float32]

MISSING: Final = math.nan

# Facts that are known only after the release, or derived from such facts. Training may use them as
# the label or to choose films. As a feature they would leak the rating.
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
    """This code cannot compute a feature, or the feature is not known before release."""

    def __init__(self, name: str) -> None:
        """Write a message with the feature's name and the reason."""
        source = name.partition("=")[0]
        reason = "is known only after release" if source in AFTER_RELEASE else "is not known here"
        super().__init__(f"feature {name!r} {reason}")


def choose_features(films: Iterable[Film], min_films: int) -> tuple[str, ...]:
    """Return the names of the features that a model of these training films uses.

    A genre or language becomes a flag only if at least `min_films` films have it.
    """
    genres, languages = Counter[str](), Counter[str]()
    for film in films:
        genres.update(film.genres)
        languages.update([film.original_language] if film.original_language else [])
    flags = [f"genre={name}" for name in _frequent(genres, min_films)]
    flags += [f"language={code}" for code in _frequent(languages, min_films)]
    return (*MEASUREMENTS, *ENCODED_FEATURES, *flags)


def build_features(film: Film, names: Sequence[str], encoding: TargetEncoding) -> list[float]:
    """Return the vector of one film in the order of `names`; NaN where a fact is unknown.

    Args:
        film: The facts about the film.
        names: Names of the features.
        encoding: The film's target encoding, from `Effects.encode`.

    Raises:
        UnknownFeatureError: This code cannot compute a feature of that name.
    """
    return _layout(tuple(names)).row(film, encoding)


def build_matrix(
    films: Iterable[Film], names: Sequence[str], encodings: Iterable[TargetEncoding]
) -> Matrix:
    """Return one vector per film, float32 of shape (films, names); NaN where a fact is unknown.

    Args:
        films: The facts about the films.
        names: Names of the features, one per column.
        encodings: The target encodings of the same films in the same order.

    Raises:
        UnknownFeatureError: This code cannot compute a feature of that name.
    """
    layout = _layout(tuple(names))
    rows = [layout.row(film, encoding) for film, encoding in zip(films, encodings, strict=True)]
    return np.asarray(rows, dtype=np.float32).reshape(len(rows), len(names))


@dataclass(frozen=True)
class _Layout:
    """Where each feature is in the vector, grouped by kind of feature.

    `row` runs one loop per kind, which is faster than one function call per feature.
    """

    width: int
    measurements: list[tuple[int, Callable[[Film], float | None]]]
    encodings: list[tuple[int, str]]
    genres: list[tuple[int, str]]
    languages: list[tuple[int, str]]

    def row(self, film: Film, encoding: TargetEncoding) -> list[float]:
        row = [MISSING] * self.width
        for at, measured in self.measurements:
            value = measured(film)
            if value is not None:
                row[at] = float(value)
        for at, name in self.encodings:
            row[at] = encoding[name]
        if film.genres:
            for at, name in self.genres:
                row[at] = float(name in film.genres)
        if film.original_language is not None:
            for at, code in self.languages:
                row[at] = float(code == film.original_language)
        return row


@lru_cache(maxsize=8)  # one entry per model version in use
def _layout(names: tuple[str, ...]) -> _Layout:
    layout = _Layout(len(names), [], [], [], [])
    for at, name in enumerate(names):
        kind, _, wanted = name.partition("=")
        if name in MEASUREMENTS and name not in AFTER_RELEASE:
            layout.measurements.append((at, MEASUREMENTS[name]))
        elif name in ENCODED_FEATURES:
            layout.encodings.append((at, name))
        elif kind == "genre" and wanted:
            layout.genres.append((at, wanted))
        elif kind == "language" and wanted:
            layout.languages.append((at, wanted))
        else:
            raise UnknownFeatureError(name)
    return layout


def _frequent(counts: Counter[str], min_films: int) -> list[str]:
    return sorted(value for value, count in counts.items() if count >= min_films)
