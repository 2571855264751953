"""Where a film lies outside what a model has seen, so that its forecast is a guess."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from movierating.films.film import Film
from movierating.model.features import MEASUREMENTS

Ranges = Mapping[str, tuple[float, float]]

_RARE_SHARE: Final = 0.005  # of the films on either side count as not seen
_YEARS_AHEAD: Final = 2  # a film may open so long after the last one that taught
_FACTS: Final = {
    "runtime_minutes": "runtime",
    "overview_len": "overview",
    "release_year": "release_date",
    "budget_usd": "budget",
}


@dataclass(frozen=True)
class NoveltyWarning:
    """A fact the model has seen no or hardly any films with.

    Attributes:
        fact: `runtime`, `overview`, `release_date`, `budget`, `language` or `genres`.
        reason: Which, and what the model has seen.
    """

    fact: str
    reason: str


def training_ranges(films: Iterable[Film]) -> dict[str, tuple[float, float]]:
    """Between which values of the measurements nearly all films lie."""
    described = list(films)
    ranges = {}
    for name in _FACTS:
        values = [MEASUREMENTS[name](film) for film in described]
        known = [value for value in values if value is not None]
        if known:
            low, high = np.quantile(known, [_RARE_SHARE, 1 - _RARE_SHARE])
            ranges[name] = (float(low), float(high))
    return ranges


def novelty_warnings(film: Film, ranges: Ranges, features: Iterable[str]) -> list[NoveltyWarning]:
    """The facts of a film that lie outside what a model with these features has seen."""
    found = []
    for name, (low, high) in ranges.items():
        value = MEASUREMENTS[name](film)
        ahead = _YEARS_AHEAD if name == "release_year" else 0
        if value is not None and not low <= value <= high + ahead:
            reason = f"{value:g}, and nearly all films it learned from have {low:g} to {high:g}"
            found.append(NoveltyWarning(_FACTS[name], reason))
    return found + _rare_names(film, frozenset(features))


def _rare_names(film: Film, features: frozenset[str]) -> list[NoveltyWarning]:
    asked = [("genres", f"genre={name}", name) for name in film.genres]
    if film.original_language:
        asked.append(("language", f"language={film.original_language}", film.original_language))
    return [
        NoveltyWarning(fact, f"it has learned from hardly any films with {name}")
        for fact, feature, name in asked
        if feature not in features
    ]
