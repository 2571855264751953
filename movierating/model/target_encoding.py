"""Target encoding: the effect of each token on the rating, and the past ratings of people.

Training estimates the effects of all tokens of all traits together, so that a director is not
credited with the popularity of a genre (`scripts.training.target_encoding`). Serving looks them up.
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

# Key of the table for Korean plots, which is not one of the traits.
KOREAN_PLOT: Final = "plot in Korean"
ALL_EFFECTS: Final = "effect=all"  # the average rating plus the effects of all traits
EFFECT_FEATURES: Final = {trait: f"effect={trait}" for trait in TRAITS}
# Of a token's earlier films: their number as log(1 + n), their mean rating, and the rating of the
# newest. From these numbers the trees learn how reliable an effect is.
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
    """Per token: its weight, its effect, and its past ratings if the trait is tracked.

    One array holds all numbers, in memory and on disk. A tuple per token would take three times the
    memory, and so would numbers written as JSON text while they are read.
    """

    def __init__(self, tokens: Iterable[str], numbers: npt.ArrayLike) -> None:
        """Index the tokens.

        Args:
            tokens: Each once.
            numbers: Shape (tokens, 2), or (tokens, 5) with past ratings.

        Raises:
            ValueError: The numbers have another shape.
        """
        self._rows = {token: at for at, token in enumerate(tokens)}
        self._numbers = np.asarray(numbers, dtype=np.float64)
        if self._numbers.shape not in {(len(self), 2), (len(self), 2 + len(PAST_RATINGS))}:
            raise ValueError("a table has two numbers per token, or five with past ratings")

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> Self:
        """Read a table from the dictionary that `to_json` writes.

        Raises:
            KeyError, TypeError, ValueError: The dictionary holds something else.
        """
        numbers = np.frombuffer(b64decode(raw["numbers"]), "<f8")
        return cls(raw["tokens"], numbers.reshape(len(raw["tokens"]), raw["columns"]))

    def to_json(self) -> dict[str, Any]:
        """Return the table as a dictionary for JSON; the numbers are doubles in base64."""
        numbers = b64encode(self._numbers.astype("<f8").tobytes()).decode()
        return {"tokens": list(self), "columns": self._numbers.shape[1], "numbers": numbers}

    def __getitem__(self, token: str) -> tuple[float, ...]:
        """Return the numbers of a token."""
        return tuple(self._numbers[self._rows[token]].tolist())

    def __contains__(self, token: object) -> bool:
        """Return whether the table has a token."""
        return token in self._rows

    def __iter__(self) -> Iterator[str]:
        """Iterate over the tokens."""
        return iter(self._rows)

    def __len__(self) -> int:
        """Return the number of tokens."""
        return len(self._rows)


_EMPTY: Final = EffectTable((), np.empty((0, 2)))


@dataclass(frozen=True)
class Effects:
    """The effects of all tokens, estimated from films released before a date.

    Attributes:
        as_of: The date.
        average: Rating of the average film.
        tables: A table per trait. A weight is relative to the film's other tokens of the trait; an
            effect is in rating points.
    """

    as_of: date
    average: float
    tables: Mapping[str, EffectTable]

    def encode(self, film: Film) -> TargetEncoding:
        """Return the target encoding of a film, by feature name; NaN where a fact is unknown.

        It has the effect of each trait in rating points, their sum with the average rating, and the
        mean past ratings of each tracked trait. A token without training films, such as a new
        director, has the effect 0.
        """
        tokens = {trait: tokens_of(film) for trait, tokens_of in TRAITS.items()}
        encoding = {
            EFFECT_FEATURES[trait]: self._effect(trait, its_tokens)
            for trait, its_tokens in tokens.items()
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
        """Whether there were enough training films with a Korean plot."""
        return KOREAN_PLOT in self.tables

    def _effect(self, trait: str, tokens: Tokens) -> float:
        """The weighted sum of the effects, divided by the Euclidean norm of the weights.

        The norm keeps films with many tokens comparable with films with few. With inverse document
        frequencies as weights this equals a TF-IDF vector of length 1.
        """
        if not tokens:
            return math.nan
        table = self.tables.get(trait, _EMPTY)
        # A token that occurs twice in a film counts once, as in training.
        found = [table[token] for token in dict.fromkeys(tokens) if token in table]
        norm = math.sqrt(sum(weight * weight for weight, *_ in found))
        return sum(weight * effect for weight, effect, *_ in found) / norm if found else 0.0

    def _past(self, trait: str, tokens: Tokens) -> Sequence[float]:
        """The mean past ratings of the known tokens; a newcomer has 0 films and unknown ratings."""
        if not tokens:
            return (math.nan,) * len(PAST_RATINGS)
        table = self.tables.get(trait, _EMPTY)
        pasts = [table[token][2:] for token in dict.fromkeys(tokens) if token in table]
        return [*map(fmean, zip(*pasts, strict=True))] or (0.0, math.nan, math.nan)

    def to_json(self) -> dict[str, Any]:
        """Return the effects as a dictionary for JSON."""
        return {
            "as_of": self.as_of.isoformat(),
            "average": self.average,
            "tables": {trait: table.to_json() for trait, table in self.tables.items()},
        }

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> Self:
        """Read the effects from the dictionary that `to_json` writes."""
        tables = {trait: EffectTable.from_json(table) for trait, table in raw["tables"].items()}
        return cls(date.fromisoformat(raw["as_of"]), float(raw["average"]), tables)
