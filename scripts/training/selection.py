"""Learn from a split: describe its films, try out the families, choose one.

The choice goes by the last years before the split, each forecast as it came; the held-out films
have no say in it.
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
from scripts.training.korean_plots import add_korean_plots
from scripts.training.leakage import refuse_leaks
from scripts.training.models import Correction, fit_correction
from scripts.training.vectors import FilmVectors, build_vectors

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Fold:
    """Years before the split, forecast by a model that knew only what came before them.

    Attributes:
        films: The films of the years that measure.
        errors: Forecast minus rating with all facts known; (films,).
        form_errors: The same, knowing only what the page's form asks for; (films,).
        masked_errors: The same with some of the form's facts hidden; (films,).
    """

    films: FilmVectors
    errors: Ratings
    form_errors: Ratings
    masked_errors: Ratings

    @property
    def bias(self) -> float:
        """How far too high the last forecasts were, in rating points; zero for few films."""
        if len(self.films) < BIAS_MIN_FILMS:
            return 0.0
        age = self.films.days - self.films.days.min()
        weights = 0.5 ** (age / BIAS_HALF_LIFE_DAYS)
        return float(weights @ self.errors / (weights.sum() + BIAS_PRIOR_FILMS))

    def without(self, bias: float) -> Self:
        """The fold as forecast so much lower."""
        return replace(
            self,
            errors=self.errors - bias,
            form_errors=self.form_errors - bias,
            masked_errors=self.masked_errors - bias,
        )


@dataclass(frozen=True)
class Candidate:
    """A family, fitted on all films that teach.

    Attributes:
        folds: The last years before the split, forecast as they came, the newest first, and each
            without the bias that was known when it began.
        bias: The one known at the split, which is taken off the forecasts; in rating points.
        train: Scores on the films that taught it.
        holdout: Scores on the held-out films.
    """

    family: ModelType
    regressor: Correction
    folds: list[Fold]
    bias: float
    train: Scores
    holdout: Scores

    @property
    def validation_rmse(self) -> float:
        """What the choice goes by: the error over all films of the folds."""
        return rmse(np.concatenate([fold.errors for fold in self.folds]))


@dataclass(frozen=True)
class TrainingResult:
    """What was learned from a split.

    Attributes:
        candidates: One of each family.
        effects: The track records as of the split.
        films: The films as vectors.
        baselines: Scores on the held-out films of what any model has to beat.
    """

    candidates: Sequence[Candidate]
    effects: Effects
    films: FilmVectors
    baselines: Mapping[str, Scores]

    @property
    def best(self) -> Candidate:
        """The candidate with the smallest error on the folds."""
        return min(self.candidates, key=lambda each: each.validation_rmse)


def train_candidates(split: TimeSplit, config: ModelConfig) -> TrainingResult:
    """Learn from the films before a split, and measure on those after it.

    Raises:
        TooFewFilmsError: There are not enough rated films.
        UnknownFeatureError: A feature is not known before release.
        LeakError: A feature depends on what it is to forecast.
    """
    features = choose_features(split.train.films, MIN_FILMS_PER_FLAG)
    refuse_leaks(split, features, build_vectors)
    films, effects = build_vectors(split, features)
    effects = add_korean_plots(effects, split.train)
    candidates = [_train_candidate(family, config, films) for family in config.families]
    return TrainingResult(candidates, effects, films, baselines(split))


def _train_candidate(family: ModelType, config: ModelConfig, films: FilmVectors) -> Candidate:
    parameters = config.parameters[family]
    folds = backtest(family, parameters, films)
    taught, held_out = films.training_films(), films.evaluation_films()
    bias = folds[0].bias
    regressor = fit(family, parameters, taught, bias)
    candidate = Candidate(
        family=family,
        regressor=regressor,
        folds=list(without_recent_bias(folds)),
        bias=bias,
        train=score(taught.ratings, regressor.predict(taught.full)),
        holdout=score(held_out.ratings, regressor.predict(held_out.full)),
    )
    logger.info(
        "%s: RMSE %.3f on validation, %.3f held out, with a bias of %.3f taken off",
        family,
        candidate.validation_rmse,
        candidate.holdout.rmse,
        bias,
    )
    return candidate


def fit(
    family: ModelType, parameters: Mapping[str, Any], films: FilmVectors, bias: float = 0.0
) -> Correction:
    """Fit a family to what the track records leave open.

    Each film is seen three times: with all its facts, as on the page's form, and with some of the
    form's facts hidden. The later looks teach to answer when most facts are missing.

    Args:
        family: Of the model.
        parameters: What it is made with.
        films: Those that teach.
        bias: How far too high forecasts were lately, in rating points; the model's are so much
            lower.
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
    """Folds without the bias that was known when each began: the one of the next older fold.

    The newest comes first; the oldest stays as it came, since nothing is known before it.
    """
    newer: Fold | None = None
    for fold in folds:
        if newer:
            yield newer.without(fold.bias)
        newer = fold
    if newer:
        yield newer


def backtest(
    family: ModelType,
    parameters: Mapping[str, Any],
    films: FilmVectors,
    folds: Sequence[range] | None = None,
) -> list[Fold]:
    """Forecast the last years before the split as they came, the newest first (rolling origin).

    Args:
        family: Of the model.
        parameters: What it is made with.
        films: All that are described.
        folds: Years before the split, 1 being the newest; all folds by default.

    Raises:
        TooFewFilmsError: No year has enough films, or enough of them before it.
    """
    folds = films.folds if folds is None else folds
    if not folds:
        raise TooFewFilmsError(f"no years before the split have {MIN_FILMS} films to choose by")
    backtested = []
    for years in folds:
        later = films.evaluation_films(years)
        model = fit(family, parameters, films.training_films(before=years.stop - 1))
        backtested.append(
            Fold(later, *(model.predict(view) - later.ratings for view in later.views))
        )
    return backtested
