"""Train one candidate of each model family, and select the best.

The selection compares the candidates' errors on the folds. A fold is a year before the split date.
Its films are forecast by a model that was trained on older films only. The hold-out films do not
influence the selection.
"""

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np

from movierating.model.features import choose_features
from movierating.model.target_encoding import ALL_EFFECTS, Effects
from movierating.registry.manifest import Scores
from scripts.dataset.metrics import baselines, rmse, score
from scripts.dataset.split import Ratings, TimeSplit, TooFewFilmsError
from scripts.parameters import (
    BIAS_HALF_LIFE_DAYS,
    BIAS_MIN_FILMS,
    BIAS_PRIOR_FILMS,
    MIN_FILMS,
    MIN_FILMS_PER_FLAG,
    ModelConfig,
    ModelType,
)
from scripts.training.leakage import refuse_leaks
from scripts.training.models import Correction, family_named, fit_correction
from scripts.training.vectors import FilmVectors, build_vectors
from scripts.training.vocabulary import DIGITS

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Fold:
    """The films of one fold, and the errors of a model trained on older films only.

    Attributes:
        films: The films of the fold with enough votes to evaluate on.
        errors: Forecast minus rating, if the model gets all facts; shape (films,).
        form_errors: The same errors, if the model gets only the facts in the UI's short form; shape
            (films,).
        masked_errors: The same errors, if the model gets only some of those facts; shape (films,).
    """

    films: FilmVectors
    errors: Ratings
    form_errors: Ratings
    masked_errors: Ratings

    @property
    def recent_bias(self) -> float:
        """The mean error in rating points, positive if forecasts were too high.

        It is 0 if the fold has fewer than `BIAS_MIN_FILMS` films. Newer films have more weight. The
        mean is shrunk towards zero, as if there were `BIAS_PRIOR_FILMS` more films with an error of
        zero.
        """
        if len(self.films) < BIAS_MIN_FILMS:
            return 0.0
        age = self.films.days - self.films.days.min()
        weights = 0.5 ** (age / BIAS_HALF_LIFE_DAYS)
        bias = float((weights * self.errors).sum() / (weights.sum() + BIAS_PRIOR_FILMS))
        return round(bias, DIGITS)

    def minus(self, bias: float) -> Self:
        """Return a copy of the fold with `bias` subtracted from all its forecasts."""
        return replace(
            self,
            errors=self.errors - bias,
            form_errors=self.form_errors - bias,
            masked_errors=self.masked_errors - bias,
        )


@dataclass(frozen=True)
class Candidate:
    """A model of one family, fitted on all training films, with its evaluation.

    Attributes:
        family: Name of the family.
        regressor: The fitted model.
        folds: The folds, newest first. From the forecasts of each fold, the recent bias of the next
            older fold is subtracted.
        recent_bias: Weighted mean error of the newest fold in rating points. It is subtracted from
            forecasts.
        train: Scores on the training films.
        holdout: Scores on the hold-out films.
    """

    family: ModelType
    regressor: Correction
    folds: list[Fold]
    recent_bias: float
    train: Scores
    holdout: Scores

    @property
    def validation_rmse(self) -> float:
        """The RMSE over all films of all folds; the candidate with the smallest is selected."""
        return rmse(np.concatenate([fold.errors for fold in self.folds]))


@dataclass(frozen=True)
class TrainingResult:
    """The result of one training: candidate models, target-encoded effects and feature vectors.

    Attributes:
        candidates: One fitted model per model family, with its errors.
        effects: For each director, genre and so on, how much the ratings of its films differ from
            the mean (target encoding). Estimated from the films before the split date.
        films: Feature vectors of the training films and the hold-out films.
        baselines: Scores of the baselines on the hold-out films, by name.
    """

    candidates: Sequence[Candidate]
    effects: Effects
    films: FilmVectors
    baselines: Mapping[str, Scores]

    @property
    def best(self) -> Candidate:
        """The candidate with the smallest RMSE on the folds."""
        return min(self.candidates, key=lambda each: each.validation_rmse)


