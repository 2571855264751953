"""Turn the chosen model into the run's bundle, with all that its manifest has to say."""

import logging
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, Final

import numpy as np

from movierating.bundle import CODES_NAME, MODEL_NAME, Model, golden_answers, write_bundle
from movierating.features import build_matrix
from movierating.film import Film, Plot
from movierating.manifest import COVERAGE, DataSource, Interval, Manifest, Scores, Split, sha256
from scripts.candidates import Regressor, to_onnx
from scripts.evaluation import score
from scripts.files import RunFiles, filling, read_json
from scripts.lineage import commit, libraries
from scripts.parameters import ModelType
from scripts.samples import Ratings, TimeSplit

logger = logging.getLogger(__name__)

# Invented films whose ratings every copy of the model must give alike.
GOLDEN_FILMS: Final = (
    Film(),
    Film(genres=("Drama",)),
    Film(genres=("Comedy", "Romance"), original_language="en", runtime_minutes=98),
    Film(genres=("Thriller",), original_language="ko", runtime_minutes=124, plot=Plot(310, -0.2)),
    Film(
        genres=("Animation", "Family"),
        original_language="ja",
        runtime_minutes=101,
        release_date=date(2024, 7, 19),
        budget_usd=12_000_000,
        plot=Plot(420, 0.25, 0.5),
    ),
    Film(genres=("Horror",), runtime_minutes=84, release_date=date(2025, 10, 31)),
    Film(original_language="fr", plot=Plot(55, 0.0, 0.1)),
    Film(genres=("Documentary",), original_language="xx", runtime_minutes=240, budget_usd=1),
)


@dataclass(frozen=True)
class Result:
    """What a training found.

    Attributes:
        form_residuals: Errors on films that the model was chosen by and not fitted on, knowing
            only what the page's form asks for; (films,).
        train: Scores on the films that taught it.
        baselines: Scores of what it has to beat, on the held-out films.
    """

    family: ModelType
    regressor: Regressor
    parameters: dict[str, Any]
    features: tuple[str, ...]
    form_residuals: Ratings
    train: Scores
    baselines: dict[str, Scores]
    wandb_run: str | None


def package(result: Result, split: TimeSplit, files: RunFiles) -> Manifest:
    """Write the run's bundle: the model as ONNX, the code tables, the manifest.

    The metrics are those of the ONNX form, which is what will be served.
    """
    known = split.holdout.matrix(result.features)
    onnx = to_onnx(result.family, result.regressor, known)
    model = Model(onnx)
    forecast = model.predict(known)
    on_the_form = model.predict(split.holdout.form_matrix(result.features))
    manifest = Manifest(
        created_at=datetime.now(UTC),
        run_date=files.run_date,
        commit=commit(),
        wandb_run=result.wandb_run,
        model_type=result.family,
        parameters=result.parameters,
        features=result.features,
        average_rating=float(split.train.ratings.mean()),
        interval80=_interval(result.form_residuals, on_the_form - split.holdout.ratings),
        split=_described(split, files.run_date),
        metrics={
            "train": result.train,
            "holdout": score(split.holdout.ratings, forecast),
            "form": score(split.holdout.ratings, on_the_form),
        },
        baselines=result.baselines,
        data=_data_source(files),
        libraries=libraries(),
        files={},
        golden=golden_answers(model, build_matrix(GOLDEN_FILMS, result.features)),
    )
    codes = files.need(files.codes, "preprocess").read_bytes()
    with filling(files.bundle) as folder:
        written = write_bundle(folder, manifest, {MODEL_NAME: onnx, CODES_NAME: codes})
    logger.info("%s in %s", written.version, files.bundle)
    return written


def _interval(residuals: Ratings, held_out: Ratings) -> Interval:
    """A split-conformal interval: the rank is that of one more film among those that chose.

    Lei et al., Distribution-Free Predictive Inference for Regression, 2018, algorithm 2.
    """
    count = len(residuals)
    rank = min(count, int(np.ceil((count + 1) * COVERAGE)))
    half_width = float(np.sort(np.abs(residuals))[rank - 1])
    coverage = float(np.mean(np.abs(held_out) <= half_width))
    return Interval(half_width=round(half_width, 6), coverage=round(coverage, 6))


def _described(split: TimeSplit, until: date) -> Split:
    return Split(
        split_date=split.split_date,
        until=until,
        train_films=len(split.train),
        holdout_films=len(split.holdout),
    )


def _data_source(files: RunFiles) -> DataSource:
    collected = read_json(files.source)
    return DataSource(
        sha256=sha256(files.cleaned.read_bytes()),
        films=read_json(files.report)["collected"],
        source=collected["source"],
        faults=collected["validation"]["faults"],
    )
