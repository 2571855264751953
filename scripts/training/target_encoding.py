"""Estimate the effects of all tokens jointly, from the films released before a date.

The method is a ridge regression of ratings on tokens in which each trait has its own shrinkage.
This is the best linear unbiased prediction of random effects (Henderson, Biometrics 31, 1975). A
rating weighs more with more votes and less with age. Films with few votes get systematically
different ratings; that difference is estimated together with the effects and removed from the
ratings the model is trained on.

People, companies and franchises also get past ratings: the number of their films, the mean rating,
and the newest one. The trees learn from these how far to trust an effect: a tenth film says more
than a second one, and a long list of famous leads promises less than the sum of their effects.
Only films before the date enter, so a training film is encoded like a film still to come.
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
from scripts.training.vocabulary import DIGITS, Floats, Mask, TokenRows, Vocabulary, unit_rows

_FEW_VOTES: Final = "few votes"
_FEW_VOTES_TRAITS: Final = ("genre", "language")  # the shift of few votes differs between these


@dataclass(frozen=True)
class EffectsEstimate:
    """Effects estimated from the films released before a date.

    Attributes:
        as_of: The date.
        average: Rating of the average film.
        known: By trait, the tokens that occur in enough of these films; (tokens,).
        coefficients: By trait, the effect of each token in rating points; (tokens,).
        past_ratings: By tracked trait, the `PAST_RATINGS` of each token; (tokens, 3).
        few_votes: Coefficients of `_vote_shortfall`, in rating points.
    """

    as_of: date
    average: float
    known: Mapping[str, Mask]
    coefficients: Mapping[str, Floats]
    past_ratings: Mapping[str, Floats]
    few_votes: Floats

    def encodings(self, rows: TokenRows, which: Mask) -> list[TargetEncoding]:
        """Encode the films in `which` as `Effects.encode` does, one dictionary per film."""
        columns = self.encoding_columns(rows, which)
        return [
            dict(zip(columns, row, strict=True))
            for row in zip(*(each.tolist() for each in columns.values()), strict=True)
        ]

    def encoding_columns(self, rows: TokenRows, which: Mask) -> dict[str, Floats]:
        """Encode the films in `which`, one column per feature, each (films,); NaN if unknown."""
        films = rows.select(which, self.known)
        effects = {
            trait: unit_rows(matrix) @ self.coefficients[trait]
            for trait, matrix in films.matrices.items()
        }
        values = {
            EFFECT_FEATURES[trait]: np.where(films.present[trait], effect, np.nan)
            for trait, effect in effects.items()
        }
        values[ALL_EFFECTS] = self.average + np.nansum(list(values.values()), axis=0)
        for trait, by_token in self.past_ratings.items():
            means = mean_past_ratings(films.matrices[trait], by_token)
            means = np.where(films.present[trait][:, None], means, np.nan)
            values |= zip(PAST_RATING_FEATURES[trait], means.T, strict=True)
        return values

    def few_votes_shift(self, rows: TokenRows, votes: Floats, which: Mask) -> Floats:
        """How far few votes moved the ratings of the films in `which`; zero with enough votes."""
        known = {trait: self.known[trait] for trait in _FEW_VOTES_TRAITS}
        shift: Floats = _vote_shortfall(rows.select(which, known), votes[which]) @ self.few_votes
        return shift

    def effects(self, vocabulary: Vocabulary) -> Effects:
        """The effects in the form that a bundle stores."""
        tables = {}
        for trait, columns in vocabulary.columns.items():
            numbers = [np.round(vocabulary.weights[trait], DIGITS), self.coefficients[trait]]
            rows = np.column_stack([*numbers, *self.past_ratings.get(trait, np.empty(0)).T])
            known = self.known[trait]
            tokens = [token for token, at in columns.items() if known[at]]  # in column order
            tables[trait] = EffectTable(tokens, rows[known])
        return Effects(self.as_of, self.average, tables)


def estimate(  # noqa: PLR0913, PLR0917 - one argument per column of the films
    rows: TokenRows,
    which: Mask,
    ratings: Floats,
    votes: Floats,
    days_old: Floats,
    as_of: date,
    config: EffectsConfig = EFFECTS,
) -> EffectsEstimate:
    """Estimate the effects from some of the films.

    Args:
        rows: The tokens of all films.
        which: The films to estimate from, all released before `as_of`; (films,).
        ratings: TMDB's `vote_average`; (films,).
        votes: TMDB's `vote_count`; (films,).
        days_old: Days from release to `as_of`; (films,).
        as_of: The date for which the effects hold.
        config: Shrinkage of each trait, and the weights of votes and age.
    """
    known = rows.frequent_tokens(which, config)
    films = rows.select(which, known)
    # Scaling a trait's columns by 1/sqrt(shrinkage) gives it its own penalty in a single ridge.
    scales = {trait: 1 / np.sqrt(config.shrinkage[trait]) for trait in films.matrices}
    blocks = [unit_rows(matrix) * scales[trait] for trait, matrix in films.matrices.items()]
    few = _vote_shortfall(films, votes[which]) / np.sqrt(config.shrinkage[_FEW_VOTES])
    weights = votes / (votes + config.half_weight_votes)
    weights = weights * 0.5 ** (days_old / YEAR_DAYS / config.half_life_years)
    ridge = Ridge(alpha=1.0, solver="lsqr", max_iter=config.iterations, tol=1e-5)
    # BLAS threads spend more time waiting for each other than these small sums take.
    with threadpool_limits(limits=1, user_api="blas"):
        ridge.fit(
            sparse.hstack([*blocks, few]).tocsr(), ratings[which], sample_weight=weights[which]
        )
    coefficients, start = {}, 0
    for trait, matrix in rows.matrices.items():
        end = start + matrix.shape[1]
        coefficients[trait] = np.round(ridge.coef_[start:end] * scales[trait], DIGITS)
        start = end
    few_votes = ridge.coef_[start:] / np.sqrt(config.shrinkage[_FEW_VOTES])
    by_token = {
        trait: past_ratings(films.matrices[trait], ratings[which], days_old[which])
        for trait in TRACKED_TRAITS
    }
    average = round(float(ridge.intercept_), DIGITS)
    estimated = EffectsEstimate(as_of, average, known, coefficients, by_token, few_votes)
    measured = which & (votes >= MIN_VOTES_TO_MEASURE)
    if measured.sum() < MIN_FILMS:
        return estimated
    recent = _recent_average(estimated, rows, measured, ratings, days_old, config)
    return replace(estimated, average=recent)


def past_ratings(tokens: sparse.csr_matrix, ratings: Floats, days_old: Floats) -> Floats:
    """The `PAST_RATINGS` of each token, shape (tokens, 3); zeros for a token without films.

    Args:
        tokens: Token weights, shape (films, tokens).
        ratings: TMDB's `vote_average`; (films,).
        days_old: Days since release; (films,).
    """
    oldest_first = np.argsort(-days_old, kind="stable")
    rows = tokens[oldest_first]
    rating = np.repeat(ratings[oldest_first], np.diff(rows.indptr))
    films = np.bincount(rows.indices, minlength=rows.shape[1])
    total = np.bincount(rows.indices, rating, minlength=rows.shape[1])
    latest = np.zeros(len(films))
    latest[rows.indices] = rating  # of repeated indices the last one wins: the newest film
    columns = np.stack([np.log1p(films), total / np.maximum(films, 1), latest], axis=1)
    return np.round(columns, DIGITS)


def mean_past_ratings(tokens: sparse.csr_matrix, by_token: Floats) -> Floats:
    """The mean past ratings over each film's tokens, shape (films, 3).

    A film whose people are all newcomers has zero earlier films, and NaN for the ratings.
    """
    count = tokens.getnnz(axis=1)
    found = sparse.csr_matrix((np.ones(tokens.nnz), tokens.indices, tokens.indptr), tokens.shape)
    means: Floats = found @ by_token / np.maximum(count, 1)[:, None]
    means[count == 0, 1:] = np.nan
    return means


def _recent_average(  # noqa: PLR0913, PLR0917 - one argument per column of the films
    estimated: EffectsEstimate,
    rows: TokenRows,
    measured: Mask,
    ratings: Floats,
    days_old: Floats,
    config: EffectsConfig,
) -> float:
    """The average fitted to the newest films, because rating levels drift faster than effects."""
    errors = estimated.encoding_columns(rows, measured)[ALL_EFFECTS] - ratings[measured]
    freshness = 0.5 ** (days_old[measured] / YEAR_DAYS / config.level_half_life_years)
    return round(estimated.average - float(np.average(errors, weights=freshness)), DIGITS)


def _vote_shortfall(films: TokenRows, votes: Floats) -> sparse.csr_matrix:
    """How many powers of ten a film's votes are below `MIN_VOTES_TO_MEASURE`.

    The first column holds the shortfall itself, the others its product with genre and language.
    """
    shortfall = np.clip(np.log10(MIN_VOTES_TO_MEASURE / np.maximum(votes, 1)), 0, None)
    scaled = sparse.diags(shortfall)
    by_trait = [scaled @ unit_rows(films.matrices[trait]) for trait in _FEW_VOTES_TRAITS]
    return sparse.hstack([sparse.csr_matrix(shortfall[:, None]), *by_trait]).tocsr()
