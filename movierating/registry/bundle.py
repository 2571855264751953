"""A bundle: the folder with all files of one model version, checked before the model is used."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Final, Protocol, Self, TypeVar

import numpy as np

from movierating.films.codes import Codes
from movierating.films.film import Film
from movierating.identity import file_sha256, sha256
from movierating.model.distribution import NormalisedErrors
from movierating.model.features import Matrix, UnknownFeatureError
from movierating.model.onnx_model import ExternalDataError, Graph, GraphError, Model
from movierating.model.other_names import OtherNames
from movierating.model.plot_encoder import EncoderFilesError, PlotEncoder
from movierating.model.predictor import Predictor
from movierating.model.similar_films import SimilarFilms
from movierating.model.target_encoding import Effects
from movierating.registry.evidence import Evidence
from movierating.registry.manifest import (
    FORMAT,
    MANIFEST_NAME,
    MAX_MANIFEST_BYTES,
    BundleError,
    FileEntry,
    GoldenInput,
    Manifest,
    parse_manifest,
)
from movierating.registry.training_films import TrainingFilms

MODEL_NAME: Final = "model.onnx"
TWIN_MODEL_NAME: Final = "twin.onnx"
TWIN_EFFECTS_NAME: Final = "twin_effects.json"
ERROR_NAME: Final = "error.onnx"
DISTRIBUTION_NAME: Final = "distribution.json"
EFFECTS_NAME: Final = "effects.json"
OTHER_NAMES_NAME: Final = "other_names.json"  # absent if no other name of a person is known
CODES_NAME: Final = "codes.json"
SIMILAR_FILMS_NAME: Final = "comparables.npz"
TRAINING_FILMS_NAME: Final = "training_films.npy"
REFIT_FILMS_NAME: Final = "refit_films.npy"
CARD_NAME: Final = "MODEL_CARD.md"
EVIDENCE_NAME: Final = "evidence.json"
_REQUIRED: Final = frozenset({MODEL_NAME, ERROR_NAME, EFFECTS_NAME, CODES_NAME, SIMILAR_FILMS_NAME})
# `_REQUIRED` is for format 2, which has neither a twin nor a list of training films.
_TWIN: Final = frozenset({TWIN_MODEL_NAME, TWIN_EFFECTS_NAME})
_REQUIRED_NOW: Final = _REQUIRED | {TRAINING_FILMS_NAME, DISTRIBUTION_NAME}
_REQUIRED_AFTER_REFIT: Final = _REQUIRED_NOW | _TWIN | {REFIT_FILMS_NAME}
_WRONG_FORM: Final = (ValueError, KeyError, TypeError, AttributeError)
GOLDEN_TOLERANCE: Final = 1e-4  # in rating points, because processors round differently


@dataclass(frozen=True)
class Bundle:
    """A verified model version, ready to forecast.

    Attributes:
        manifest: The index file of the bundle.
        codes: The genre and language codes of the old API (`GET /v1/predict`).
        effects: The target encoding: the effect of each token, such as one director.
        similar_films: The index of the training films, to find films similar to a film.
        model: The ONNX graphs that forecast the rating and its error.
        training_films: The ids of all films that the measured model has learned from.
        served_films: The ids of all films that the model that serves forecasts has learned from.
        encoder: Turns plots into vectors; None if the model uses none.
        evidence: Scores by subgroup of the hold-out films; None if the bundle has no such file.
        card: The model card in Markdown; None if the bundle has no such file.
        twin: The measured model, if it is not the served one and was loaded.
    """

    manifest: Manifest
    codes: Codes
    effects: Effects
    similar_films: SimilarFilms
    model: Model
    training_films: TrainingFilms
    served_films: TrainingFilms
    encoder: PlotEncoder | None = None
    evidence: Evidence | None = None
    card: str | None = None
    twin: Predictor | None = None

    @cached_property
    def predictor(self) -> Predictor:
        """The parts of the bundle that turn a film's facts into a forecast."""
        return Predictor(self.manifest.features, self.effects, self.model, self.encoder)

    @property
    def measured(self) -> Predictor:
        """The model whose errors the manifest states: the twin, or the only model of the bundle.

        Raises:
            BundleError: The bundle was loaded without its twin.
        """
        if self.manifest.refit is None:
            return self.predictor
        if self.twin is None:
            raise BundleError("the bundle was loaded without its twin")
        return self.twin

    def matrix(self, films: Sequence[Film]) -> Matrix:
        """Return the feature vectors of films, shape (films, features)."""
        return self.predictor.matrix(films)

    def forecast(self, films: Sequence[Film]) -> Matrix:
        """Return the forecast ratings of films, shape (films,)."""
        return self.predictor.ratings(films)

    @classmethod
    def load(
        cls,
        folder: Path,
        manifest_sha256: str,
        encoders: Path | None = None,
        *,
        with_twin: bool = False,
    ) -> Self:
        """Load a bundle: check the hash of each file, parse it, and replay the golden inputs.

        Golden inputs are stored vectors with the outputs that the model had when it was trained.
        Each hash is checked before the file is parsed, so that no parser gets an altered file.

        Args:
            folder: The bundle's folder.
            manifest_sha256: The expected hash of the manifest, from the pointer to the model in
                production (`production.json`).
            encoders: The folder with the plot encoder's files, each under its hash. By default it
                is beside the bundle's folder.
            with_twin: Whether to load the twin, which a service does not need.

        Raises:
            BundleError: A file is missing, altered or unreadable, or a golden input has another
                output than when the model was trained.
        """
        raw = _read(folder, MANIFEST_NAME, MAX_MANIFEST_BYTES)
        manifest = parse_manifest(raw, manifest_sha256)
        files = _verified_files(folder, manifest, leave_out=frozenset() if with_twin else _TWIN)
        similar_films = _similar_films(files[SIMILAR_FILMS_NAME])
        model = Model(
            _graph(MODEL_NAME, files),
            _graph(ERROR_NAME, files),
            manifest.interval80.quantile,
            _errors(files),
        )
        encoder = _encoder(manifest, encoders or encoders_beside(folder))
        training_films = _training_films(files, similar_films)
        bundle = cls(
            manifest,
            _parsed(Codes, CODES_NAME, files),
            _effects(files),
            similar_films,
            model,
            training_films,
            _film_ids(REFIT_FILMS_NAME, files) if manifest.refit else training_films,
            encoder,
            _evidence(files.get(EVIDENCE_NAME)),
            files[CARD_NAME].decode(errors="replace") if CARD_NAME in files else None,
            _twin(model, manifest, files, encoder) if with_twin and manifest.refit else None,
        )
        _check_features(bundle)
        _replay_golden_inputs(bundle)
        return bundle


