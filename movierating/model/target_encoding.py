"""Track records: how far films of a person, a company, a genre or a word lie above the average.

Training estimates one effect for each token of each trait, all of them together, so that a director
is not credited with what his genre is liked for (`scripts.training.target_encoding`). Serving looks
them up.
"""

import math
from base64 import b64decode, b64encode
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import chain
from statistics import fmean
from typing import Any, Final, Self

import numpy as np
import numpy.typing as npt

from movierating.films.film import Film
from movierating.films.text import syllable_ngrams
from movierating.films.tokens import TRACKED_TRAITS, TRAITS, Tokens

TargetEncoding = Mapping[str, float]

KOREAN_PLOT: Final = "plot in Korean"  # a table beside those of the traits
ALL_EFFECTS: Final = "effect=all"  # the average with what every trait adds
EFFECT_FEATURES: Final = {trait: f"effect={trait}" for trait in TRAITS}
# What a past tells: how many films, as log(1 + n), their mean rating, and that of the newest. The
# trees learn from it how far to believe an effect.
PAST_RATINGS: Final = ("films", "mean", "latest")
PAST_RATING_FEATURES: Final = {
    trait: tuple(f"{name}={trait}" for name in PAST_RATINGS) for trait in TRACKED_TRAITS
}
ENCODED_FEATURES: Final = (
    ALL_EFFECTS,
    *EFFECT_FEATURES.values(),
    *chain.from_iterable(PAST_RATING_FEATURES.values()),
)


class EffectTable(Mapping[str, tuple[float, ...]]):
    """A token's weight beside the others of a film, its effect, and its past if that is followed.

    All numbers are in one array, on disk as well: a tuple for each token would take three times the
    memory, and so would the numbers of a JSON text while it is read.
    """

    def __init__(self, tokens: Iterable[str], numbers: npt.ArrayLike) -> None:
        """Take the tokens and their numbers, row by row.

        Raises:
            ValueError: There are not as many for each token as there should be.
        """
        self._rows = {token: at for at, token in enumerate(tokens)}
        self._numbers = np.asarray(numbers, dtype=np.float64)
        if self._numbers.shape not in {(len(self), 2), (len(self), 2 + len(PAST_RATINGS))}:
            raise ValueError("a table has two numbers for each token, or those of its past, too")

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> Self:
        """Read a table from the dictionary that `to_json` writes.

        Raises:
            KeyError, TypeError, ValueError: The dictionary holds something else.
        """
        numbers = np.frombuffer(b64decode(raw["numbers"]), "<f8")
        return cls(raw["tokens"], numbers.reshape(len(raw["tokens"]), raw["columns"]))

    def to_json(self) -> dict[str, Any]:
        """The table as JSON can hold it, its numbers as base64 of doubles."""
        numbers = b64encode(self._numbers.astype("<f8").tobytes()).decode()
        return {"tokens": list(self), "columns": self._numbers.shape[1], "numbers": numbers}

    def __getitem__(self, token: str) -> tuple[float, ...]:
        """The numbers of a token."""
        return tuple(self._numbers[self._rows[token]].tolist())

    def __contains__(self, token: object) -> bool:
        """Whether a token has any."""
        return token in self._rows

    def __iter__(self) -> Iterator[str]:
        """The tokens."""
        return iter(self._rows)

    def __len__(self) -> int:
        """How many."""
        return len(self._rows)


_EMPTY: Final = EffectTable((), np.empty((0, 2)))


@dataclass(frozen=True)
class Effects:
    """The effects of all tokens, as learned from films released before a date.

    Attributes:
        as_of: The date.
        average: Rating of the average film.
        tables: By trait and token: the token's weight beside the others of a film, its effect in
            rating points, and its past, in traits where that is followed.
    """

    as_of: date
    average: float
    tables: Mapping[str, EffectTable]

    def encode(self, film: Film) -> TargetEncoding:
        """What each trait of a film adds to the average, in rating points; NaN where unknown.

        An unknown token, such as a director's first film, adds nothing and takes nothing away.
        `all` is the average with all that is known added. Beside them stands the mean past of
        those who are followed.
        """
        tokens = {trait: tokens_of(film) for trait, tokens_of in TRAITS.items()}
        encoding = {
            EFFECT_FEATURES[trait]: self._effect(trait, told) for trait, told in tokens.items()
        }
        if self.reads_korean and film.plot and film.plot.language == "ko":
            encoding[EFFECT_FEATURES["plot"]] = self._effect(
                KOREAN_PLOT, syllable_ngrams(film.plot.text or "")
            )
        known = (effect for effect in encoding.values() if not math.isnan(effect))
        encoding[ALL_EFFECTS] = self.average + sum(known)
        for trait in TRACKED_TRAITS:
            encoding |= zip(
                PAST_RATING_FEATURES[trait], self._past(trait, tokens[trait]), strict=True
            )
        return encoding

    @property
    def reads_korean(self) -> bool:
        """Whether the films that taught had enough plots in Korean."""
        return KOREAN_PLOT in self.tables

    def _effect(self, trait: str, tokens: Tokens) -> float:
        """The weighted sum over the root of the summed squares: many tokens are no more than few.

        So it is in TF-IDF of length 1, of which this is the general form.
        """
        if not tokens:
            return math.nan
        table = self.tables.get(trait, _EMPTY)
        found = [table[token] for token in dict.fromkeys(tokens) if token in table]
        norm = math.sqrt(sum(weight * weight for weight, *_ in found))
        return sum(weight * effect for weight, effect, *_ in found) / norm if found else 0.0

    def _past(self, trait: str, tokens: Tokens) -> Sequence[float]:
        """The means over the known tokens; newcomers have no films, and so no ratings."""
        if not tokens:
            return (math.nan,) * len(PAST_RATINGS)
        table = self.tables.get(trait, _EMPTY)
        pasts = [table[token][2:] for token in dict.fromkeys(tokens) if token in table]
        return [*map(fmean, zip(*pasts, strict=True))] or (0.0, math.nan, math.nan)

    def to_json(self) -> dict[str, Any]:
        """The effects as plain lists and dictionaries."""
        return {
            "as_of": self.as_of.isoformat(),
            "average": self.average,
            "tables": {trait: table.to_json() for trait, table in self.tables.items()},
        }

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> Self:
        """The effects from plain lists and dictionaries."""
        tables = {trait: EffectTable.from_json(table) for trait, table in raw["tables"].items()}
        return cls(date.fromisoformat(raw["as_of"]), float(raw["average"]), tables)
