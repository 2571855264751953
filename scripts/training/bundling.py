"""Build the run's bundle: the best model in ONNX format, its other files, and the manifest."""

import json
import logging
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import Final

from movierating.films.film import Film, Plot
from movierating.films.tokens import PEOPLE
from movierating.identity import sha256
from movierating.model.features import Matrix
from movierating.model.novelty import training_ranges
from movierating.model.onnx_model import Graph, Model
from movierating.model.other_names import OtherNames
from movierating.model.predictor import Predictor
from movierating.model.similar_films import RatedFilm, SimilarFilms
from movierating.model.target_encoding import Effects
from movierating.registry.bundle import (
    CODES_NAME,
    DISTRIBUTION_NAME,
    EFFECTS_NAME,
    ERROR_NAME,
    MODEL_NAME,
    OTHER_NAMES_NAME,
    REFIT_FILMS_NAME,
    SIMILAR_FILMS_NAME,
    TRAINING_FILMS_NAME,
    TWIN_EFFECTS_NAME,
    TWIN_MODEL_NAME,
    golden_inputs,
    write_bundle,
)
from movierating.registry.manifest import (
    MANIFEST_NAME,
    DataSource,
    Interval,
    Manifest,
    Refit,
    Split,
)
from movierating.registry.training_films import TrainingFilms
from scripts.dataset.metrics import score
from scripts.dataset.plot_encoder import encoder_entries
from scripts.dataset.split import Sample, TimeSplit
from scripts.parameters import MIN_VOTES_TO_MEASURE, ModelConfig
from scripts.runtime.provenance import commit, kernel, libraries
from scripts.runtime.run_files import RunFiles
from scripts.runtime.storage import staged_folder, write_bytes
from scripts.training.intervals import fit_error_model
from scripts.training.onnx_export import to_onnx
from scripts.training.plot_meaning import KnownVectors
from scripts.training.recipe import recipe
from scripts.training.refit import LARGEST_DISTANCE, distance, refit
from scripts.training.selection import TrainingResult
from scripts.training.vectors import FilmVectors

logger = logging.getLogger(__name__)

NO_OTHER_NAMES: Final = OtherNames()
# Golden inputs: invented films whose forecasts are stored in the bundle. The API forecasts them
# again and compares, so it notices if it computes something else than the training did. Each film
# has another combination of known and missing facts.
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
class _Served:
    """The model that serves forecasts.

    Attributes:
        graph: The ONNX file of its regressor.
        predictor: The model as the API loads it.
        films: Its training films.
        refit: How it was trained again on all films; None for the measured model.
        refused_refit: The distance of a refitted model that was refused; None if none was.
    """

    graph: bytes
    predictor: Predictor
    films: Sample
    refit: Refit | None = None
    refused_refit: float | None = None


def assemble(
    result: TrainingResult,
    config: ModelConfig,
    split: TimeSplit,
    files: RunFiles,
    other_names: OtherNames = NO_OTHER_NAMES,
) -> tuple[Manifest, Model, dict[str, bytes]]:
    """Build the contents of the bundle, except the model card and the file of scores for the UI.

    The bundle has two models: the refitted one, which serves forecasts, and its twin, which is
    measured on the hold-out films. Both are used as ONNX models here, as they will be later. If the
    refitted model is refused, the bundle has only the measured one.

    Args:
        result: The candidates, effects and feature vectors from training.
        config: The model families and their parameters.
        split: The training films and the hold-out films.
        files: Paths of the run's files.
        other_names: The other names of people, by which the API finds them.

    Returns:
        The manifest, the twin as an ONNX model, and the bundle's files by name.
    """
    best, holdout = result.best, result.films.evaluation_films()
    twin, graphs = export_models(result)
    measured = _Served(
        graphs[MODEL_NAME], Predictor(holdout.features, result.effects, twin), split.train
    )
    served = _refitted(measured, result, split, config, files.run_date)
    model = served.predictor.model
    golden = served.predictor.matrix(GOLDEN_FILMS)
    manifest = Manifest(
        created_at=datetime.now(UTC),
        run_date=files.run_date,
        commit=commit(),
        wandb_run=None,
        model_type=best.family,
        parameters=dict(config.parameters[best.family]),
        features=holdout.features,
        # The average rating is the forecast for the first golden film, which has no known facts.
        average_rating=float(model.forecast(golden[:1])[0]),
        interval80=_interval(twin, holdout),
        seen=training_ranges(served.films.films),
        split=_split_facts(split, files.run_date),
        metrics={
            "train": best.train,
            "holdout": score(holdout.ratings, twin.forecast(holdout.full)),
            "form": score(holdout.ratings, twin.forecast(holdout.form)),
        },
        baselines=dict(result.baselines),
        data=_data_source(files),
        libraries=libraries(),
        files={},
        encoder=encoder_entries(files.folder) if result.effects.plots else {},
        golden=golden_inputs(model, golden),
        kernel=kernel(),
        recipe=recipe(config),
        refit=served.refit,
        refused_refit=served.refused_refit,
    )
    contents = graphs | {
        MODEL_NAME: served.graph,
        EFFECTS_NAME: _json(served.predictor.effects),
        SIMILAR_FILMS_NAME: _similar_films(served.films).to_bytes(),
        TRAINING_FILMS_NAME: _ids(split.train),
        CODES_NAME: files.require(files.codes, "preprocess").read_bytes(),
    }
    if names := known_names(served.predictor.effects, other_names):
        contents[OTHER_NAMES_NAME] = json.dumps(names.to_json(), ensure_ascii=False).encode()
    if served.refit:
        contents |= {
            TWIN_MODEL_NAME: measured.graph,
            TWIN_EFFECTS_NAME: _json(result.effects),
            REFIT_FILMS_NAME: _ids(served.films),
        }
    return manifest, twin, contents