def write_bundle(folder: Path, manifest: Manifest, files: dict[str, bytes]) -> Manifest:
    """Write the files of a bundle and the manifest with their hashes.

    Args:
        folder: The bundle's folder; created if it does not exist.
        manifest: The manifest without file entries and version; both are filled in here.
        files: Contents of the files, by file name.

    Returns:
        The manifest as written, with file entries and version.
    """
    folder.mkdir(parents=True, exist_ok=True)
    entries = {}
    for name, raw in files.items():
        (folder / name).write_bytes(raw)
        entries[name] = FileEntry(sha256=sha256(raw), bytes=len(raw))
    written = manifest.model_copy(update={"files": entries}).with_version()
    (folder / MANIFEST_NAME).write_bytes(written.to_bytes())
    return written


def golden_inputs(model: Model, matrix: Matrix) -> tuple[GoldenInput, ...]:
    """Return the golden inputs: vectors with the model's outputs for them.

    They are replayed whenever the model is loaded, to check that it still gives the same outputs.
    """
    return tuple(
        GoldenInput(
            vector=tuple(None if math.isnan(value) else float(value) for value in row),
            rating=float(rating),
            half_width=float(half_width),
        )
        for row, rating, half_width in zip(
            matrix, model.forecast(matrix), model.half_widths(matrix), strict=True
        )
    )


def encoders_beside(folder: Path) -> Path:
    """Return the folder of plot encoders' files that belongs to a bundle's folder."""
    return folder.parent / "encoders"


def _effects(files: Mapping[str, bytes]) -> Effects:
    others = _parsed(OtherNames, OTHER_NAMES_NAME, files) if OTHER_NAMES_NAME in files else None
    try:
        return Effects.from_json(json.loads(files[EFFECTS_NAME]), others)
    except _WRONG_FORM as error:
        raise BundleError(f"{EFFECTS_NAME} does not hold what it should") from error


def _encoder(manifest: Manifest, folder: Path) -> PlotEncoder | None:
    """Open the encoder that a manifest names, after checking the hash of each file."""
    if not manifest.encoder:
        return None
    paths = {name: folder / entry.sha256 for name, entry in manifest.encoder.items()}
    for name, path in paths.items():
        if not path.exists():
            raise BundleError(f"{name} of the plot encoder is missing")
        if file_sha256(path) != path.name:
            raise BundleError(f"{name} does not have the SHA-256 that the manifest names")
    try:
        return PlotEncoder(paths)
    except EncoderFilesError as error:
        raise BundleError(str(error)) from error


def _twin(
    served: Model, manifest: Manifest, files: Mapping[str, bytes], encoder: PlotEncoder | None
) -> Predictor:
    # Both models have the same error model and distribution: those of the twin.
    model = replace(served, rating=_graph(TWIN_MODEL_NAME, files))
    effects = _parsed(Effects, TWIN_EFFECTS_NAME, files)
    return Predictor(manifest.features, effects, model, encoder)


