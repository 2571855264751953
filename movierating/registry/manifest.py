"""What a bundle says of itself: its files, features, metrics, lineage and golden answers."""

import json
from datetime import date, datetime
from typing import Final

from pydantic import BaseModel, ConfigDict

from movierating.errors import ExplainedError
from movierating.identity import PlainName, sha256

FORMAT: Final = 2
COVERAGE: Final = 0.8  # what the interval of a forecast promises
MANIFEST_NAME: Final = "manifest.json"

# Differ between two runs that made the very same model, so they are no part of its identity.
_CIRCUMSTANCES: Final = frozenset({"version", "created_at", "wandb_run"})


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class FileEntry(_Part):
    """One file of the bundle."""

    sha256: str
    bytes: int


class Scores(_Part):
    """Errors of one predictor on one set of films, in rating points."""

    n: int
    rmse: float
    mae: float
    r2: float
    bias: float


class Split(_Part):
    """Which films taught the model and which measured it.

    Training films opened before `split_date`, held-out films on it or later, until `until`.
    """

    split_date: date
    until: date
    train_films: int
    holdout_films: int


class Interval(_Part):
    """How the 80 % interval is made, and how it did on the held-out films.

    Attributes:
        quantile: Half the width of an interval, in sizes of the error that the model expects.
        coverage: Share of the held-out films whose rating lay inside, with all facts known.
        form_coverage: The same, knowing only what the page's form asks for.
        width: Mean width in rating points, with all facts known.
    """

    quantile: float
    coverage: float
    form_coverage: float
    width: float


class DataSource(_Part):
    """Where the training data came from.

    Attributes:
        sha256: Of the cleaned file.
        films: How many were known, before any was dropped.
        source: TMDB's host, or the name of the catalogue that stood in for it.
        faults: Why values of the films that the run brought in were not believed, and how often.
    """

    sha256: str
    films: int
    source: str
    faults: dict[str, int] = {}


class GoldenInput(_Part):
    """One vector in the order of the features (None is missing) and what is to come of it."""

    vector: tuple[float | None, ...]
    rating: float
    half_width: float


class Manifest(_Part):
    """The whole description of one version; written last, so that its presence means complete.

    Attributes:
        run_date: The date the pipeline ran for; production never moves to an earlier one.
        average_rating: The forecast for a film of which nothing is known.
        seen: Between which values of its measurements nearly all films that taught it lie.
        metrics: Scores of the model by set: `train`, `holdout`, and `form` (the held-out films as
            the four known fields of the page describe them).
        baselines: Scores on the held-out films of what the model has to beat.
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
    golden: tuple[GoldenInput, ...]

    def with_version(self) -> "Manifest":
        """The manifest under its version: the run's date and a digest of what the model is."""
        return self.model_copy(update={"version": f"{self.run_date}-{self._identity()[:12]}"})

    def matches_version(self) -> bool:
        """Return whether the version's digest is the digest of this manifest."""
        return self.version == self.with_version().version

    def to_bytes(self) -> bytes:
        """The bytes that are stored and hashed."""
        return self.model_dump_json(indent=2).encode()

    def _identity(self) -> str:
        return sha256(self.model_dump_json(exclude=set(_CIRCUMSTANCES)).encode())


class BundleError(ExplainedError, ValueError):
    """A bundle is incomplete, altered, of a newer format, or does not do what it says."""


class NewerFormatError(BundleError):
    """A bundle was made by a newer release of this code."""


def parse_manifest(raw: bytes, expected_sha256: str) -> Manifest:
    """Read a manifest whose hash is known beforehand.

    Raises:
        NewerFormatError: They are of a newer format than this code reads.
        BundleError: The bytes are not the expected ones, or of a format this code cannot read.
    """
    if sha256(raw) != expected_sha256:
        raise BundleError("manifest.json does not have the SHA-256 that the pointer names")
    try:
        found = int(json.loads(raw)["format"])
        if found == FORMAT:
            return Manifest.model_validate_json(raw)
    except (ValueError, KeyError, TypeError) as error:
        raise BundleError("manifest.json is not a manifest") from error
    kind = NewerFormatError if found > FORMAT else BundleError
    raise kind(f"the bundle has format {found}; this code reads format {FORMAT}")
