"""Target encoding: each token's effect on the rating, and past ratings of people and companies.

A token is one value of a trait, for example one director. Its effect is in rating points. Training
estimates the effects of all tokens together (`scripts.training.target_encoding`), so that a
director does not get credit for a genre that is rated well. Serving only looks the effects up.
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

from movierating.films.film import Entity, Film, Named, name_of
from movierating.films.text import name_key
from movierating.films.tokens import NAMES, PEOPLE, TRACKED_TRAITS, TRAITS, Tokens
from movierating.model.plot_weights import PlotWeights
from movierating.model.token_index import NO_ID, NameIndex, TokenIndex, WordIndex

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


class EffectTable(Mapping[Named, tuple[float, ...]]):
    """The tokens of one trait, such as all directors, with the numbers for each token.

    The numbers are the token's weight and effect. Words of the plot also have a score. Tokens of
    tracked traits (people, companies and franchises) also have their past ratings.

    All numbers are in one array, in memory and on disk, because one tuple per token would need
    three times the memory. JSON text would need as much memory while it is read.

    Attributes:
        tokens: Finds the row of a token: people, companies, franchises and keywords by TMDB's id or
            by name, other tokens by their spelling.
    """

    tokens: TokenIndex

    def __init__(
        self,
        tokens: Iterable[Named],
        numbers: npt.ArrayLike,
        *,
        named: bool = False,
        others: Mapping[int, Sequence[str]] | None = None,
    ) -> None:
        """Create a table from tokens and their numbers.

        If several names without id have the same key, the one with the most films is kept. This
        happens only in bundles of version 1.0, which had a row for each spelling of a name.

        Args:
            tokens: The tokens, each once. Of people, companies, franchises and keywords those with
                the most films come first, because they are meant by a name that several bear.
            numbers: One row per token: weight and effect, shape (tokens, 2); for words of the plot
                also the score, shape (tokens, 3); for tracked traits also the three past ratings,
                shape (tokens, 5).
            named: Whether the tokens are people, companies, franchises or keywords.
            others: By id, the other names of people.

        Raises:
            ValueError: The numbers have another shape, or a token is listed twice.
        """
        listed = list(tokens)
        self._numbers = np.asarray(numbers, dtype=np.float64)
        count = len(listed)
        if self._numbers.shape not in {(count, 2), (count, 3), (count, 2 + len(PAST_RATINGS))}:
            raise ValueError("a table has two numbers per token, or three or five")
        if not named:
            self.tokens = WordIndex(map(name_of, listed))
            return
        if len(set(listed)) < count:
            raise ValueError("a table lists each token once")
        kept = _one_row_per_name(listed, self._numbers)
        self._numbers = self._numbers[kept]
        self.tokens = NameIndex((listed[at] for at in kept), others or {})

    @classmethod
    def from_json(
        cls,
        raw: Mapping[str, Any],
        *,
        named: bool = False,
        others: Mapping[int, Sequence[str]] | None = None,
    ) -> Self:
        """Read a table from the dictionary that `to_json` writes.

        Args:
            raw: The dictionary.
            named: Whether the tokens are people, companies, franchises or keywords. Bundles of
                version 1.0 have no ids of them.
            others: By id, the other names of people.

        Raises:
            KeyError, TypeError, ValueError: The dictionary does not have the form that `to_json`
                writes.
        """
        numbers = np.frombuffer(b64decode(raw["numbers"]), "<f8")
        names: Sequence[str] = raw["tokens"]
        tokens: Sequence[Named] = names
        if named and "ids" in raw:
            ids = np.frombuffer(b64decode(raw["ids"]), "<i8").tolist()
            tokens = [
                name if number == NO_ID else Entity(number, name)
                for name, number in zip(names, ids, strict=True)
            ]
        return cls(tokens, numbers.reshape(len(tokens), raw["columns"]), named=named, others=others)

    def to_json(self) -> dict[str, Any]:
        """Return the table as a dictionary for JSON; numbers and ids are in base64."""
        numbers = b64encode(self._numbers.astype("<f8").tobytes()).decode()
        table = {
            "tokens": [name_of(token) for token in self],
            "columns": self._numbers.shape[1],
            "numbers": numbers,
        }
        if isinstance(self.tokens, NameIndex):
            table["ids"] = b64encode(self.tokens.ids.astype("<i8").tobytes()).decode()
        return table

    def __getitem__(self, token: Named) -> tuple[float, ...]:
        """Return a token's weight, effect and (if tracked) past ratings."""
        row = self.tokens.find(token)
        if row is None:
            raise KeyError(token)
        return tuple(self._numbers[row].tolist())

    def __contains__(self, token: object) -> bool:
        """Return whether the table contains this token."""
        return isinstance(token, str | Entity) and self.tokens.find(token) is not None

    def __iter__(self) -> Iterator[Named]:
        """Iterate over the tokens of the table; names are as spelled in most films."""
        return iter(self.tokens)

    def __len__(self) -> int:
        """Return the number of tokens in the table."""
        return len(self.tokens)

    def rows(self, tokens: Iterable[Named]) -> list[list[float]]:
        """Return the numbers of each of these tokens that the table contains, each row once."""
        found = [self.tokens.find(token) for token in dict.fromkeys(tokens)]
        rows = list(dict.fromkeys(row for row in found if row is not None))
        numbers: list[list[float]] = self._numbers[rows].tolist()
        return numbers

    def films(self, row: int) -> int | None:
        """Return the number of training films of a row; None if the trait is not tracked."""
        if self._numbers.shape[1] < 2 + len(PAST_RATINGS):
            return None
        return round(math.expm1(self._numbers[row, 2]))