def _similar_films(raw: bytes) -> SimilarFilms:
    try:
        return SimilarFilms.from_bytes(raw)
    except ValueError as error:
        raise BundleError(f"{SIMILAR_FILMS_NAME} does not hold what it should") from error


def _training_films(files: Mapping[str, bytes], similar_films: SimilarFilms) -> TrainingFilms:
    """Read the training films; format 2 has only the films in the index of similar films."""
    if TRAINING_FILMS_NAME in files:
        return _film_ids(TRAINING_FILMS_NAME, files)
    return TrainingFilms.of(film.id for film in similar_films.films)


def _film_ids(name: str, files: Mapping[str, bytes]) -> TrainingFilms:
    try:
        return TrainingFilms.from_bytes(files[name])
    except ValueError as error:
        raise BundleError(f"{name} does not hold what it should") from error


def _evidence(raw: bytes | None) -> Evidence | None:
    try:
        return None if raw is None else Evidence.model_validate_json(raw)
    except ValueError as error:
        raise BundleError(f"{EVIDENCE_NAME} does not hold what it should") from error


def _graph(name: str, files: Mapping[str, bytes]) -> Graph:
    try:
        return Graph(files[name])
    except ExternalDataError as error:
        raise BundleError(f"parts of {name} are in other files; export it into one file") from error
    except GraphError as error:
        raise BundleError(f"{name} is not a model that can be opened") from error


def _errors(files: Mapping[str, bytes]) -> NormalisedErrors | None:
    """Read the distribution of the errors, which format 2 does not have."""
    if DISTRIBUTION_NAME not in files:
        return None
    return _parsed(NormalisedErrors, DISTRIBUTION_NAME, files)


class _FromJson(Protocol):
    @classmethod
    def from_json(cls, raw: Any) -> Self: ...


_Read = TypeVar("_Read", bound=_FromJson)


def _parsed(kind: type[_Read], name: str, files: Mapping[str, bytes]) -> _Read:
    try:
        return kind.from_json(json.loads(files[name]))
    except _WRONG_FORM as error:
        raise BundleError(f"{name} does not hold what it should") from error


def _check_features(bundle: Bundle) -> None:
    if bundle.effects.plots and not bundle.encoder:
        raise BundleError("the model needs a plot encoder, but the manifest names none")
    try:
        # A film without known facts: the graphs must accept vectors that are mostly NaN.
        bundle.forecast([Film()])
        bundle.model.half_widths(bundle.matrix([Film()]))
    except UnknownFeatureError as error:
        raise BundleError(str(error)) from None
    except Exception as error:  # onnxruntime's errors have no other common base class
        raise BundleError("a model does not take the manifest's features") from error


def _replay_golden_inputs(bundle: Bundle) -> None:
    golden = bundle.manifest.golden
    if not golden:
        raise BundleError("the manifest has no golden answers to replay")
    vectors = [[math.nan if value is None else value for value in each.vector] for each in golden]
    if {len(vector) for vector in vectors} != {len(bundle.manifest.features)}:
        raise BundleError("a golden vector does not have one value per feature")
    matrix = np.asarray(vectors, dtype=np.float32)
    answers = np.stack([bundle.model.forecast(matrix), bundle.model.half_widths(matrix)])
    expected = np.asarray([[each.rating, each.half_width] for each in golden]).T
    worst = float(np.max(np.abs(answers - expected)))
    if not worst <= GOLDEN_TOLERANCE:  # `not <=` is also true for NaN
        raise BundleError(f"a golden answer differs by {worst:.4f} rating points")


def _verified_files(
    folder: Path, manifest: Manifest, leave_out: frozenset[str]
) -> dict[str, bytes]:
    """Check the hash of every file, and return the contents except those of `leave_out`."""
    files = {}
    for name, entry in manifest.files.items():
        raw = _verified(folder, name, entry)
        if name not in leave_out:
            files[name] = raw
    if missing := _required_files(manifest) - manifest.files.keys():
        raise BundleError(f"the manifest names no {', '.join(sorted(missing))}")
    return files


def _required_files(manifest: Manifest) -> frozenset[str]:
    if manifest.format != FORMAT:
        return _REQUIRED
    return _REQUIRED_AFTER_REFIT if manifest.refit else _REQUIRED_NOW


def _verified(folder: Path, name: str, entry: FileEntry) -> bytes:
    raw = _read(folder, name, entry.bytes)
    if sha256(raw) != entry.sha256:
        raise BundleError(f"{name} does not have the SHA-256 that the manifest names")
    return raw


def _read(folder: Path, name: str, max_bytes: int) -> bytes:
    try:
        with (folder / name).open("rb") as stream:
            raw = stream.read(max_bytes + 1)
    except FileNotFoundError:
        raise BundleError(f"{name} is missing from the bundle") from None
    if len(raw) > max_bytes:
        raise BundleError(f"{name} has more than the {max_bytes} bytes that it should have")
    return raw
