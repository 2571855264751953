"""The manifest: the index file of a model bundle.

It lists the bundle's files with their hashes, the model's features, scores and origin, and golden
inputs (vectors with known outputs, to check the model after loading).
"""

import json
from datetime import date, datetime
from typing import Annotated, Final

from pydantic import AliasPath, BaseModel, ConfigDict, Field

from movierating.errors import ExplainedError
from movierating.identity import PlainName, sha256

FORMAT: Final = 3
# Version 1.0.0 wrote format 2, which lacks those fields of `Manifest` that may be None.
_READABLE: Final = (2, FORMAT)
COVERAGE: Final = 0.8  # fraction of films whose rating should lie in the interval
MANIFEST_NAME: Final = "manifest.json"
MAX_MANIFEST_BYTES: Final = 4_000_000
# Of all files of a bundle, since all are in memory while the bundle is loaded. With 47,000 training
# films, a bundle has 30 MB.
MAX_BUNDLE_BYTES: Final = 128_000_000

# These fields differ between two runs that made the same model. The digest in the version's name
# leaves them out, so that both runs get the same version.
_CIRCUMSTANCES: Final = frozenset({"version", "created_at", "wandb_run", "kernel"})


class _Part(BaseModel):
    # A field that this code does not know may be essential for the forecast, so it is an error.
    model_config = ConfigDict(frozen=True, extra="forbid")


class FileEntry(_Part):
    """Hash and size in bytes of one file of the bundle."""

    sha256: str
    bytes: Annotated[int, Field(ge=0)]


class Scores(_Part):
    """Errors of one predictor (model or baseline) on `n` films, in rating points except `r2`."""

    n: int
    rmse: float
    mae: float
    r2: float
    bias: float


class Split(_Part):
    """The division into training films and hold-out films.

    Training films were released before `split_date`, hold-out films from `split_date` to `until`.
    """

    split_date: date
    until: date
    train_films: int
    holdout_films: int


class Refit(_Part):
    """How the model that serves forecasts was trained: on all films, after its twin was measured.

    Attributes:
        until: The last day on which a training film may be released.
        train_films: Number of its training films.
        distance: Mean absolute difference between its forecasts and its twin's, over films from
            which both have learned, in rating points.
    """

    until: date
    train_films: int
    distance: float


class Interval(_Part):
    """The 80 % interval and its scores on the hold-out films.

    Attributes:
        quantile: The half-width that contains 80 % of the errors, as a multiple of the predicted
            error. Errors are normalised by it (`movierating.model.distribution`).
        coverage: Fraction of films whose rating lies in the interval, with all facts known.
        form_coverage: The same fraction if only running time, language, main genre and plot are
            known.
        width: Mean width of the intervals in rating points, with all facts known.
    """

    quantile: float
    coverage: float
    form_coverage: float
    width: float


class DataSource(_Part):
    """The origin of the training data.

    Attributes:
        sha256: Hash of the file with the films after preprocessing.
        films: Number of films before preprocessing dropped any.
        source: The name of the source of the films (see `movierating.films.source`).
        faults: Number of rejected values in the collected films, by reason.
    """

    sha256: str
    films: int
    source: str
    faults: dict[str, int] = {}


class GoldenInput(_Part):
    """A feature vector (None is unknown) with the outputs that the model must give for it."""

    vector: tuple[float | None, ...]
    rating: float
    half_width: float


