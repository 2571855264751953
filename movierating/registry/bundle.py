"""A model with everything it needs to answer, as a folder that proves itself before it is read."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final, Protocol, Self, TypeVar

import numpy as np

from movierating.films.codes import Codes
from movierating.films.film import Film
from movierating.identity import sha256
from movierating.model.features import Matrix, UnknownFeatureError
from movierating.model.onnx_model import Graph, GraphError, Model
from movierating.model.predictor import Predictor
from movierating.model.similar_films import SimilarFilms
from movierating.model.target_encoding import Effects
from movierating.registry.evidence import Evidence
from movierating.registry.manifest import (
    MANIFEST_NAME,
    BundleError,
    FileEntry,
    GoldenInput,
    Manifest,
    parse_manifest,
)

MODEL_NAME: Final = "model.onnx"
ERROR_NAME: Final = "error.onnx"
EFFECTS_NAME: Final = "effects.json"
CODES_NAME: Final = "codes.json"
SIMILAR_FILMS_NAME: Final = "comparables.npz"
CARD_NAME: Final = "MODEL_CARD.md"  # for people
EVIDENCE_NAME: Final = "evidence.json"  # for people too; bundles before it have none
_NEEDED: Final = frozenset({MODEL_NAME, ERROR_NAME, EFFECTS_NAME, CODES_NAME, SIMILAR_FILMS_NAME})
GOLDEN_TOLERANCE: Final = 1e-4


@dataclass(frozen=True)
class Bundle:
    """A verified version, ready to answer.

    Attributes:
        manifest: What the bundle says of itself.
        codes: The code tables of the old contract.
        effects: The track records.
        similar_films: Films to compare with.
        model: What forecasts.
        evidence: How it did part by part; None where the bundle does not say.
        card: The model card in Markdown, likewise.
    """

    manifest: Manifest
    codes: Codes
    effects: Effects
    similar_films: SimilarFilms
    model: Model
    evidence: Evidence | None = None
    card: str | None = None

    @cached_property
    def predictor(self) -> Predictor:
        """The parts of the bundle that turn films into forecasts."""
        return Predictor(self.manifest.features, self.effects, self.model)

    def matrix(self, films: Sequence[Film]) -> Matrix:
        """Vectors of shape (films, features)."""
        return self.predictor.matrix(films)

    def forecast(self, films: Sequence[Film]) -> Matrix:
        """Forecast ratings of shape (films,)."""
        return self.model.forecast(self.matrix(films))

    @classmethod
    def load(cls, folder: Path, manifest_sha256: str) -> Self:
        """Open a bundle, hashing each file before it is parsed, and replay its golden answers.

        Raises:
            BundleError: A file is missing or altered, or a golden answer comes out otherwise.
        """
        manifest = parse_manifest(_read(folder, MANIFEST_NAME), manifest_sha256)
        files = {name: _verified(folder, name, entry) for name, entry in manifest.files.items()}
        if missing := _NEEDED - files.keys():
            raise BundleError(f"the manifest names no {', '.join(sorted(missing))}")
        bundle = cls(
            manifest,
            _parsed(Codes, CODES_NAME, files),
            _parsed(Effects, EFFECTS_NAME, files),
            _similar_films(files[SIMILAR_FILMS_NAME]),
            Model(
                _graph(MODEL_NAME, files), _graph(ERROR_NAME, files), manifest.interval80.quantile
            ),
            _evidence(files.get(EVIDENCE_NAME)),
            files[CARD_NAME].decode(errors="replace") if CARD_NAME in files else None,
        )
        _try_out(bundle)
        _replay(bundle)
        return bundle


def write_bundle(folder: Path, manifest: Manifest, files: dict[str, bytes]) -> Manifest:
    """Write the files, then the manifest that names and hashes them, under its version.

    Returns:
        The manifest as written.
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
    """The model's answers to some vectors, to be replayed wherever it is loaded."""
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


def _similar_films(raw: bytes) -> SimilarFilms:
    try:
        return SimilarFilms.from_bytes(raw)
    except ValueError as error:
        raise BundleError(f"{SIMILAR_FILMS_NAME} does not hold what it should") from error


def _evidence(raw: bytes | None) -> Evidence | None:
    try:
        return None if raw is None else Evidence.model_validate_json(raw)
    except ValueError as error:
        raise BundleError(f"{EVIDENCE_NAME} does not hold what it should") from error


def _graph(name: str, files: Mapping[str, bytes]) -> Graph:
    try:
        return Graph(files[name])
    except GraphError as error:
        raise BundleError(f"{name} is not a model that can be opened") from error


class _FromJson(Protocol):
    @classmethod
    def from_json(cls, raw: Any) -> Self: ...


_Read = TypeVar("_Read", bound=_FromJson)


def _parsed(kind: type[_Read], name: str, files: Mapping[str, bytes]) -> _Read:
    try:
        return kind.from_json(json.loads(files[name]))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise BundleError(f"{name} does not hold what it should") from error


def _try_out(bundle: Bundle) -> None:
    try:
        bundle.forecast([Film()])
        bundle.model.half_widths(bundle.matrix([Film()]))
    except UnknownFeatureError as error:
        raise BundleError(str(error)) from None
    except Exception as error:  # onnxruntime's own errors share no other base class
        raise BundleError("a model does not take the manifest's features") from error


def _replay(bundle: Bundle) -> None:
    golden = bundle.manifest.golden
    if not golden:
        raise BundleError("the manifest has no golden answers to replay")
    vectors = [[math.nan if value is None else value for value in each.vector] for each in golden]
    if {len(vector) for vector in vectors} != {len(bundle.manifest.features)}:
        raise BundleError("a golden vector has not one value for each feature")
    matrix = np.asarray(vectors, dtype=np.float32)
    answers = np.stack([bundle.model.forecast(matrix), bundle.model.half_widths(matrix)])
    expected = np.asarray([[each.rating, each.half_width] for each in golden]).T
    worst = float(np.max(np.abs(answers - expected)))
    if not worst <= GOLDEN_TOLERANCE:  # also when an answer is NaN
        raise BundleError(f"a golden answer differs by {worst:.4f} rating points")


def _verified(folder: Path, name: str, entry: FileEntry) -> bytes:
    raw = _read(folder, name)
    if sha256(raw) != entry.sha256:
        raise BundleError(f"{name} does not have the SHA-256 that the manifest names")
    return raw


def _read(folder: Path, name: str) -> bytes:
    try:
        return (folder / name).read_bytes()
    except FileNotFoundError:
        raise BundleError(f"{name} is missing from the bundle") from None