def _one_row_per_name(listed: Sequence[Named], numbers: npt.NDArray[np.float64]) -> list[int]:
    """Return which rows to keep: of names without id and with the same key, that of most films."""
    tracked = numbers.shape[1] > 2  # noqa: PLR2004 - the first past rating is the number of films
    films = numbers[:, 2] if tracked else np.zeros(len(listed))
    kept: dict[Named, int] = {}
    for at, token in enumerate(listed):
        key = name_key(token) if isinstance(token, str) else token
        if key not in kept or films[at] > films[kept[key]]:
            kept[key] = at
    return list(kept.values())


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
        # People and others are found by id or name, not by token: the table may have names only.
        tokens = {trait: tokens_of(film) for trait, tokens_of in (TRAITS | NAMES).items()}
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

    def names(self, trait: str) -> NameIndex:
        """Return the people, companies, franchises or keywords that a trait's table has."""
        tokens = self.tables.get(trait, _EMPTY).tokens
        return tokens if isinstance(tokens, NameIndex) else NameIndex(())

    def films(self, trait: str, row: int) -> int | None:
        """Return the number of training films of a row; None if the trait is not tracked."""
        return self.tables[trait].films(row)

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

    def _effect(self, trait: str, tokens: Sequence[Named]) -> float:
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

    def _past(self, trait: str, tokens: Sequence[Named]) -> Sequence[float]:
        """Return the mean past ratings of the film's tokens that are in the table.

        If none is in the table, as for a new director, the result is 0 films and NaN ratings.
        """
        if not tokens:
            return (math.nan,) * len(PAST_RATINGS)
        pasts = [numbers[2:] for numbers in self._found(trait, tokens)]
        return [*map(fmean, zip(*pasts, strict=True))] or (0.0, math.nan, math.nan)

    def _found(self, trait: str, tokens: Sequence[Named]) -> list[list[float]]:
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
    def from_json(
        cls, raw: Mapping[str, Any], others: Mapping[int, Sequence[str]] | None = None
    ) -> Self:
        """Read the effects from the dictionary that `to_json` writes.

        Args:
            raw: The dictionary.
            others: By TMDB's id, the other names of people.
        """
        tables = {
            trait: EffectTable.from_json(
                table, named=trait in NAMES, others=others if trait in PEOPLE else None
            )
            for trait, table in raw["tables"].items()
        }
        plots = PlotWeights.from_json(raw["plots"]) if raw.get("plots") else None
        return cls(date.fromisoformat(raw["as_of"]), float(raw["average"]), tables, plots)
