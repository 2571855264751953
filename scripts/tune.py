"""Search for better parameters on the years before the split, within a budget of time.

What is found is printed and written to `tuned_{date}.json`, for a person to put into
`scripts/parameters.py`: parameters are code. Every trial is kept in `tune_{fingerprint}.log` and in
W&B; the same films and parameters in use continue the same search.
"""

import json
import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any, Final

import numpy as np
import optuna
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend

from movierating.identity import sha256
from movierating.model.features import choose_features
from movierating.model.target_encoding import ALL_EFFECTS
from movierating.settings import PipelineSettings, pipeline_settings
from scripts import parameters
from scripts.dataset.metrics import rmse
from scripts.dataset.split import TimeSplit
from scripts.dataset.table import read_cleaned
from scripts.evaluation.tracking import log_run
from scripts.parameters import (
    EFFECTS,
    MIN_FILMS_PER_FLAG,
    MODEL_CONFIG,
    SEED,
    ModelType,
)
from scripts.runtime.cli import run, step_parser
from scripts.runtime.clock import past_or_today, today
from scripts.runtime.run_files import RunFiles
from scripts.runtime.storage import data_folder, local_folder, write_json
from scripts.training.selection import backtest, without_recent_bias
from scripts.training.vectors import FilmHistory, build_vectors, evaluation_rows

logger = logging.getLogger(__name__)

Suggest = Callable[[optuna.Trial], dict[str, Any]]
# The RMSE on fold after fold of years before the split, in rating points.
Errors = Callable[[dict[str, Any]], Iterator[float]]

_PARAMETERS: Final = Path(parameters.__file__)
_STARTUP_TRIALS: Final = 20


@dataclass(frozen=True)
class Search:
    """A space of parameters, where to begin, and how good a choice is.

    Attributes:
        start: The parameters in use.
        folds: The number of folds.
        errors: How good a choice is on each.
    """

    name: str
    suggest: Suggest
    start: Mapping[str, Any]
    folds: int
    errors: Errors


def tune(run_date: date, settings: PipelineSettings, names: list[str]) -> dict[str, dict[str, Any]]:
    """Search each named space for an equal part of the budget.

    Returns:
        The best parameters found, by name.

    Raises:
        DataFileError: The cleaned file is missing, or the folder cannot be written.
        TooFewFilmsError: There are not enough rated films.
    """
    files = RunFiles(data_folder(settings), run_date)
    cleaned = files.require(files.cleaned, "preprocess")
    data = sha256(cleaned.read_bytes())
    fingerprint = sha256(data.encode() + _PARAMETERS.read_bytes())
    split = TimeSplit.of_newest(read_cleaned(cleaned))
    found = {}
    for name in names:
        search = SEARCHES[name](split)
        study = _study(local_folder(settings), search, fingerprint)
        study.optimize(
            _objective(search, settings, data, f"tune_{fingerprint[:12]}"),
            timeout=settings.tune_minutes * 60 / len(names),
        )
        found[name] = study.best_params
        logger.info("%s: RMSE %.4f with %s", name, study.best_value, json.dumps(found[name]))
    write_json(files.tuned, found)
    return found


def _study(folder: Path, search: Search, fingerprint: str) -> optuna.Study:
    """The study of a space; a new one begins with the parameters in use."""
    journal = folder / f"tune_{fingerprint[:12]}.log"
    study = optuna.create_study(
        storage=JournalStorage(JournalFileBackend(str(journal))),
        study_name=search.name,
        load_if_exists=True,
        sampler=optuna.samplers.TPESampler(
            seed=SEED, multivariate=True, n_startup_trials=_STARTUP_TRIALS
        ),
        pruner=optuna.pruners.MedianPruner(n_startup_trials=_STARTUP_TRIALS),
    )
    if not study.trials:
        study.enqueue_trial(dict(search.start))
    return study


def _objective(
    search: Search, settings: PipelineSettings, data: str, group: str
) -> Callable[[optuna.Trial], float]:
    def mean_error(trial: optuna.Trial) -> float:
        chosen = search.suggest(trial)
        errors: list[float] = []
        pruned = False
        for at, error in enumerate(search.errors(chosen), 1):
            errors.append(error)
            trial.report(float(np.mean(errors)), at)
            pruned = at < search.folds and trial.should_prune()
            if pruned:
                break
        metrics = {f"rmse_fold_{at}": each for at, each in enumerate(errors, 1)}
        log_run(
            settings,
            f"tune_{search.name}_{trial.number}",
            chosen | {"search": search.name, "data": data, "pruned": pruned},
            metrics | {"rmse": float(np.mean(errors))},
            group=group,
        )
        if pruned:
            raise optuna.TrialPruned
        return float(np.mean(errors))

    return mean_error


