"""Estimate the effects of all tokens of the films released before a date, all of them together.

A ridge regression of the ratings on the tokens, in which each trait has a shrinkage of its own: the
best linear unbiased prediction of random effects (Henderson, Biometrics 31, 1975). A rating counts
by its votes, and half as much for every few years of its age. Films of few votes are rated
otherwise than those that many people saw; what that makes is estimated beside the effects, and
taken off the ratings that teach.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Final, Self

import numpy as np
import numpy.typing as npt
from scipy import sparse
from sklearn.linear_model import Ridge
from threadpoolctl import threadpool_limits

from movierating.effects import ALL, TRAITS, Effects, Record
from movierating.film import Film
from scripts.dates import YEAR_DAYS
from scripts.parameters import EFFECTS, MIN_FILMS, MIN_VOTES_TO_MEASURE, EffectsConfig

Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]

_WORDS: Final = frozenset({"plot"})  # rare ones say more than common ones
_DIGITS: Final = 5
_FEW: Final = "few votes"


@dataclass(frozen=True)
class Vocabulary:
    """The tokens worth an effect.

    Attributes:
        columns: By trait and token, its column.
        weights: By trait, the weight of each column beside the others: for words the inverse
            document frequency, else 1.
    """

    columns: Mapping[str, Mapping[str, int]]
    weights: Mapping[str, Floats]

    @classmethod
    def of(cls, films: Sequence[Film], config: EffectsConfig = EFFECTS) -> Self:
        """The tokens that enough of the films have."""
        counts: dict[str, Counter[str]] = {trait: Counter() for trait in TRAITS}
        for film in films:
            for trait, tokens_of in TRAITS.items():
                counts[trait].update(set(tokens_of(film)))
        columns, weights = {}, {}
        for trait, counted in counts.items():
            kept = sorted(token for token, n in counted.items() if n >= config.min_films(trait))
            columns[trait] = {token: at for at, token in enumerate(kept)}
            rare = rarity([counted[token] for token in kept], len(films))
            weights[trait] = rare if trait in _WORDS else np.ones(len(kept))
        return cls(columns, weights)


@dataclass(frozen=True)
class TokenRows:
    """Films as sparse rows of their tokens' weights, of length 1 within each trait.

    Attributes:
        matrices: By trait, shape (films, tokens).
        known: By trait, whether the film tells it; (films,).
    """

    matrices: Mapping[str, sparse.csr_matrix]
    known: Mapping[str, Mask]

    @classmethod
    def of(cls, films: Sequence[Film], vocabulary: Vocabulary) -> Self:
        """The rows of some films."""
        matrices, known = {}, {}
        for trait, tokens_of in TRAITS.items():
            columns, weights = vocabulary.columns[trait], vocabulary.weights[trait]
            indices, starts, told = [], [0], np.zeros(len(films), np.bool_)
            for row, film in enumerate(films):
                tokens = dict.fromkeys(tokens_of(film))
                told[row] = bool(tokens)
                indices += [columns[token] for token in tokens if token in columns]
                starts.append(len(indices))
            at = np.asarray(indices, np.int32)
            matrices[trait] = unit_rows(at, np.asarray(starts, np.int32), weights)
            known[trait] = told
        return cls(matrices, known)


@dataclass(frozen=True)
class Estimate:
    """Effects as learned from films released before a date.

    Attributes:
        coefficients: By trait, rating points for each column of the vocabulary.
    """

    as_of: date
    average: float
    coefficients: Mapping[str, Floats]
    few_votes: Floats

    def records(self, rows: TokenRows, which: Mask) -> list[Record]:
        """What `Effects.of` says of the films of some rows."""
        values = {
            trait: np.where(
                rows.known[trait][which], matrix[which] @ self.coefficients[trait], np.nan
            )
            for trait, matrix in rows.matrices.items()
        }
        values[ALL] = self.average + np.nansum(list(values.values()), axis=0)
        return [
            dict(zip(values, row, strict=True))
            for row in zip(*(each.tolist() for each in values.values()), strict=True)
        ]

    def of_few_votes(self, rows: TokenRows, votes: Floats, which: Mask) -> Floats:
        """What having few votes did to the ratings of the films of some rows."""
        shift: Floats = _few_votes(rows, votes, which) @ self.few_votes
        return shift

    def effects(self, vocabulary: Vocabulary) -> Effects:
        """The effects as a bundle carries them."""
        tables = {
            trait: {
                token: (round(float(weights[at]), _DIGITS), float(self.coefficients[trait][at]))
                for token, at in vocabulary.columns[trait].items()
            }
            for trait, weights in vocabulary.weights.items()
        }
        return Effects(self.as_of, self.average, tables)


def estimate(  # noqa: PLR0913, PLR0917 - what is known of the films, column by column
    rows: TokenRows,
    which: Mask,
    ratings: Floats,
    votes: Floats,
    days_old: Floats,
    as_of: date,
    config: EffectsConfig = EFFECTS,
) -> Estimate:
    """Learn from the films of some rows.

    Args:
        rows: The tokens of all films.
        which: Those to learn from, all released before `as_of`; shape (films,).
        ratings: TMDB's `vote_average`; (films,).
        votes: Their number; (films,).
        days_old: From release to `as_of`; (films,).
        as_of: The date that the effects are of.
        config: How far each trait is shrunk.
    """
    scales = {trait: 1 / np.sqrt(config.shrinkage[trait]) for trait in rows.matrices}
    blocks = [matrix[which] * scales[trait] for trait, matrix in rows.matrices.items()]
    few = _few_votes(rows, votes, which) / np.sqrt(config.shrinkage[_FEW])
    weights = votes / (votes + config.half_weight_votes)
    weights = weights * 0.5 ** (days_old / YEAR_DAYS / config.half_life_years)
    ridge = Ridge(alpha=1.0, solver="lsqr", max_iter=config.iterations, tol=1e-5)
    with threadpool_limits(limits=1, user_api="blas"):  # threads wait longer than its sums take
        ridge.fit(
            sparse.hstack([*blocks, few]).tocsr(), ratings[which], sample_weight=weights[which]
        )
    coefficients, start = {}, 0
    for trait, matrix in rows.matrices.items():
        end = start + matrix.shape[1]
        coefficients[trait] = np.round(ridge.coef_[start:end] * scales[trait], _DIGITS)
        start = end
    few_votes = ridge.coef_[start:] / np.sqrt(config.shrinkage[_FEW])
    learned = Estimate(as_of, round(float(ridge.intercept_), _DIGITS), coefficients, few_votes)
    measured = which & (votes >= MIN_VOTES_TO_MEASURE)
    if measured.sum() < MIN_FILMS:
        return learned
    # Ratings drift: the level is that of the newest films, the effects are those of many years.
    off = [record[ALL] for record in learned.records(rows, measured)] - ratings[measured]
    freshness = 0.5 ** (days_old[measured] / YEAR_DAYS / config.level_half_life_years)
    level = learned.average - float(np.average(off, weights=freshness))
    return replace(learned, average=round(level, _DIGITS))


def _few_votes(rows: TokenRows, votes: Floats, which: Mask) -> sparse.csr_matrix:
    """How far below the votes of a measured film (powers of ten), also by genre and language."""
    shortfall = np.clip(np.log10(MIN_VOTES_TO_MEASURE / np.maximum(votes[which], 1)), 0, None)
    scaled = sparse.diags(shortfall)
    by_trait = [scaled @ rows.matrices[trait][which] for trait in ("genre", "language")]
    return sparse.hstack([sparse.csr_matrix(shortfall[:, None]), *by_trait]).tocsr()


def rarity(counts: Sequence[int], films: int) -> Floats:
    """The weights of words that so many of the films have each: smoothed IDF, as scikit-learn's."""
    weights: Floats = np.log((1 + films) / (1 + np.asarray(counts, float))) + 1
    return weights


def unit_rows(
    indices: npt.NDArray[np.int32], starts: npt.NDArray[np.int32], weights: Floats
) -> sparse.csr_matrix:
    """Sparse rows of length 1, each of its tokens' weights; a row without tokens stays zero.

    Args:
        indices: The columns of the tokens, row after row.
        starts: Where each row begins among them, and the end; (rows + 1,).
        weights: By column.
    """
    values = np.round(weights, _DIGITS)[indices]
    rows = sparse.csr_matrix((values, indices, starts), shape=(len(starts) - 1, len(weights)))
    lengths = np.sqrt(np.asarray(rows.multiply(rows).sum(axis=1)).ravel())
    return (sparse.diags(1 / np.where(lengths > 0, lengths, 1)) @ rows).tocsr()