class Manifest(_Part):
    """The description of one model version.

    It is stored last, so a bundle with a manifest is complete.

    Attributes:
        run_date: The date of the pipeline run that made the model.
        average_rating: The forecast for a film without known facts.
        seen: The range that holds 99 % of the training films' values, for each measurement.
        metrics: Scores of the measured model on the sets `train`, `holdout`, and `form` (the
            hold-out films with only running time, language, main genre and plot known).
        baselines: Scores of the naive baselines, such as the mean of all films, on the hold-out
            films. The model has to beat them.
        encoder: The files of the plot encoder that the model needs. They are stored once for all
            versions, under their hashes. Empty if the model uses no vectors of plots.
        golden: Golden inputs, replayed whenever the model is loaded.
        kernel: The processor type for which the linear algebra library (BLAS) calculated on the
            machine that trained the model, such as `Haswell`; None in format 2.
        recipe: Digest of the model families, their parameters and the code of the training. Models
            of the same recipe differ only by their films. None in format 2.
        refit: The training of the model that serves forecasts. All other values of this manifest
            about films and errors (`split`, `metrics`, `interval80`) describe its twin, which was
            measured. None if the measured model serves: in format 2, or if the refit was refused.
        refused_refit: The `distance` of a refit that was refused because it was too large; None if
            no refit was refused.
    """

    format: int = FORMAT
    version: str = ""
    created_at: datetime
    run_date: date
    commit: str
    wandb_run: str | None
    model_type: str
    parameters: dict[str, float | int | str]
    features: tuple[str, ...]
    average_rating: float
    interval80: Interval
    seen: dict[str, tuple[float, float]]
    split: Split
    metrics: dict[str, Scores]
    baselines: dict[str, Scores]
    data: DataSource
    libraries: dict[str, str]
    files: dict[PlainName, FileEntry]
    encoder: dict[PlainName, FileEntry] = {}
    golden: tuple[GoldenInput, ...]
    kernel: str | None = None
    recipe: str | None = None
    refit: Refit | None = None
    refused_refit: float | None = None

    def with_version(self) -> "Manifest":
        """Return a copy whose version is set: the run date and a digest of the content."""
        return self.model_copy(update={"version": f"{self.run_date}-{self._identity()[:12]}"})

    def matches_version(self) -> bool:
        """Return whether the version's name has the right date and digest for this manifest."""
        return self.version == self.with_version().version

    def to_bytes(self) -> bytes:
        """Return the manifest as JSON bytes, as they are stored and hashed."""
        return self.model_dump_json(indent=2).encode()

    def _identity(self) -> str:
        # Format 2 lacks the fields that are None, and the encoder. Leaving these out keeps the
        # digests of its manifests.
        excluded = {*_CIRCUMSTANCES, *(() if self.encoder else ("encoder",))}
        named = self.model_dump_json(exclude=excluded, exclude_none=True)
        return sha256(named.encode())


class OutlineEntry(BaseModel):
    """Hash of one file of the bundle, in a manifest of any format."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    sha256: str


class Outline(BaseModel):
    """The few entries of a manifest that are the same in all formats.

    Attributes:
        files: The files of the bundle, by name.
        source: The name of the source of the films that the model was trained on; None if the
            manifest does not name it.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    files: dict[PlainName, OutlineEntry] = {}
    source: str | None = Field(default=None, validation_alias=AliasPath("data", "source"))


class BundleError(ExplainedError, ValueError):
    """A bundle is incomplete, altered, or of another format, or its golden outputs do not match."""


class NewerFormatError(BundleError):
    """The bundle has a newer format than this code can read."""


def parse_outline(raw: bytes, expected_sha256: str) -> Outline:
    """Check the hash of a manifest's bytes, then parse the entries that every format has.

    Raises:
        BundleError: The hash is wrong, or the bytes are not a manifest.
    """
    if sha256(raw) != expected_sha256:
        raise BundleError("manifest.json does not have the SHA-256 that the pointer names")
    try:
        return Outline.model_validate_json(raw)
    except ValueError as error:
        raise BundleError("manifest.json is not a manifest") from error


def parse_manifest(raw: bytes, expected_sha256: str) -> Manifest:
    """Check the hash of a manifest's bytes, then parse them.

    Raises:
        NewerFormatError: The manifest has a newer format than this code reads.
        BundleError: The hash is wrong, the bytes are not a manifest of a known format, or the
            files that it names are too large.
    """
    if sha256(raw) != expected_sha256:
        raise BundleError("manifest.json does not have the SHA-256 that the pointer names")
    try:
        found = int(json.loads(raw)["format"])
        manifest = Manifest.model_validate_json(raw) if found in _READABLE else None
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise BundleError("manifest.json is not a manifest") from error
    if manifest is not None:
        return _of_bearable_size(manifest)
    kind = NewerFormatError if found > FORMAT else BundleError
    known = " and ".join(map(str, _READABLE))
    raise kind(f"the bundle has format {found}; this code reads formats {known}")


def _of_bearable_size(manifest: Manifest) -> Manifest:
    size = sum(entry.bytes for entry in manifest.files.values())
    if size > MAX_BUNDLE_BYTES:
        raise BundleError(
            f"the files of version {manifest.version} have {size} bytes, and at most "
            f"{MAX_BUNDLE_BYTES} are read; train on fewer films"
        )
    if any(entry.bytes > MAX_BUNDLE_BYTES for entry in manifest.encoder.values()):
        raise BundleError(f"a file of the plot encoder has more than {MAX_BUNDLE_BYTES} bytes")
    return manifest
