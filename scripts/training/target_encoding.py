"""Estimate the target-encoded effects of all tokens from the films released before a date.

A token is one value of a trait, such as one director; its effect is its contribution to a film's
rating, in rating points. All effects are estimated together, by a ridge regression of ratings on
tokens in which each trait has its own shrinkage. This is the best linear unbiased prediction of
random effects (Henderson, Biometrics 31, 1975). A rating has more weight if it has more votes, and
less if the film is older.

Ratings with few votes differ systematically from ratings with many votes. This difference is
estimated together with the effects, and subtracted from the ratings that the model is trained on.

People, companies and franchises also have past ratings: the number of their earlier films, the mean
rating, and the rating of the newest film. From these numbers the model learns how reliable an
effect is. For example, an effect estimated from ten films is more reliable than one estimated from
two.

Only films released before the date are used, so a training film is encoded in the same way as a
film that is not released yet.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Final

import numpy as np
from scipy import sparse

from movierating.films.tokens import NAMES, TRACKED_TRAITS
from movierating.model.plot_weights import PlotWeights
from movierating.model.target_encoding import (
    ALL_EFFECTS,
    EFFECT_FEATURES,
    MEANING_EFFECT,
    PAST_RATING_FEATURES,
    PLOT_SCORE,
    Effects,
    EffectTable,
    TargetEncoding,
)
from scripts.parameters import EFFECTS, MIN_FILMS, MIN_VOTES_TO_MEASURE, EffectsConfig
from scripts.runtime.clock import YEAR_DAYS
from scripts.training.ridge import Dense, fit_ridge
from scripts.training.vocabulary import (
    DIGITS,
    Floats,
    Mask,
    TokenRows,
    Vocabulary,
    scaled_rows,
    unit_rows,
)

_MEANING: Final = "plot meaning"
_WORD_SCORE: Final = "plot score: words"
_MEANING_SCORE: Final = "plot score: meaning"
_FEW_VOTES: Final = "few votes"
_FEW_VOTES_TRAITS: Final = ("genre", "language")  # the shift differs by genre and by language


@dataclass(frozen=True)
class EffectsEstimate:
    """Effects and past ratings of tokens, estimated from the films released before a date.

    Attributes:
        as_of: The date of the estimate; only films released before it were used.
        average: Rating of the average film.
        known: By trait, whether each token occurs in enough of these films; shape (tokens,).
        coefficients: By trait, the effect of each token in rating points; shape (tokens,).
        past_ratings: By trait in `TRACKED_TRAITS`, the number of films of each token, their mean
            rating, and the rating of the newest (`PAST_RATINGS`); shape (tokens, 3).
        few_votes: How much few votes shift a rating: the coefficients of the columns of
            `_vote_shortfall`, in rating points.
        meaning: The effect of each principal component of the plots' vectors; shape (components,).
        word_scores: The score of each word of the plot; shape (words,).
        meaning_scores: The score of each principal component; shape (components,).
    """

    as_of: date
    average: float
    known: Mapping[str, Mask]
    coefficients: Mapping[str, Floats]
    past_ratings: Mapping[str, Floats]
    few_votes: Floats
    meaning: Floats
    word_scores: Floats
    meaning_scores: Floats

    def encodings(self, rows: TokenRows, which: Mask) -> list[TargetEncoding]:
        """Return the target encoding of each film that `which` marks, as `Effects.encode` does."""
        columns = self.encoding_columns(rows, which)
        return [
            dict(zip(columns, row, strict=True))
            for row in zip(*(each.tolist() for each in columns.values()), strict=True)
        ]

    def encoding_columns(self, rows: TokenRows, which: Mask) -> dict[str, Floats]:
        """Compute the target-encoded features of the films that `which` marks.

        Returns:
            By feature name: the value of each film; shape (films,). NaN if the film's fact is
            unknown.
        """
        films = rows.select(which, self.known)
        effects = {
            trait: unit_rows(matrix) @ self.coefficients[trait]
            for trait, matrix in films.matrices.items()
        }
        values = {
            EFFECT_FEATURES[trait]: np.where(films.present[trait], effect, np.nan)
            for trait, effect in effects.items()
        }
        known = films.has_meaning
        values[MEANING_EFFECT] = np.where(known, films.meaning @ self.meaning, np.nan)
        values[ALL_EFFECTS] = self.average + np.nansum(list(values.values()), axis=0)
        values[PLOT_SCORE] = np.where(known, self._plot_scores(films), np.nan)
        for trait, by_token in self.past_ratings.items():
            means = mean_past_ratings(films.matrices[trait], by_token)
            means = np.where(films.present[trait][:, None], means, np.nan)
            values |= zip(PAST_RATING_FEATURES[trait], means.T, strict=True)
        return values

    def _plot_scores(self, films: TokenRows) -> Floats:
        words: Floats = unit_rows(films.matrices["plot"]) @ self.word_scores
        return words + films.meaning @ self.meaning_scores

    def few_votes_shift(self, rows: TokenRows, votes: Floats, which: Mask) -> Floats:
        """Estimate how much few votes shift the rating of each film that `which` marks.

        Returns:
            The shift in rating points, zero for films with enough votes; shape (films,).
        """
        known = {trait: self.known[trait] for trait in _FEW_VOTES_TRAITS}
        shift: Floats = _vote_shortfall(rows.select(which, known), votes[which]) @ self.few_votes
        return shift

    def effects(self, vocabulary: Vocabulary, plots: PlotWeights | None = None) -> Effects:
        """Convert the estimate to the form that a bundle stores and the API reads."""
        tables = {}
        for trait, columns in vocabulary.columns.items():
            numbers = [np.round(vocabulary.weights[trait], DIGITS), self.coefficients[trait]]
            numbers += [self.word_scores] if trait == "plot" else []
            rows = np.column_stack([*numbers, *self.past_ratings.get(trait, np.empty(0)).T])
            known = self.known[trait]
            tokens = [token for token, is_known in zip(columns, known, strict=True) if is_known]
            tables[trait] = EffectTable(tokens, rows[known], named=trait in NAMES)
        return Effects(self.as_of, self.average, tables, plots)


def estimate(  # noqa: PLR0913, PLR0917 - one argument per column of the films
    rows: TokenRows,
    which: Mask,
    ratings: Floats,
    votes: Floats,
    days_old: Floats,
    as_of: date,
    config: EffectsConfig = EFFECTS,
) -> EffectsEstimate:
    """Estimate the effects and past ratings of all tokens from the films that `which` marks.

    Args:
        rows: The tokens of all films, one row per film.
        which: True for the films to estimate from, all released before `as_of`; shape (films,).
        ratings: TMDB's `vote_average`; shape (films,).
        votes: TMDB's `vote_count`; shape (films,).
        days_old: Days from release to `as_of`; shape (films,).
        as_of: The date of the estimate; only films released before it are used.
        config: Shrinkage of each trait, and how votes and age change a film's weight.
    """
    known = rows.frequent_tokens(which, config)
    films = rows.select(which, known)
    # Scaling a trait's columns by 1/sqrt(shrinkage) gives it its own penalty in a single ridge.
    scales = {trait: 1 / np.sqrt(config.shrinkage[trait]) for trait in films.matrices}
    blocks = [unit_rows(matrix) * scales[trait] for trait, matrix in films.matrices.items()]
    few = _vote_shortfall(films, votes[which]) / np.sqrt(config.shrinkage[_FEW_VOTES])
    weights = votes / (votes + config.half_weight_votes)
    weights = weights * 0.5 ** (days_old / YEAR_DAYS / config.half_life_years)
    meaning = Dense(films.meaning, 1 / np.sqrt(config.shrinkage[_MEANING]))
    matrix = sparse.hstack([*blocks, few]).tocsr()
    ridge = fit_ridge(matrix, ratings[which], weights[which], dense=meaning)
    coefficients, start = {}, 0
    for trait, matrix in rows.matrices.items():
        end = start + matrix.shape[1]
        coefficients[trait] = np.round(ridge.coefficients[start:end] * scales[trait], DIGITS)
        start = end
    end = start + few.shape[1]
    scale = 1 / np.sqrt(config.shrinkage[_FEW_VOTES])
    few_votes = np.round(ridge.coefficients[start:end] * scale, DIGITS)
    meaning_effects = ridge.coefficients[end:] * meaning.scale
    word_scores, meaning_scores = _scores(
        films, ratings[which] - few @ (few_votes / scale), weights[which], config
    )
    by_token = {
        trait: past_ratings(films.matrices[trait], ratings[which], days_old[which])
        for trait in TRACKED_TRAITS
    }
    average = round(ridge.intercept, DIGITS)
    estimated = EffectsEstimate(
        as_of,
        average,
        known,
        coefficients,
        by_token,
        few_votes,
        np.round(meaning_effects, DIGITS),
        word_scores,
        meaning_scores,
    )
    measured = which & (votes >= MIN_VOTES_TO_MEASURE)
    if measured.sum() < MIN_FILMS:
        return estimated
    recent = _recent_average(estimated, rows, measured, ratings, days_old, config)
    return replace(estimated, average=recent)


def _scores(
    films: TokenRows, ratings: Floats, weights: Floats, config: EffectsConfig
) -> tuple[Floats, Floats]:
    """Estimate what plots say about ratings if nothing else is known.

    This is a second ridge regression, with the words and the components of the plots alone.

    Returns:
        The scores of the words, and the scores of the principal components.
    """
    words, count = unit_rows(films.matrices["plot"]), films.matrices["plot"].shape[1]
    if films.has_meaning.sum() < MIN_FILMS:
        return np.zeros(count), np.zeros(films.meaning.shape[1])
    scale = 1 / np.sqrt(config.shrinkage[_WORD_SCORE])
    meaning = Dense(films.meaning, 1 / np.sqrt(config.shrinkage[_MEANING_SCORE]))
    # A film without a vector gets no weight. To leave it out would copy the whole matrix.
    told = weights * films.has_meaning
    coefficients = fit_ridge(words * scale, ratings, told, dense=meaning).coefficients
    return (
        np.round(coefficients[:count] * scale, DIGITS),
        np.round(coefficients[count:] * meaning.scale, DIGITS),
    )


def past_ratings(tokens: sparse.csr_matrix, ratings: Floats, days_old: Floats) -> Floats:
    """Compute the past ratings of each token: number of films, mean rating, newest rating.

    Args:
        tokens: Token weights, shape (films, tokens).
        ratings: TMDB's `vote_average`; shape (films,).
        days_old: Days since release; shape (films,).

    Returns:
        Shape (tokens, 3), in the order of `PAST_RATINGS`. The number n is stored as log(1 + n). All
        three are zero for a token without films.
    """
    oldest_first = np.argsort(-days_old, kind="stable")
    rows = tokens[oldest_first]
    rating = np.repeat(ratings[oldest_first], np.diff(rows.indptr))
    films = np.bincount(rows.indices, minlength=rows.shape[1])
    total = np.bincount(rows.indices, rating, minlength=rows.shape[1])
    latest = np.zeros(len(films))
    latest[rows.indices] = rating  # NumPy keeps the last value of a repeated index: the newest film
    columns: Floats = np.stack([np.log1p(films), total / np.maximum(films, 1), latest], axis=1)
    return np.round(columns, DIGITS)


def mean_past_ratings(tokens: sparse.csr_matrix, by_token: Floats) -> Floats:
    """Average the past ratings of each film's tokens, such as of all its cast members.

    Args:
        tokens: Token weights of one trait, shape (films, tokens).
        by_token: Past ratings of each token, shape (tokens, 3).

    Returns:
        Shape (films, 3). A film without tokens that have past ratings gets zero earlier films, and
        NaN for both ratings.
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
    """Fit the average rating again, with more weight on new films.

    The mean of all ratings changes faster over the years than the effects of tokens.
    """
    errors = estimated.encoding_columns(rows, measured)[ALL_EFFECTS] - ratings[measured]
    freshness = 0.5 ** (days_old[measured] / YEAR_DAYS / config.level_half_life_years)
    return round(estimated.average - float(np.average(errors, weights=freshness)), DIGITS)


def _vote_shortfall(films: TokenRows, votes: Floats) -> sparse.csr_matrix:
    """Compute how far each film's votes are below `MIN_VOTES_TO_MEASURE`, in powers of ten.

    Returns:
        One row per film. The first column is the shortfall, 0 with enough votes. The other columns
        are its products with the film's genres and language.
    """
    shortfall = np.clip(np.log10(MIN_VOTES_TO_MEASURE / np.maximum(votes, 1)), 0, None)
    by_trait = [
        scaled_rows(unit_rows(films.matrices[trait]), shortfall) for trait in _FEW_VOTES_TRAITS
    ]
    return sparse.hstack([sparse.csr_matrix(shortfall[:, None]), *by_trait]).tocsr()
