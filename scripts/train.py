"""Train the candidates on the run's films, choose one, measure it, and write its bundle."""

import logging
import pickle
from datetime import date
from typing import Final

import numpy as np

from movierating.errors import ExplainedError
from movierating.registry.bundle import CARD_NAME, EVIDENCE_NAME
from movierating.registry.manifest import Manifest
from movierating.registry.registry import Registry
from movierating.s3 import open_bucket
from movierating.settings import PipelineSettings, pipeline_settings
from scripts.dataset.legacy import five_columns
from scripts.dataset.metrics import score
from scripts.dataset.split import TimeSplit
from scripts.dataset.table import read_cleaned
from scripts.evaluation.diagnostics import diagnose
from scripts.evaluation.report import Report, evidence, model_card, report
from scripts.evaluation.tracking import log_run
from scripts.parameters import MODEL_CONFIG, ModelConfig, ModelType
from scripts.runtime.cli import run, step_parser
from scripts.runtime.clock import past_or_today, today
from scripts.runtime.run_files import RunFiles
from scripts.runtime.storage import data_folder, write_bytes
from scripts.training.bundling import assemble, write
from scripts.training.models import fit_regressor
from scripts.training.selection import Candidate, TrainingResult, train_candidates

logger = logging.getLogger(__name__)


def train(
    run_date: date, settings: PipelineSettings, config: ModelConfig = MODEL_CONFIG
) -> Manifest:
    """Train, choose on earlier years, measure on held-out films, write the bundle and its report.

    Also writes the old consumers' model, `model_{date}.pkl` and `best_model.pkl`, with its
    held-out RMSE in `best_score.txt`.

    Returns:
        The manifest of the chosen model.

    Raises:
        DataFileError: The cleaned file is missing, or the folder cannot be written.
        TooFewFilmsError: There are not enough rated films.
        LeakError: A feature depends on what it is to forecast.
    """
    files = RunFiles(data_folder(settings), run_date)
    split = TimeSplit.of_newest(read_cleaned(files.require(files.cleaned, "preprocess")))
    learned = train_candidates(split, config)
    best = learned.best
    manifest, model, contents = assemble(learned, config.parameters[best.family], split, files)
    diagnosis = diagnose(learned, model, split.holdout, config)
    told = report(manifest, diagnosis, _champion(settings))
    write_bytes(files.model_report, told.page.encode())
    contents[CARD_NAME] = model_card(manifest, diagnosis).encode()
    contents[EVIDENCE_NAME] = evidence(diagnosis).model_dump_json().encode()
    tracked = {
        each.family: _track(each, config, learned, files, settings, told if each is best else None)
        for each in learned.candidates
    }
    _write_old_model(best.family, config, split, files)
    # Last: its manifest says that the run's files are there.
    return write(manifest.model_copy(update={"wandb_run": tracked[best.family]}), contents, files)


def _champion(settings: PipelineSettings) -> Manifest | None:
    """What is in production, where that can be read."""
    if not settings.s3_bucket_name:
        return None
    try:
        registry = Registry(open_bucket(settings))
        current = registry.production()
        return registry.manifest(current.pointer) if current else None
    except ExplainedError as error:
        logger.warning("the report compares with no model in production: %s", error)
        return None


def _track(  # noqa: PLR0913, PLR0917 - all that there is to tell
    candidate: Candidate,
    config: ModelConfig,
    learned: TrainingResult,
    files: RunFiles,
    settings: PipelineSettings,
    told: Report | None,
) -> str | None:
    parameters = config.parameters[candidate.family]
    metrics = {
        "train_rmse": candidate.train.rmse,
        "test_rmse": candidate.holdout.rmse,
        "rmse_gap": candidate.holdout.rmse - candidate.train.rmse,
        "validation_rmse": candidate.validation_rmse,
        "bias_taken_off": candidate.bias,
        "test_r2": candidate.holdout.r2,
    } | {f"baseline_{name}_rmse": scores.rmse for name, scores in learned.baselines.items()}
    name = f"{candidate.family}_{files.run_date}"
    facts = {"model_type": candidate.family, **parameters}
    return log_run(settings, name, facts, metrics, group=f"train_{files.run_date}", report=told)


def _write_old_model(
    family: ModelType, config: ModelConfig, split: TimeSplit, files: RunFiles
) -> None:
    known, ratings = five_columns(split.train.frame), split.train.ratings
    evenly = np.ones(len(ratings))
    model = fit_regressor(family, config.parameters[family], known, ratings, evenly)
    scores = score(split.holdout.ratings, model.predict(five_columns(split.holdout.frame)))
    pickled = pickle.dumps(model)
    write_bytes(files.legacy_model, pickled)
    write_bytes(files.folder / "best_model.pkl", pickled)
    write_bytes(files.folder / "best_score.txt", f"{scores.rmse:.6f}\n".encode())


_PARSER: Final = step_parser(__doc__)
_PARSER.add_argument(
    "--model-type",
    choices=[*MODEL_CONFIG.parameters, "all"],
    default=MODEL_CONFIG.model_type,
    help="the family to train (default: %(default)s)",
)


def main(argv: list[str] | None = None) -> int:
    """Train from the command line."""
    arguments = _PARSER.parse_args(argv)
    config = ModelConfig(model_type=arguments.model_type)
    return run(lambda: train(past_or_today(arguments.date or today()), pipeline_settings(), config))


if __name__ == "__main__":
    raise SystemExit(main())
