"""Search for better hyperparameters on the years before the split date, within a time budget.

The best hyperparameters are printed and written to `tuned_{date}.json`. A person copies them into
`scripts/parameters.py`, because parameters are code under review. Every tuning trial is stored in
`tune_{fingerprint}.log` and in W&B; the fingerprint is a hash of the films and of
`scripts/parameters.py`. A later run resumes the search if neither the films nor
`scripts/parameters.py` have changed.
"""

import json
import logging
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any, Final

import optuna

from movierating.identity import sha256
from movierating.settings import PipelineSettings, pipeline_settings
from scripts import parameters
from scripts.dataset.plot_vectors import with_plot_vectors
from scripts.dataset.split import TimeSplit
from scripts.dataset.table import read_cleaned
from scripts.evaluation.tracking import log_run
from scripts.runtime.cli import positive, run, step_parser
from scripts.runtime.clock import past_or_today, today
from scripts.runtime.run_files import RunFiles
from scripts.runtime.storage import data_folder, local_folder, write_json
from scripts.training.tuning import SEARCHES, Search, TrialResult, objective, open_study

logger = logging.getLogger(__name__)

_PARAMETERS: Final = Path(parameters.__file__)


def tune(
    run_date: date, settings: PipelineSettings, names: list[str], trials: int | None = None
) -> dict[str, dict[str, Any]]:
    """Run each named search for an equal part of the time budget.

    Args:
        run_date: The date of the run whose films are used.
        settings: The data folder, W&B, and the time budget.
        names: The names of the searches, which are keys of `SEARCHES`.
        trials: The number of trials after which each search stops even if it has time left; by
            default only time limits it.

    Returns:
        The best hyperparameters found, by the name of the search.

    Raises:
        DataFileError: The cleaned file is missing, or the folder cannot be written.
        TooFewFilmsError: There are not enough rated films.
    """
    files = RunFiles(data_folder(settings), run_date)
    cleaned = files.require(files.cleaned, "preprocess")
    data = sha256(cleaned.read_bytes())
    # Errors are comparable only between trials with the same films and the same parameters.py.
    fingerprint = sha256(data.encode() + _PARAMETERS.read_bytes())
    group = f"tune_{fingerprint[:12]}"
    split = TimeSplit.of_newest(with_plot_vectors(read_cleaned(cleaned), files.folder))
    found = {}
    for name in names:
        search = SEARCHES[name](split)
        study = open_study(local_folder(settings) / f"{group}.log", search)
        study.optimize(
            objective(search, _recorder(search, settings, data, group)),
            n_trials=trials,
            timeout=settings.tune_minutes * 60 / len(names),
        )
        found[name] = study.best_params
        logger.info("%s: RMSE %.4f with %s", name, study.best_value, json.dumps(found[name]))
    write_json(files.tuned, found)
    return found


def _recorder(
    search: Search, settings: PipelineSettings, data: str, group: str
) -> Callable[[TrialResult], None]:
    """Create a function that logs the result of a tuning trial as a W&B run."""

    def record(trial: TrialResult) -> None:
        by_fold = {f"rmse_fold_{at}": each for at, each in enumerate(trial.errors, 1)}
        log_run(
            settings,
            f"tune_{search.name}_{trial.number}",
            trial.parameters | {"search": search.name, "data": data, "pruned": trial.pruned},
            by_fold | {"rmse": trial.mean_error},
            group=group,
        )

    return record


_PARSER: Final = step_parser(__doc__)
_PARSER.add_argument(
    "--search",
    choices=list(SEARCHES),
    nargs="+",
    default=["lgbm"],
    help="what to tune; each search gets an equal part of TUNE_MINUTES (default: lgbm)",
)
_PARSER.add_argument(
    "--trials",
    type=positive,
    help="stop each search after this many trials, even if it has time left (default: no limit)",
)


def main(argv: list[str] | None = None) -> int:
    """Run the tuning from the command line; return the exit status."""
    arguments = _PARSER.parse_args(argv)
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    search, trials = arguments.search, arguments.trials
    return run(
        lambda: tune(past_or_today(arguments.date or today()), pipeline_settings(), search, trials)
    )


if __name__ == "__main__":
    raise SystemExit(main())
