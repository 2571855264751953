"""A model with everything it needs to answer, as a folder that proves itself before it is read."""

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

import numpy as np

from movierating.encoders import Codes
from movierating.features import Matrix, UnknownFeatureError, build_matrix
from movierating.film import Film
from movierating.manifest import (
    MANIFEST_NAME,
    BundleError,
    FileEntry,
    Golden,
    Manifest,
    parse_manifest,
    sha256,
)

MODEL_NAME: Final = "model.onnx"
CODES_NAME: Final = "codes.json"
GOLDEN_TOLERANCE: Final = 1e-4
RATING_RANGE: Final = (0.0, 10.0)


class Model:
    """A regression in ONNX form: float32 vectors in, ratings out."""

    def __init__(self, onnx: bytes) -> None:
        """Open the graph on one thread: a row takes microseconds, and cores are few.

        Raises:
            BundleError: The bytes are no ONNX model.
        """
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 3
        try:
            self._session = onnxruntime.InferenceSession(
                onnx, options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # onnxruntime's own errors share no other base class
            raise BundleError(f"{MODEL_NAME} is not a model that can be opened") from error
        self._input: str = self._session.get_inputs()[0].name

    def predict(self, matrix: Matrix) -> Matrix:
        """Ratings of shape (rows,) for vectors of shape (rows, features), kept within 0 and 10."""
        (ratings,) = self._session.run(None, {self._input: matrix})
        return np.clip(np.asarray(ratings, dtype=np.float32).reshape(-1), *RATING_RANGE)


@dataclass(frozen=True)
class Bundle:
    """A verified version, ready to answer.

    Attributes:
        manifest: What the bundle says of itself.
        codes: The code tables of the old contract.
        model: The regression.
    """

    manifest: Manifest
    codes: Codes
    model: Model

    def rate(self, films: Sequence[Film]) -> Matrix:
        """Forecast ratings of shape (films,)."""
        return self.model.predict(build_matrix(films, self.manifest.features))

    @classmethod
    def load(cls, folder: Path, manifest_sha256: str) -> Self:
        """Open a bundle, hashing each file before it is parsed, and replay its golden answers.

        Raises:
            BundleError: A file is missing or altered, or a golden answer comes out otherwise.
        """
        manifest = parse_manifest(_read(folder, MANIFEST_NAME), manifest_sha256)
        files = {name: _verified(folder, name, entry) for name, entry in manifest.files.items()}
        if missing := {MODEL_NAME, CODES_NAME} - files.keys():
            raise BundleError(f"the manifest names no {', '.join(sorted(missing))}")
        bundle = cls(manifest, _codes(files[CODES_NAME]), Model(files[MODEL_NAME]))
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
    written = manifest.model_copy(update={"files": entries}).named()
    (folder / MANIFEST_NAME).write_bytes(written.encoded())
    return written


def golden_answers(model: Model, matrix: Matrix) -> tuple[Golden, ...]:
    """The model's answers to some vectors, to be replayed wherever it is loaded."""
    return tuple(
        Golden(
            vector=tuple(None if math.isnan(value) else float(value) for value in row),
            rating=float(rating),
        )
        for row, rating in zip(matrix, model.predict(matrix), strict=True)
    )


def _codes(raw: bytes) -> Codes:
    try:
        return Codes.from_json(json.loads(raw))
    except (ValueError, KeyError, TypeError) as error:
        raise BundleError(f"{CODES_NAME} is not a pair of code tables") from error


def _try_out(bundle: Bundle) -> None:
    try:
        bundle.rate([Film()])
    except UnknownFeatureError as error:
        raise BundleError(str(error)) from None
    except Exception as error:  # onnxruntime's own errors share no other base class
        raise BundleError(f"{MODEL_NAME} does not take the manifest's features") from error


def _replay(bundle: Bundle) -> None:
    golden = bundle.manifest.golden
    if not golden:
        raise BundleError("the manifest has no golden answers to replay")
    vectors = [[math.nan if value is None else value for value in each.vector] for each in golden]
    if {len(vector) for vector in vectors} != {len(bundle.manifest.features)}:
        raise BundleError("a golden vector has not one value for each feature")
    answers = bundle.model.predict(np.asarray(vectors, dtype=np.float32))
    expected = np.asarray([each.rating for each in golden])
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
