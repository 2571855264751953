"""Search for better hyperparameters by their error on the folds before the split date.

The tuning trials of a search are stored in an Optuna journal file, so a stopped search can resume.
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

STARTUP_TRIALS: Final = 20  # trials before the sampler and the pruner use earlier results

Parameters = Mapping[str, Any]
# Function from parameters to the RMSE on each fold, newest fold first, in rating points.
FoldErrors = Callable[[dict[str, Any]], Iterator[float]]


@dataclass(frozen=True)
class Search:
    """A search for hyperparameters: what to try, where to start, and how to measure the error.

    Attributes:
        name: Name of the search.
        suggest: Function that chooses the parameters of a trial from the search space.
        start: The parameters in use now; the first trial uses them.
        folds: The number of folds.
        errors: Function that computes the RMSE on each fold with the parameters of a trial.
    """

    name: str
    suggest: Callable[[optuna.Trial], dict[str, Any]]
    start: Parameters
    folds: int
    errors: FoldErrors


@dataclass(frozen=True)
class TrialResult:
    """The result of one tuning trial.

    Attributes:
        number: The trial's number in its search.
        parameters: The parameters that the trial used.
        errors: RMSE on each fold that the trial evaluated, newest fold first.
        pruned: Whether the trial was stopped before the last fold.
    """

    number: int
    parameters: dict[str, Any]
    errors: list[float]
    pruned: bool

    @property
    def mean_error(self) -> float:
        """The mean RMSE over the folds that the trial evaluated."""
        return float(np.mean(self.errors))


def open_study(journal: Path, search: Search) -> optuna.Study:
    """Open or create the Optuna study of a search; a new study first tries `search.start`.

    Args:
        journal: The file that stores the trials.
        search: The search.
    """
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
        record: Function that receives the result of each trial, also of a pruned one.
    """

    def mean_error(trial: optuna.Trial) -> float:
        parameters = search.suggest(trial)
        errors: list[float] = []
        pruned = False
        for at, error in enumerate(search.errors(parameters), 1):
            errors.append(error)
            trial.report(float(np.mean(errors)), at)
            # After the last fold the trial is complete, so pruning it would save no time.
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
    """Define the search for the parameters of the target-encoded effects.

    A trial's error is the RMSE of forecasts that are the average rating plus the effects. No trees
    are fitted.
    """
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
    """Define the search for the parameters of a model family.

    A trial's error is the RMSE on the folds. Training selects the best model by the same error.
    """
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
