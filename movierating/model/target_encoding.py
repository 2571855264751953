"""Target encoding: each token's effect on the rating, and past ratings of people and companies.

A token is one value of a trait, for example one director. Its effect is in rating points. Training
estimates the effects of all tokens together (`scripts.training.target_encoding`), so that a
director does not get credit for a genre that is rated well. Serving only looks the effects up.
"""

import math
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import chain
from statistics import fmean
from typing import Any, Final, Self

import numpy as np
import numpy.typing as npt

from movierating.films.film import Film
from movierating.films.tokens import TRACKED_TRAITS, TRAITS, Tokens, key_of
from movierating.model.plot_weights import PlotWeights

TargetEncoding = Mapping[str, float]
PlotVector = npt.NDArray[Any]  # from the plot encoder, shape (512,)

ALL_EFFECTS: Final = "effect=all"  # the average rating plus the effects of all traits
EFFECT_FEATURES: Final = {trait: f"effect={trait}" for trait in TRAITS}
# The effect of the plot's meaning, beside the effects of its words and of all other facts.
MEANING_EFFECT: Final = "effect=plot_meaning"
ADDED_EFFECTS: Final = (*EFFECT_FEATURES.values(), MEANING_EFFECT)  # `ALL_EFFECTS` is their sum
# What the plot, its words and its meaning, says about the rating if nothing else is known: the
# difference from the average. The effects credit a plot only with what the other facts leave over.
PLOT_SCORE: Final = "plot_score"
# Facts about a token's earlier films, such as a director's: their number as log(1 + n), their mean
# rating, and the rating of the newest. From these the model learns how reliable an effect is.
PAST_RATINGS: Final = ("films", "mean", "latest")
PAST_RATING_FEATURES: Final = {
    trait: tuple(f"{name}={trait}" for name in PAST_RATINGS) for trait in TRACKED_TRAITS
}
ENCODED_FEATURES: Final = (
    ALL_EFFECTS,
    *ADDED_EFFECTS,
    PLOT_SCORE,
    *chain.from_iterable(PAST_RATING_FEATURES.values()),
)


