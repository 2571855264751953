"""Track records: how far films of a person, a company, a genre or a word lie above the average.

A film is described by tokens of several traits: its directors, its companies, the words of its
plot. Training estimates one effect for each token, all of them together, so that a director is not
credited with what his genre is liked for (`scripts.track_records`). Serving looks the effects up.
"""

import math
import re
from bisect import bisect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import combinations
from typing import Any, Final, Self

from movierating.film import Film
from movierating.korean import pieces

Tokens = Sequence[str]
Table = Mapping[str, tuple[float, float]]
Record = Mapping[str, float]

KOREAN: Final = "plot in Korean"  # a table beside those of the traits
ALL: Final = "all"  # in a record: the average with what every trait adds

MAX_CAST: Final = 5  # long lists are those of famous films
_RUNTIME_BANDS: Final = (70, 80, 85, 90, 95, 100, 105, 110, 120, 130, 140, 160)  # minutes
_BUDGET_BANDS: Final = (1e6, 3e6, 1e7, 2e7, 4e7, 7e7, 1.2e8)  # US dollars
_WORD: Final = re.compile(r"\w\w+")
_TITLE_WORD: Final = re.compile(r"\w+|[:!?]")
# Too common to tell plots apart.
_STOP_WORDS: Final = frozenset(
    """
    a about after all also an and any are as at back be become becomes been before being between
    both but by can do down during each even finds for from gets get has have he her hers
    herself him himself his how if in into is it its itself just more most must new no not now
    of off on once one only or other out over own she so some soon still such than that the
    their them then there they this those through to too two under until up very was we were
    what when where which while who whom whose why will with you your
    """.split()  # noqa: SIM905 - a text to be read
)


@dataclass(frozen=True)
class Effects:
    """The effects of all tokens, as learned from films released before a date.

    Attributes:
        as_of: The date.
        average: Rating of the average film.
        tables: By trait and token: the token's weight beside the others of a film, and its effect
            in rating points.
    """

    as_of: date
    average: float
    tables: Mapping[str, Table]

    def of(self, film: Film) -> Record:
        """What each trait of a film adds to the average, in rating points; NaN where unknown.

        An unknown token, such as a director's first film, adds nothing and takes nothing away.
        `all` is the average with all that is known added.
        """
        record = {
            trait: self._effect(trait, tokens_of(film)) for trait, tokens_of in TRAITS.items()
        }
        if self.reads_korean and film.plot and film.plot.language == "ko":
            record["plot"] = self._effect(KOREAN, pieces(film.plot.text or ""))
        known = (effect for effect in record.values() if not math.isnan(effect))
        return record | {ALL: self.average + sum(known)}

    @property
    def reads_korean(self) -> bool:
        """Whether the films that taught had enough plots in Korean."""
        return KOREAN in self.tables

    def _effect(self, trait: str, tokens: Tokens) -> float:
        """The weighted sum over the root of the summed squares: many tokens are no more than few.

        So it is in TF-IDF of length 1, of which this is the general form.
        """
        if not tokens:
            return math.nan
        table = self.tables.get(trait, {})
        found = [table[token] for token in dict.fromkeys(tokens) if token in table]
        norm = math.sqrt(sum(weight * weight for weight, _ in found))
        return sum(weight * effect for weight, effect in found) / norm if found else 0.0

    def to_json(self) -> dict[str, Any]:
        """The effects as plain lists and dictionaries."""
        return {
            "as_of": self.as_of.isoformat(),
            "average": self.average,
            "tables": {trait: dict(table) for trait, table in self.tables.items()},
        }

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> Self:
        """The effects from plain lists and dictionaries."""
        tables = {
            trait: {
                token: (float(weight), float(effect)) for token, (weight, effect) in rows.items()
            }
            for trait, rows in raw["tables"].items()
        }
        return cls(date.fromisoformat(raw["as_of"]), float(raw["average"]), tables)


def _one(value: str | None) -> Tokens:
    return [value] if value else []


def _pairs(film: Film) -> Tokens:
    return [f"{first}, {second}" for first, second in combinations(sorted(set(film.genres)), 2)]


def _runtime(film: Film) -> Tokens:
    if film.runtime_minutes is None:
        return []
    return [str(bisect(_RUNTIME_BANDS, film.runtime_minutes))]


def _budget(film: Film) -> Tokens:
    if film.budget_usd is None:
        return []
    band = bisect(_BUDGET_BANDS, film.budget_usd)
    return [f"{band} {genre}" for genre in film.genres or ("",)]


def _title(film: Film) -> Tokens:
    return _TITLE_WORD.findall((film.title or "").lower())


def _plot(film: Film) -> Tokens:
    text = (film.plot.text or "") if film.plot and film.plot.language == "en" else ""
    return [word for word in _WORD.findall(text.lower()) if word not in _STOP_WORDS]


TRAITS: Final[dict[str, Callable[[Film], Tokens]]] = {
    "genre": lambda film: film.genres,
    "genre_pair": _pairs,
    "language": lambda film: _one(film.original_language),
    "country": lambda film: film.countries,
    "runtime": _runtime,
    "budget": _budget,
    "director": lambda film: film.directors,
    "writer": lambda film: film.writers,
    "cast": lambda film: film.cast[:MAX_CAST],
    "company": lambda film: film.companies,
    "franchise": lambda film: _one(film.franchise),
    "keyword": lambda film: film.keywords,
    "title": _title,
    "plot": _plot,
}
RECORDED: Final = (ALL, *TRAITS)
