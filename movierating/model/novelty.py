"""Novelty warnings: facts of a film that lie outside the range of the training films.

The forecast for such a film is an extrapolation, so it is less reliable than its interval says.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from movierating.films.film import Film
from movierating.model.features import MEASUREMENTS

Ranges = Mapping[str, tuple[float, float]]

_RARE_SHARE: Final = 0.005  # fraction of the training films below the range, and also above it
# Forecasts are made for films released after the training films, so a release up to two years
# later is normal and gets no warning.
_YEARS_AHEAD: Final = 2
_FACTS: Final = {
    "runtime_minutes": "runtime",
    "overview_len": "overview",
    "release_year": "release_date",
    "budget_usd": "budget",
}
_SENTENCES: Final = {
    "runtime_minutes": "the film has {value:.0f} minutes; {usual} have {low:.0f} to {high:.0f}",
    "overview_len": "the plot has {value:.0f} characters; {usual} have {low:.0f} to {high:.0f}",
    "release_year": "the release is in {value:.0f}; {usual} are from {low:.0f} to {high:.0f}",
    "budget_usd": "the budget is ${value:,.0f}; {usual} have ${low:,.0f} to ${high:,.0f}",
}


@dataclass(frozen=True)
class NoveltyWarning:
    """A warning that hardly any training film has a similar value for one fact.

    Attributes:
        fact: `runtime`, `overview`, `release_date`, `budget`, `language` or `genres`.
        reason: A sentence with the film's value and the range of the training films.
    """

    fact: str
    reason: str


def training_ranges(films: Iterable[Film]) -> dict[str, tuple[float, float]]:
    """Return the range that holds the middle 99 % of the films' values, for each measurement."""
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
    """Return a warning for each fact of a film whose value is rare among the training films.

    Args:
        film: The film to forecast.
        ranges: The training films' ranges, from `training_ranges`.
        features: The model's features. A genre or language without a flag had too few training
            films, so it also gets a warning.
    """
    found = []
    for name, (low, high) in ranges.items():
        value = MEASUREMENTS[name](film)
        ahead = _YEARS_AHEAD if name == "release_year" else 0
        if value is not None and not low <= value <= high + ahead:
            reason = _SENTENCES[name].format(
                value=value, low=low, high=high, usual="99 % of training films"
            )
            found.append(NoveltyWarning(_FACTS[name], reason))
    return found + _rare_names(film, frozenset(features))


def _rare_names(film: Film, features: frozenset[str]) -> list[NoveltyWarning]:
    code = film.original_language
    flags = [("genres", f"genre={name}", f"of genre {name!r}") for name in film.genres]
    flags += [("language", f"language={code}", f"in language {code!r}")] if code else []
    return [
        NoveltyWarning(fact, f"no or hardly any training films are {kind}")
        for fact, flag, kind in flags
        if flag not in features
    ]