class EffectTable(Mapping[str, tuple[float, ...]]):
    """The tokens of one trait, such as all directors, with the numbers for each token.

    The numbers are the token's weight and effect. Words of the plot also have a score. Tokens of
    tracked traits (people, companies and franchises) also have their past ratings.

    A name is found in any spelling that has the same key (`movierating.films.text.name_key`). The
    table contains one spelling of each name, which is the one that most films have.

    All numbers are in one array, in memory and on disk, because one tuple per token would need
    three times the memory. JSON text would need as much memory while it is read.
    """

    def __init__(
        self, tokens: Iterable[str], numbers: npt.ArrayLike, key: Callable[[str], str] = str
    ) -> None:
        """Create a table from tokens and their numbers.

        If several tokens have the same key, the one with the most films is kept. This happens only
        in bundles of version 1.0, which had a row for each spelling of a name.

        Args:
            tokens: The tokens, each once.
            numbers: One row per token: weight and effect, shape (tokens, 2); for words of the plot
                also the score, shape (tokens, 3); for tracked traits also the three past ratings,
                shape (tokens, 5).
            key: Converts a token to its key, under which it is found.

        Raises:
            ValueError: The numbers have another shape, or a token is listed twice.
        """
        self._spellings = list(tokens)
        self._numbers = np.asarray(numbers, dtype=np.float64)
        self._key = key
        count = len(self._spellings)
        if self._numbers.shape not in {(count, 2), (count, 3), (count, 2 + len(PAST_RATINGS))}:
            raise ValueError("a table has two numbers per token, or three or five")
        if len(set(self._spellings)) < count:
            raise ValueError("a table lists each token once")
        keys = [key(token) for token in self._spellings]
        self._rows = {each: at for at, each in enumerate(keys)}
        if len(self._rows) < count:
            self._keep_one_row_per_key(keys)

    @classmethod
    def from_json(cls, raw: Mapping[str, Any], key: Callable[[str], str] = str) -> Self:
        """Read a table from the dictionary that `to_json` writes.

        Args:
            raw: The dictionary.
            key: Converts a token to its key; see `__init__`.

        Raises:
            KeyError, TypeError, ValueError: The dictionary does not have the form that `to_json`
                writes.
        """
        numbers = np.frombuffer(b64decode(raw["numbers"]), "<f8")
        return cls(raw["tokens"], numbers.reshape(len(raw["tokens"]), raw["columns"]), key)

    def to_json(self) -> dict[str, Any]:
        """Return the table as a dictionary for JSON; the numbers are doubles in base64."""
        numbers = b64encode(self._numbers.astype("<f8").tobytes()).decode()
        return {"tokens": list(self), "columns": self._numbers.shape[1], "numbers": numbers}

    def __getitem__(self, token: str) -> tuple[float, ...]:
        """Return a token's weight, effect and (if tracked) past ratings."""
        return tuple(self._numbers[self._rows[self._key(token)]].tolist())

    def __contains__(self, token: object) -> bool:
        """Return whether the table contains this token."""
        return isinstance(token, str) and self._key(token) in self._rows

    def __iter__(self) -> Iterator[str]:
        """Iterate over the tokens of the table; names are as spelled in most films."""
        return iter(self._spellings)

    def rows(self, keys: Iterable[str]) -> list[list[float]]:
        """Return the numbers of each of these keys that the table contains, each key once."""
        found = [self._rows[key] for key in dict.fromkeys(keys) if key in self._rows]
        rows: list[list[float]] = self._numbers[found].tolist()
        return rows

    def keys_and_spellings(self) -> Iterator[tuple[str, str]]:
        """Iterate over the tokens of the table, as pairs of the key and the spelling."""
        return zip(self._rows, self._spellings, strict=True)

    def spelling(self, token: str) -> str | None:
        """Return how the table spells a name; None if it does not contain this name."""
        at = self._rows.get(self._key(token))
        return None if at is None else self._spellings[at]

    def __len__(self) -> int:
        """Return the number of tokens in the table."""
        return len(self._rows)

    def _keep_one_row_per_key(self, keys: Sequence[str]) -> None:
        tracked = self._numbers.shape[1] > 2  # noqa: PLR2004 - the first past rating is the number of films
        films = self._numbers[:, 2] if tracked else np.zeros(len(keys))
        kept: dict[str, int] = {}
        for at, key in enumerate(keys):
            if key not in kept or films[at] > films[kept[key]]:
                kept[key] = at
        self._rows = {key: row for row, key in enumerate(kept)}
        self._spellings = [self._spellings[at] for at in kept.values()]
        self._numbers = self._numbers[list(kept.values())]


_EMPTY: Final = EffectTable((), np.empty((0, 2)))