def known_names(effects: Effects, other_names: OtherNames) -> OtherNames:
    """Return the other names of the people whom the effects know."""
    known = {number for trait in PEOPLE for number in effects.names(trait).ids.tolist()}
    return OtherNames(
        {number: other_names[number] for number in sorted(other_names.keys() & known)}
    )


def _refitted(
    measured: _Served, result: TrainingResult, split: TimeSplit, config: ModelConfig, until: date
) -> _Served:
    """Refit the measured model on all films; return the measured model if the refit is refused."""
    best, probe = result.best, result.films.evaluation_films().full
    refitted = refit(result, split, config, until)
    graph = to_onnx(best.family, refitted.regressor, probe)
    model = replace(measured.predictor.model, rating=Graph(graph))
    predictor = Predictor(measured.predictor.features, refitted.effects, model)
    films = split.train.newest(len(probe))
    vectors = KnownVectors.of(films)
    apart = distance(
        replace(predictor, encoder=vectors),
        replace(measured.predictor, encoder=vectors),
        films.films,
    )
    if apart <= LARGEST_DISTANCE:
        facts = Refit(until=until, train_films=len(refitted.films), distance=apart)
        return _Served(graph, predictor, refitted.films, facts)
    logger.warning(
        "the model that was trained again on all films is refused: its forecasts differ by %.2f "
        "points on average from those of the measured model, and the limit is %s; the measured "
        "model will serve",
        apart,
        LARGEST_DISTANCE,
    )
    return replace(measured, refused_refit=apart)


def _ids(films: Sample) -> bytes:
    return TrainingFilms.of(films.frame["id"]).to_bytes()


def _json(effects: Effects) -> bytes:
    return json.dumps(effects.to_json(), ensure_ascii=False).encode()


def export_models(result: TrainingResult) -> tuple[Model, dict[str, bytes]]:
    """Export the best candidate and its error model to ONNX, with the distribution of the errors.

    Returns:
        A `Model` that joins all as the API does, and the files by name.
    """
    best, probe = result.best, result.films.evaluation_films().full
    error_model = fit_error_model(best.folds)
    graphs = {
        MODEL_NAME: to_onnx(best.family, best.regressor, probe),
        ERROR_NAME: to_onnx("lgbm", error_model.regressor, probe),
    }
    model = Model(
        Graph(graphs[MODEL_NAME]),
        Graph(graphs[ERROR_NAME]),
        error_model.quantile,
        error_model.errors,
    )
    return model, graphs | {DISTRIBUTION_NAME: json.dumps(error_model.errors.to_json()).encode()}


def write(manifest: Manifest, contents: dict[str, bytes], files: RunFiles) -> Manifest:
    """Write the run's bundle to its folder; the manifest is written last.

    Returns:
        The manifest, now with the version and the checksums of the files.
    """
    with staged_folder(files.bundle) as folder:
        written = write_bundle(folder, manifest, contents)
    logger.info("wrote version %s to %s", written.version, files.bundle)
    return written


def add_wandb_run(manifest: Manifest, wandb_run: str | None, files: RunFiles) -> Manifest:
    """Add the path of the W&B run to the manifest of the run's bundle, and return the new manifest.

    The name of the version does not depend on it.
    """
    if wandb_run is None:
        return manifest
    added = manifest.model_copy(update={"wandb_run": wandb_run})
    write_bytes(files.bundle / MANIFEST_NAME, added.to_bytes())
    return added


def _similar_films(films: Sample) -> SimilarFilms:
    """Build the index of similar films from the films with a title and enough votes."""
    frame = films.frame
    kept = ((frame["vote_count"] >= MIN_VOTES_TO_MEASURE) & frame["title"].notna()).to_numpy()
    described = [film for film, keep in zip(films.films, kept, strict=True) if keep]
    columns = frame.loc[kept, ["id", "title", "release_year", "vote_average"]]
    rated = [RatedFilm(*row) for row in columns.itertuples(index=False, name=None)]
    return SimilarFilms.build(described, rated)


def _interval(model: Model, films: FilmVectors) -> Interval:
    def coverage(matrix: Matrix) -> float:
        return round(float(model.covers(matrix, films.ratings).mean()), 6)

    low, high = model.intervals(films.full)
    return Interval(
        quantile=round(model.quantile, 6),
        coverage=coverage(films.full),
        form_coverage=coverage(films.form),
        width=round(float((high - low).mean()), 6),
    )


def _split_facts(split: TimeSplit, until: date) -> Split:
    return Split(
        split_date=split.split_date,
        until=until,
        train_films=len(split.train),
        holdout_films=len(split.holdout),
    )


def _data_source(files: RunFiles) -> DataSource:
    collected = files.read_report(files.collect_report, "collect", "validation")
    preprocessed = files.read_report(files.preprocess_report, "preprocess", "collected")
    return DataSource(
        sha256=sha256(files.cleaned.read_bytes()),
        films=preprocessed["collected"],
        source=files.cleaned_source(),
        faults=collected["validation"]["faults"],
    )