def _search_effects(split: TimeSplit) -> Search:
    """The track records: how well the sum of all effects alone forecasts."""
    history = FilmHistory.of(split)

    def suggest(trial: optuna.Trial) -> dict[str, Any]:
        shrinkage = {
            name: trial.suggest_float(name, 0.1, 300, log=True) for name in EFFECTS.shrinkage
        }
        return shrinkage | {
            "half_weight_votes": trial.suggest_float("half_weight_votes", 10, 600, log=True),
            "half_life_years": trial.suggest_float("half_life_years", 1.5, 30, log=True),
        }

    def errors(chosen: dict[str, Any]) -> Iterator[float]:
        shrinkage = {name: chosen[name] for name in EFFECTS.shrinkage}
        others = {name: value for name, value in chosen.items() if name not in shrinkage}
        config = replace(EFFECTS, shrinkage=shrinkage, **others)
        for years in history.folds:
            learned = history.estimate(years.stop - 1, config)
            which = evaluation_rows(history.years, history.votes, years)
            yield rmse(
                learned.encoding_columns(history.tokens, which)[ALL_EFFECTS]
                - history.ratings[which]
            )

    start = {
        "half_weight_votes": EFFECTS.half_weight_votes,
        "half_life_years": EFFECTS.half_life_years,
    }
    return Search("effects", suggest, dict(EFFECTS.shrinkage) | start, len(history.folds), errors)


def _search_family(family: ModelType, space: Suggest) -> Callable[[TimeSplit], Search]:
    def search(split: TimeSplit) -> Search:
        films, _ = build_vectors(split, choose_features(split.train.films, MIN_FILMS_PER_FLAG))

        def errors(chosen: dict[str, Any]) -> Iterator[float]:
            config = MODEL_CONFIG.parameters[family] | chosen
            folds = (backtest(family, config, films, [years])[0] for years in films.folds)
            for fold in without_recent_bias(folds):
                yield rmse(fold.errors)

        return Search(family, space, MODEL_CONFIG.parameters[family], len(films.folds), errors)

    return search


def _boosting(trial: optuna.Trial) -> dict[str, Any]:
    return {
        "n_estimators": trial.suggest_int("n_estimators", 50, 1200, step=50),
        "learning_rate": trial.suggest_float("learning_rate", 0.01, 0.1, log=True),
        "subsample": trial.suggest_float("subsample", 0.4, 1.0),
        "reg_lambda": trial.suggest_float("reg_lambda", 0.1, 100, log=True),
    }


def _xgboost(trial: optuna.Trial) -> dict[str, Any]:
    return _boosting(trial) | {
        "max_depth": trial.suggest_int("max_depth", 2, 8),
        "colsample_bytree": trial.suggest_float("colsample_bytree", 0.1, 0.8),
        "min_child_weight": trial.suggest_float("min_child_weight", 1, 50, log=True),
    }


def _lgbm(trial: optuna.Trial) -> dict[str, Any]:
    return _boosting(trial) | {
        "num_leaves": trial.suggest_int("num_leaves", 4, 64, log=True),
        "colsample_bytree": trial.suggest_float("colsample_bytree", 0.1, 0.8),
        "min_child_samples": trial.suggest_int("min_child_samples", 5, 100, log=True),
    }


def _rf(trial: optuna.Trial) -> dict[str, Any]:
    return {
        "n_estimators": trial.suggest_int("n_estimators", 25, 300, step=25),
        "max_depth": trial.suggest_int("max_depth", 5, 11),
        "subsample": trial.suggest_float("subsample", 0.4, 1.0),
        "colsample_bynode": trial.suggest_float("colsample_bynode", 0.1, 0.8),
        "min_child_weight": trial.suggest_float("min_child_weight", 0.5, 20, log=True),
    }


def _linear(trial: optuna.Trial) -> dict[str, Any]:
    return {"alpha": trial.suggest_float("alpha", 0.1, 1000, log=True)}


SEARCHES: Final[dict[str, Callable[[TimeSplit], Search]]] = {
    "effects": _search_effects,
    "xgboost": _search_family("xgboost", _xgboost),
    "lgbm": _search_family("lgbm", _lgbm),
    "rf": _search_family("rf", _rf),
    "linear": _search_family("linear", _linear),
}

_PARSER: Final = step_parser(__doc__)
_PARSER.add_argument(
    "--search",
    choices=list(SEARCHES),
    nargs="+",
    default=["lgbm"],
    help="what to search for, in equal parts of TUNE_MINUTES (default: lgbm)",
)


def main(argv: list[str] | None = None) -> int:
    """Tune from the command line."""
    arguments = _PARSER.parse_args(argv)
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    day = past_or_today(arguments.date or today())
    return run(lambda: tune(day, pipeline_settings(), arguments.search))


if __name__ == "__main__":
    raise SystemExit(main())
