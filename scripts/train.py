"""Train the candidates on the run's films, choose one, measure it, and write its bundle."""

import logging
import pickle
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import numpy as np

from movierating.features import choose_features
from movierating.manifest import Manifest, Scores
from movierating.settings import Settings, get_settings
from scripts.candidates import Regressor, make_regressor
from scripts.cleaned import read_cleaned
from scripts.cli import run, step_parser
from scripts.dates import past_or_today, today
from scripts.evaluation import baselines, score
from scripts.files import RunFiles, data_folder, write_bytes
from scripts.legacy import five_columns
from scripts.package import Result, package
from scripts.parameters import (
    HOLDOUT_SHARE,
    MIN_FILMS_PER_FLAG,
    MODEL_CONFIG,
    VALIDATION_SHARE,
    ModelConfig,
    ModelType,
)
from scripts.samples import Ratings, Sample, TimeSplit
from scripts.tracking import log_run

logger = logging.getLogger(__name__)

Features = tuple[str, ...]


@dataclass(frozen=True)
class Candidate:
    """A family, fitted on all films that teach.

    Attributes:
        residuals: Its errors on the newest of those films when fitted without them; (films,).
        form_residuals: The same, knowing only what the page's form asks for; (films,).
        train: Scores on the films that taught it.
        holdout: Scores on the held-out films.
    """

    family: ModelType
    regressor: Regressor
    residuals: Ratings
    form_residuals: Ratings
    train: Scores
    holdout: Scores

    @property
    def validation_rmse(self) -> float:
        """What the choice goes by; the held-out films have no say in it."""
        return float(np.sqrt(np.mean(self.residuals**2)))


def train(run_date: date, settings: Settings, config: ModelConfig = MODEL_CONFIG) -> Manifest:
    """Train, choose on validation films, measure on held-out ones, and write the run's bundle.

    Also writes the old consumers' model, `model_{date}.pkl` and `best_model.pkl`, with its
    held-out RMSE in `best_score.txt`.

    Returns:
        The manifest of the chosen model.

    Raises:
        DataFileError: The cleaned file is missing, or the folder cannot be written.
        TooFewFilmsError: There are not enough rated films.
    """
    files = RunFiles(data_folder(settings), run_date)
    split = TimeSplit.by_share(read_cleaned(files.need(files.cleaned, "preprocess")), HOLDOUT_SHARE)
    features = choose_features(split.train.films, MIN_FILMS_PER_FLAG)
    candidates = [_candidate(family, config, split, features) for family in config.families]
    best = min(candidates, key=lambda each: each.validation_rmse)
    to_beat = baselines(split)
    tracked = {
        each.family: _track(each, config, to_beat, run_date, settings) for each in candidates
    }
    result = Result(
        family=best.family,
        regressor=best.regressor,
        parameters=config.parameters[best.family],
        features=features,
        form_residuals=best.form_residuals,
        train=best.train,
        baselines=to_beat,
        wandb_run=tracked[best.family],
    )
    _write_old_model(best.family, config, split, files)
    return package(result, split, files)  # last: its manifest says that the run's files are there


def fit(
    family: ModelType, parameters: dict[str, Any], sample: Sample, features: Features
) -> Regressor:
    """Fit a family on films, each seen twice: with all its facts, and as on the page's form.

    The second look teaches it to answer when most facts are missing. Ratings of few votes are
    noisy and count less.
    """
    known = np.vstack([sample.matrix(features), sample.form_matrix(features)])
    return make_regressor(family, parameters).fit(
        known, np.tile(sample.ratings, 2), sample_weight=np.tile(sample.weights, 2)
    )


def _candidate(
    family: ModelType, config: ModelConfig, split: TimeSplit, features: Features
) -> Candidate:
    parameters = config.parameters[family]
    chooser = TimeSplit.by_share(split.train.frame, VALIDATION_SHARE)
    rehearsal = fit(family, parameters, chooser.train, features)
    regressor = fit(family, parameters, split.train, features)

    def scored(sample: Sample) -> Scores:
        return score(sample.ratings, regressor.predict(sample.matrix(features)))

    candidate = Candidate(
        family=family,
        regressor=regressor,
        residuals=rehearsal.predict(chooser.holdout.matrix(features)) - chooser.holdout.ratings,
        form_residuals=(
            rehearsal.predict(chooser.holdout.form_matrix(features)) - chooser.holdout.ratings
        ),
        train=scored(split.train),
        holdout=scored(split.holdout),
    )
    logger.info(
        "%s: RMSE %.3f on validation, %.3f held out",
        family,
        candidate.validation_rmse,
        candidate.holdout.rmse,
    )
    return candidate


def _track(
    candidate: Candidate,
    config: ModelConfig,
    to_beat: dict[str, Scores],
    run_date: date,
    settings: Settings,
) -> str | None:
    parameters = config.parameters[candidate.family]
    metrics = {
        "train_rmse": candidate.train.rmse,
        "test_rmse": candidate.holdout.rmse,
        "rmse_gap": candidate.holdout.rmse - candidate.train.rmse,
        "validation_rmse": candidate.validation_rmse,
        "test_r2": candidate.holdout.r2,
    } | {f"baseline_{name}_rmse": scores.rmse for name, scores in to_beat.items()}
    name = f"{candidate.family}_{run_date}_depth{parameters['max_depth']}"
    return log_run(settings, name, {"model_type": candidate.family, **parameters}, metrics)


def _write_old_model(
    family: ModelType, config: ModelConfig, split: TimeSplit, files: RunFiles
) -> None:
    model = make_regressor(family, config.parameters[family])
    model.fit(five_columns(split.train.frame), split.train.ratings)
    scores = score(split.holdout.ratings, model.predict(five_columns(split.holdout.frame)))
    pickled = pickle.dumps(model)
    write_bytes(files.model, pickled)
    write_bytes(files.folder / "best_model.pkl", pickled)
    write_bytes(files.folder / "best_score.txt", f"{scores.rmse:.6f}\n".encode())


_PARSER: Final = step_parser(__doc__)
_PARSER.add_argument(
    "--model-type",
    choices=["xgboost", "lgbm", "rf", "all"],
    default=MODEL_CONFIG.model_type,
    help="the family to train (default: %(default)s)",
)


def main(argv: list[str] | None = None) -> int:
    """Train from the command line."""
    arguments = _PARSER.parse_args(argv)
    config = ModelConfig(model_type=arguments.model_type)
    return run(lambda: train(past_or_today(arguments.date or today()), get_settings(), config))


if __name__ == "__main__":
    raise SystemExit(main())
