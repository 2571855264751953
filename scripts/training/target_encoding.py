"""Estimate the effects of all tokens jointly, from the films released before a date.

A ridge regression of the ratings on the tokens, in which each trait has a shrinkage of its own: the
best linear unbiased prediction of random effects (Henderson, Biometrics 31, 1975). A rating counts
by its votes, and half as much for every few years of its age. Films of few votes are rated
otherwise than those that many people saw; what that makes is estimated beside the effects, and
taken off the ratings that teach.

Of people, companies and franchises their past is kept as well: how many films, how these were
rated, and the newest of them. A token counts from the films before the date alone, so a film that
teaches is described as one to come.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Final

import numpy as np
from scipy import sparse
from sklearn.linear_model import Ridge
from threadpoolctl import threadpool_limits

from movierating.films.tokens import TRACKED_TRAITS
from movierating.model.target_encoding import (
    ALL_EFFECTS,
    EFFECT_FEATURES,
    PAST_RATING_FEATURES,
    Effects,
    EffectTable,
    TargetEncoding,
)
from scripts.parameters import EFFECTS, MIN_FILMS, MIN_VOTES_TO_MEASURE, EffectsConfig
from scripts.runtime.clock import YEAR_DAYS
from scripts.training.past_ratings import mean_past_ratings, past_ratings
from scripts.training.vocabulary import DIGITS, Floats, Mask, TokenRows, Vocabulary, unit_rows

_FEW: Final = "few votes"
_SPLIT_BY: Final = ("genre", "language")  # what few votes do differs between these


@dataclass(frozen=True)
class EffectsEstimate:
    """Effects as learned from films released before a date.

    Attributes:
        known: By trait, the tokens that these films know; (tokens,).
        coefficients: By trait, rating points for each token.
        past_ratings: By tracked trait, the `PAST_RATINGS` of each token; (tokens, 3).
        few_votes: What few votes make, in rating points.
    """

    as_of: date
    average: float
    known: Mapping[str, Mask]
    coefficients: Mapping[str, Floats]
    past_ratings: Mapping[str, Floats]
    few_votes: Floats

    def encodings(self, rows: TokenRows, which: Mask) -> list[TargetEncoding]:
        """What `Effects.encode` says of the films of some rows."""
        columns = self.encoding_columns(rows, which)
        return [
            dict(zip(columns, row, strict=True))
            for row in zip(*(each.tolist() for each in columns.values()), strict=True)
        ]

    def encoding_columns(self, rows: TokenRows, which: Mask) -> dict[str, Floats]:
        """The same column by column; each (films,)."""
        films = rows.only(which, self.known)
        effects = {
            trait: unit_rows(matrix) @ self.coefficients[trait]
            for trait, matrix in films.matrices.items()
        }
        values = {
            EFFECT_FEATURES[trait]: np.where(films.present[trait], effect, np.nan)
            for trait, effect in effects.items()
        }
        values[ALL_EFFECTS] = self.average + np.nansum(list(values.values()), axis=0)
        for trait, pasts in self.past_ratings.items():
            means = np.where(
                films.present[trait][:, None],
                mean_past_ratings(films.matrices[trait], pasts),
                np.nan,
            )
            values |= zip(PAST_RATING_FEATURES[trait], means.T, strict=True)
        return values

    def few_votes_shift(self, rows: TokenRows, votes: Floats, which: Mask) -> Floats:
        """What having few votes did to the ratings of the films of some rows."""
        known = {trait: self.known[trait] for trait in _SPLIT_BY}
        shift: Floats = _few_votes(rows.only(which, known), votes[which]) @ self.few_votes
        return shift

    def effects(self, vocabulary: Vocabulary) -> Effects:
        """The effects as a bundle carries them."""
        tables = {}
        for trait, columns in vocabulary.columns.items():
            numbers = [np.round(vocabulary.weights[trait], DIGITS), self.coefficients[trait]]
            rows = np.column_stack([*numbers, *self.past_ratings.get(trait, np.empty(0)).T])
            known = self.known[trait]
            tokens = [token for token, at in columns.items() if known[at]]  # in their order
            tables[trait] = EffectTable(tokens, rows[known])
        return Effects(self.as_of, self.average, tables)


def estimate(  # noqa: PLR0913, PLR0917 - what is known of the films, column by column
    rows: TokenRows,
    which: Mask,
    ratings: Floats,
    votes: Floats,
    days_old: Floats,
    as_of: date,
    config: EffectsConfig = EFFECTS,
) -> EffectsEstimate:
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
    known = rows.known(which, config)
    taught = rows.only(which, known)
    scales = {trait: 1 / np.sqrt(config.shrinkage[trait]) for trait in taught.matrices}
    blocks = [unit_rows(matrix) * scales[trait] for trait, matrix in taught.matrices.items()]
    few = _few_votes(taught, votes[which]) / np.sqrt(config.shrinkage[_FEW])
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
        coefficients[trait] = np.round(ridge.coef_[start:end] * scales[trait], DIGITS)
        start = end
    few_votes = ridge.coef_[start:] / np.sqrt(config.shrinkage[_FEW])
    pasts = {
        trait: past_ratings(taught.matrices[trait], ratings[which], days_old[which])
        for trait in TRACKED_TRAITS
    }
    average = round(float(ridge.intercept_), DIGITS)
    learned = EffectsEstimate(as_of, average, known, coefficients, pasts, few_votes)
    measured = which & (votes >= MIN_VOTES_TO_MEASURE)
    if measured.sum() < MIN_FILMS:
        return learned
    return replace(learned, average=_level(learned, rows, measured, ratings, days_old, config))


def _level(  # noqa: PLR0913, PLR0917 - as above
    learned: EffectsEstimate,
    rows: TokenRows,
    measured: Mask,
    ratings: Floats,
    days_old: Floats,
    config: EffectsConfig,
) -> float:
    """The average by the newest films: levels drift faster than what the effects tell."""
    off = learned.encoding_columns(rows, measured)[ALL_EFFECTS] - ratings[measured]
    freshness = 0.5 ** (days_old[measured] / YEAR_DAYS / config.level_half_life_years)
    return round(learned.average - float(np.average(off, weights=freshness)), DIGITS)


def _few_votes(films: TokenRows, votes: Floats) -> sparse.csr_matrix:
    """How far below the votes of a measured film (powers of ten), also by genre and language."""
    shortfall = np.clip(np.log10(MIN_VOTES_TO_MEASURE / np.maximum(votes, 1)), 0, None)
    scaled = sparse.diags(shortfall)
    by_trait = [scaled @ unit_rows(films.matrices[trait]) for trait in _SPLIT_BY]
    return sparse.hstack([sparse.csr_matrix(shortfall[:, None]), *by_trait]).tocsr()
