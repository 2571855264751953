"""Train one candidate of each model family, select the best, evaluate it, and write its bundle."""

import logging
from datetime import date
from typing import Final

from movierating.errors import ExplainedError
from movierating.films.source import describe
from movierating.registry.bundle import CARD_NAME, EVIDENCE_NAME
from movierating.registry.manifest import Manifest
from movierating.registry.reading import RegistryReader
from movierating.s3 import open_bucket
from movierating.settings import PipelineSettings, pipeline_settings
from scripts.dataset.plot_vectors import with_plot_vectors
from scripts.dataset.split import TimeSplit
from scripts.dataset.table import read_cleaned
from scripts.evaluation.diagnostics import diagnose
from scripts.evaluation.report import Report, evidence, model_card, report
from scripts.evaluation.tracking import candidate_metrics, log_run
from scripts.parameters import MODEL_CONFIG, ModelConfig, ModelType
from scripts.runtime.cli import run, step_parser
from scripts.runtime.clock import past_or_today, today
from scripts.runtime.run_files import RunFiles
from scripts.runtime.storage import data_folder, write_bytes
from scripts.store.film_store import film_store
from scripts.store.people import PeopleStore
from scripts.training.bundling import add_wandb_run, assemble, write
from scripts.training.legacy_model import train_legacy_model
from scripts.training.selection import TrainingResult, train_candidates

logger = logging.getLogger(__name__)


def train(
    run_date: date, settings: PipelineSettings, config: ModelConfig = MODEL_CONFIG
) -> Manifest:
    """Train the candidates, select the best one, evaluate it, and write the run's files.

    The selection uses only films released before the split date. The evaluation uses only the
    hold-out films. Then the selected model is trained again on all films. The run's files are the
    report and the bundle (the model's files).

    Three more files are written for users of the old system. Two of them, `model_{date}.pkl` and
    `best_model.pkl`, contain the same pickled model with five input columns. The third,
    `best_score.txt`, contains the RMSE of this model on the hold-out films.

    Returns:
        The manifest of the best model.

    Raises:
        DataFileError: The cleaned file is missing, its films have another source than the collected
            films, or the data folder cannot be written.
        TooFewFilmsError: There are not enough rated films.
        UnknownFamilyError: The configuration names a family that does not exist.
        StoreCorruptError: The file of people's other names is damaged.
        LeakError: A feature depends on ratings that were unknown before the film's release.
    """
    files = RunFiles(data_folder(settings), run_date)
    cleaned = files.require(files.cleaned, "preprocess")
    source = files.cleaned_source()
    split = TimeSplit.of_newest(with_plot_vectors(read_cleaned(cleaned), files.folder))
    result = train_candidates(split, config)
    family = result.best.family
    names = PeopleStore(film_store(settings, source).folder).other_names()
    manifest, twin, contents = assemble(result, config, split, files, names)
    diagnosis = diagnose(result, twin, split.holdout, config)
    model_report = report(manifest, diagnosis, _champion(settings, source))
    write_bytes(files.model_report, model_report.page.encode())
    contents[CARD_NAME] = model_card(manifest, diagnosis).encode()
    contents[EVIDENCE_NAME] = evidence(diagnosis).model_dump_json().encode()
    _write_legacy_model(family, config, split, files)
    # Write the bundle after the other files: the next step takes its manifest as the sign that all
    # exist. Only the logging in W&B comes later, because it may take minutes or fail.
    manifest = write(manifest, contents, files)
    wandb_runs = _track(result, config, model_report, files, settings)
    return add_wandb_run(manifest, wandb_runs[family], files)


def _champion(settings: PipelineSettings, source: str) -> Manifest | None:
    """Read the manifest of the model in production, if it was trained on films from `source`.

    Returns:
        The manifest; None if no model is in production, if its manifest cannot be read, or if it
        was trained on films from another source.
    """
    if not settings.s3_bucket_name:
        return None
    try:
        registry = RegistryReader(open_bucket(settings))
        current = registry.production()
        champion = registry.manifest(current.pointer) if current else None
    except ExplainedError as error:
        logger.warning("the report has no comparison with the model in production: %s", error)
        return None
    if champion is None or champion.data.source == source:
        return champion
    logger.warning(
        "the report has no comparison with the model in production: %s was trained on %s",
        champion.version,
        describe(champion.data.source),
    )
    return None


def _track(
    result: TrainingResult,
    config: ModelConfig,
    model_report: Report,
    files: RunFiles,
    settings: PipelineSettings,
) -> dict[ModelType, str | None]:
    """Log each candidate as a W&B run; add the report to the run of the best candidate.

    Returns:
        The path of each W&B run, by model family; None where logging failed.
    """
    return {
        each.family: log_run(
            settings,
            f"{each.family}_{files.run_date}",
            {"model_type": each.family, **config.parameters[each.family]},
            candidate_metrics(each, result.baselines),
            group=f"train_{files.run_date}",
            report=model_report if each is result.best else None,
        )
        for each in result.candidates
    }


def _write_legacy_model(
    family: ModelType, config: ModelConfig, split: TimeSplit, files: RunFiles
) -> None:
    pickled, scores = train_legacy_model(family, config.parameters[family], split)
    write_bytes(files.legacy_model, pickled)
    write_bytes(files.folder / "best_model.pkl", pickled)
    write_bytes(files.folder / "best_score.txt", f"{scores.rmse:.6f}\n".encode())


_PARSER: Final = step_parser(__doc__)
_PARSER.add_argument(
    "--model-type",
    choices=[*MODEL_CONFIG.parameters, "all"],
    default=MODEL_CONFIG.model_type,
    help="the model family to train (default: %(default)s)",
)


def main(argv: list[str] | None = None) -> int:
    """Run the step `train` from the command line; return the exit status."""
    arguments = _PARSER.parse_args(argv)
    config = ModelConfig(model_type=arguments.model_type)
    return run(lambda: train(past_or_today(arguments.date or today()), pipeline_settings(), config))


if __name__ == "__main__":
    raise SystemExit(main())
