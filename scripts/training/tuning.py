"""Search for better hyperparameters by their error on the folds before the split.

Trials of a search are kept in an Optuna journal, so that a stopped search can be continued.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Final

import numpy as np
import optuna
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend

from movierating.model.features import choose_features
from movierating.model.target_encoding import ALL_EFFECTS
from scripts.dataset.metrics import rmse
from scripts.dataset.split import TimeSplit
from scripts.parameters import EFFECTS, MIN_FILMS_PER_FLAG, MODEL_CONFIG, SEED, ModelType
from scripts.training.folds import evaluation_rows
from scripts.training.models import FAMILIES, family_named
from scripts.training.selection import backtest, without_recent_bias
from scripts.training.vectors import FilmHistory, build_vectors

STARTUP_TRIALS: Final = 20  # trials before the sampler and the pruner use what they have seen

Parameters = Mapping[str, Any]
# From parameters to the RMSE on one fold after the other, newest first, in rating points.
FoldErrors = Callable[[dict[str, Any]], Iterator[float]]


@dataclass(frozen=True)
class Search:
    """A search space with its starting point and its objective.

    Attributes:
        name: Name of the search.
        suggest: Suggests parameters to a trial.
        start: The parameters in use, which are tried first.
        folds: The number of folds.
        errors: The RMSE of some parameters on each fold.
    """

    name: str
    suggest: Callable[[optuna.Trial], dict[str, Any]]
    start: Parameters
    folds: int
    errors: FoldErrors


@dataclass(frozen=True)
class TrialResult:
    """The outcome of one trial.

    Attributes:
        number: The trial's number in its search.
        parameters: The parameters tried.
        errors: RMSE on each fold evaluated, newest first.
        pruned: Whether the trial was stopped before the last fold.
    """

    number: int
    parameters: dict[str, Any]
    errors: list[float]
    pruned: bool

    @property
    def mean_error(self) -> float:
        """The mean RMSE over the folds evaluated."""
        return float(np.mean(self.errors))


def open_study(journal: Path, search: Search) -> optuna.Study:
    """Open the study of a search in a journal; a new study starts with the parameters in use."""
    study = optuna.create_study(
        storage=JournalStorage(JournalFileBackend(str(journal))),
        study_name=search.name,
        load_if_exists=True,
        sampler=optuna.samplers.TPESampler(
            seed=SEED, multivariate=True, n_startup_trials=STARTUP_TRIALS
        ),
        pruner=optuna.pruners.MedianPruner(n_startup_trials=STARTUP_TRIALS),
    )
    if not study.trials:
        study.enqueue_trial(dict(search.start))
    return study


def objective(
    search: Search, record: Callable[[TrialResult], None]
) -> Callable[[optuna.Trial], float]:
    """Build the objective that Optuna minimises: the mean RMSE over the folds.

    Args:
        search: The search.
        record: Called with the result of each trial, pruned or not.
    """

    def mean_error(trial: optuna.Trial) -> float:
        parameters = search.suggest(trial)
        errors: list[float] = []
        pruned = False
        for at, error in enumerate(search.errors(parameters), 1):
            errors.append(error)
            trial.report(float(np.mean(errors)), at)
            # After the last fold the trial is complete, and there is nothing left to save.
            pruned = at < search.folds and trial.should_prune()
            if pruned:
                break
        result = TrialResult(trial.number, parameters, errors, pruned)
        record(result)
        if pruned:
            raise optuna.TrialPruned
        return result.mean_error

    return mean_error


def search_effects(split: TimeSplit) -> Search:
    """Search the parameters of the effects, by how well their sum alone forecasts."""
    history = FilmHistory.of(split)

    def suggest(trial: optuna.Trial) -> dict[str, Any]:
        shrinkage = {
            name: trial.suggest_float(name, 0.1, 300, log=True) for name in EFFECTS.shrinkage
        }
        return shrinkage | {
            "half_weight_votes": trial.suggest_float("half_weight_votes", 10, 600, log=True),
            "half_life_years": trial.suggest_float("half_life_years", 1.5, 30, log=True),
        }

    def errors(parameters: dict[str, Any]) -> Iterator[float]:
        shrinkage = {name: parameters[name] for name in EFFECTS.shrinkage}
        others = {name: value for name, value in parameters.items() if name not in shrinkage}
        config = replace(EFFECTS, shrinkage=shrinkage, **others)
        for years in history.folds:
            estimated = history.estimate(years.stop - 1, config)
            which = evaluation_rows(history.years, history.votes, years)
            forecast = estimated.encoding_columns(history.tokens, which)[ALL_EFFECTS]
            yield rmse(forecast - history.ratings[which])

    start = {
        "half_weight_votes": EFFECTS.half_weight_votes,
        "half_life_years": EFFECTS.half_life_years,
    }
    return Search("effects", suggest, dict(EFFECTS.shrinkage) | start, len(history.folds), errors)


def search_family(family: ModelType, split: TimeSplit) -> Search:
    """Search the parameters of a model family, by the error that selects the model in training."""
    films, _ = build_vectors(split, choose_features(split.train.films, MIN_FILMS_PER_FLAG))
    in_use = MODEL_CONFIG.parameters[family]

    def errors(parameters: dict[str, Any]) -> Iterator[float]:
        tried = in_use | parameters
        folds = (backtest(family, tried, films, [years])[0] for years in films.folds)
        for fold in without_recent_bias(folds):
            yield rmse(fold.errors)

    return Search(family, family_named(family).suggest, in_use, len(films.folds), errors)


SEARCHES: Final[dict[str, Callable[[TimeSplit], Search]]] = {
    "effects": search_effects,
    **{name: partial(search_family, name) for name in FAMILIES},
}