@dataclass(frozen=True)
class Effects:
    """The effects of all tokens, estimated from films released before a date.

    Attributes:
        as_of: The date of the estimate; only films released before it were used.
        average: Rating of the average film.
        tables: One table per trait, with the weight and the effect of each token. Effects are in
            rating points. The weights say how much each token of a film contributes to the sum of
            the film's effects for the trait.
        plots: The functions of a plot's vector; None if no training film had a vector.
    """

    as_of: date
    average: float
    tables: Mapping[str, EffectTable]
    plots: PlotWeights | None = None

    def encode(self, film: Film, vector: PlotVector | None = None) -> TargetEncoding:
        """Return the target encoding of a film, by feature name; NaN where a fact is unknown.

        The result has, by feature name: the effect of each trait in rating points, the effect of
        the plot's meaning, the average rating plus all effects, the plot's score, and for each
        tracked trait the mean of its tokens' past ratings. A token without training films, such as
        a new director, has the effect 0.

        Args:
            film: The film.
            vector: The vector of the film's plot; None if there is no plot or no plot encoder.
        """
        tokens = {trait: tokens_of(film) for trait, tokens_of in TRAITS.items()}
        encoding = {
            EFFECT_FEATURES[trait]: self._effect(trait, its_tokens)
            for trait, its_tokens in tokens.items()
        }
        encoding |= self._plot(film, vector)
        known = (encoding[name] for name in ADDED_EFFECTS if not math.isnan(encoding[name]))
        encoding[ALL_EFFECTS] = self.average + sum(known)
        for trait in TRACKED_TRAITS:
            encoding |= zip(
                PAST_RATING_FEATURES[trait], self._past(trait, tokens[trait]), strict=True
            )
        return encoding

    @property
    def plot_languages(self) -> tuple[str, ...]:
        """The languages of plots that the model can use without a translation."""
        return ("en", *(self.plots.shifts if self.plots else ()))

    def _plot(self, film: Film, vector: PlotVector | None) -> TargetEncoding:
        """Return the features of the plot's meaning; without English words also their effect."""
        unknown = {MEANING_EFFECT: math.nan, PLOT_SCORE: math.nan}
        if film.plot is None or vector is None or self.plots is None:
            return unknown
        language = film.plot.language
        meaning = self.plots.meaning(vector, language)
        if language == "en":
            score = meaning.score + self._word_score(TRAITS["plot"](film))
            return {MEANING_EFFECT: meaning.effect, PLOT_SCORE: score}
        return {
            EFFECT_FEATURES["plot"]: meaning.words_effect,
            MEANING_EFFECT: meaning.effect,
            PLOT_SCORE: meaning.score + meaning.words_score,
        }

    def _word_score(self, words: Tokens) -> float:
        found = self._found("plot", words)
        norm = math.sqrt(sum(weight * weight for weight, *_ in found))
        return sum(weight * score for weight, _, score in found) / norm if found else 0.0

    def _effect(self, trait: str, tokens: Tokens) -> float:
        """Return the effect of all tokens of one trait of a film.

        It is the weighted sum of the tokens' effects, divided by the Euclidean norm of the weights.
        So films with many tokens remain comparable with films with few. Where the weights are
        inverse document frequencies, this equals a TF-IDF vector of length 1.
        """
        if not tokens:
            return math.nan
        found = self._found(trait, tokens)
        norm = math.sqrt(sum(weight * weight for weight, *_ in found))
        return sum(weight * effect for weight, effect, *_ in found) / norm if found else 0.0

    def _past(self, trait: str, tokens: Tokens) -> Sequence[float]:
        """Return the mean past ratings of the film's tokens that are in the table.

        If none is in the table, as for a new director, the result is 0 films and NaN ratings.
        """
        if not tokens:
            return (math.nan,) * len(PAST_RATINGS)
        pasts = [numbers[2:] for numbers in self._found(trait, tokens)]
        return [*map(fmean, zip(*pasts, strict=True))] or (0.0, math.nan, math.nan)

    def _found(self, trait: str, tokens: Tokens) -> list[list[float]]:
        """Return the numbers of the tokens in the trait's table, each token once as in training."""
        return self.tables.get(trait, _EMPTY).rows(tokens)

    def to_json(self) -> dict[str, Any]:
        """Return the effects as a dictionary for JSON."""
        return {
            "as_of": self.as_of.isoformat(),
            "average": self.average,
            "tables": {trait: table.to_json() for trait, table in self.tables.items()},
            "plots": self.plots.to_json() if self.plots else None,
        }

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> Self:
        """Read the effects from the dictionary that `to_json` writes."""
        tables = {
            trait: EffectTable.from_json(table, key_of(trait))
            for trait, table in raw["tables"].items()
        }
        plots = PlotWeights.from_json(raw["plots"]) if raw.get("plots") else None
        return cls(date.fromisoformat(raw["as_of"]), float(raw["average"]), tables, plots)