def train_candidates(split: TimeSplit, config: ModelConfig) -> TrainingResult:
    """Train one candidate per family on the training films, and score it on the hold-out films.

    Raises:
        UnknownFamilyError: The configuration names a family that does not exist.
        TooFewFilmsError: There are not enough rated films.
        UnknownFeatureError: A feature is not known before release.
        LeakError: A feature depends on ratings that were unknown before the film's release.
    """
    for family in config.families:
        family_named(family)  # fails now, not after minutes of training
    features = choose_features(split.train.films, MIN_FILMS_PER_FLAG)
    refuse_leaks(split, features, build_vectors)
    films, effects = build_vectors(split, features)
    candidates = [
        _train_candidate(family, config.parameters[family], films) for family in config.families
    ]
    return TrainingResult(candidates, effects, films, baselines(split))


def _train_candidate(
    family: ModelType, parameters: Mapping[str, Any], films: FilmVectors
) -> Candidate:
    folds = backtest(family, parameters, films)
    training, holdout = films.training_films(), films.evaluation_films()
    bias = folds[0].recent_bias
    regressor = fit(family, parameters, training, bias)
    candidate = Candidate(
        family=family,
        regressor=regressor,
        folds=list(without_recent_bias(folds)),
        recent_bias=bias,
        train=score(training.ratings, regressor.predict(training.full)),
        holdout=score(holdout.ratings, regressor.predict(holdout.full)),
    )
    logger.info(
        "%s: RMSE %.3f on the folds, %.3f on the hold-out films; recent bias of %.3f subtracted",
        family,
        candidate.validation_rmse,
        candidate.holdout.rmse,
        bias,
    )
    return candidate


def fit(
    family: ModelType, parameters: Mapping[str, Any], films: FilmVectors, bias: float = 0.0
) -> Correction:
    """Fit a model of one family to the difference between ratings and the sum of effects.

    The training set contains each film three times: with all facts, with only the facts in the UI's
    short form, and with only some of those. So the model learns to forecast when most facts are
    missing.

    Args:
        family: Name of the family.
        parameters: Parameters of its estimator.
        films: Feature vectors of the training films.
        bias: Recent bias in rating points. It is subtracted from the training targets, so every
            forecast of the model is lower by it.
    """
    return fit_correction(
        family,
        parameters,
        np.vstack(films.views),
        np.tile(films.targets - bias, 3),
        np.tile(films.weights, 3),
        films.column(ALL_EFFECTS),
    )


def without_recent_bias(folds: Iterable[Fold]) -> Iterator[Fold]:
    """Subtract from the forecasts of each fold the recent bias of the next older fold.

    This bias was known when the fold's first film was released. The oldest fold is not changed,
    because it has no older fold.

    Args:
        folds: The folds, newest first.
    """
    newer: Fold | None = None
    for fold in folds:
        if newer:
            yield newer.minus(fold.recent_bias)
        newer = fold
    if newer:
        yield newer


def backtest(
    family: ModelType,
    parameters: Mapping[str, Any],
    films: FilmVectors,
    folds: Sequence[range] | None = None,
) -> list[Fold]:
    """Forecast each fold with a model trained on older films only (rolling origin).

    Args:
        family: Name of the family.
        parameters: Parameters of its estimator.
        films: Feature vectors of all training films.
        folds: Ranges of years before the split date, 1 being the newest; by default all folds.

    Returns:
        The films and errors of each fold, in the order of `folds`; by default newest first.

    Raises:
        TooFewFilmsError: No year has enough films to evaluate on, with enough older films to train
            on.
    """
    folds = films.folds if folds is None else folds
    if not folds:
        raise TooFewFilmsError(f"no year before the split has {MIN_FILMS} films to evaluate on")
    backtested = []
    for years in folds:
        films_of_fold = films.evaluation_films(years)
        model = fit(family, parameters, films.training_films(before=years.stop - 1))
        errors = (model.predict(view) - films_of_fold.ratings for view in films_of_fold.views)
        backtested.append(Fold(films_of_fold, *errors))
    return backtested
