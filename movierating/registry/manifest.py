"""The manifest, a bundle's index file: its files, features, metrics, lineage, golden inputs."""

import json
from datetime import date, datetime
from typing import Final

from pydantic import BaseModel, ConfigDict

from movierating.errors import ExplainedError
from movierating.identity import PlainName, sha256

FORMAT: Final = 2
COVERAGE: Final = 0.8  # share of films whose rating the interval should contain
MANIFEST_NAME: Final = "manifest.json"

# These fields differ between two runs that made the same model, so the digest leaves them out.
_CIRCUMSTANCES: Final = frozenset({"version", "created_at", "wandb_run"})


class _Part(BaseModel):
    # An unknown field may be essential for the forecast, so it must not be ignored.
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
    """The division into training films and hold-out films.

    Training films were released before `split_date`, hold-out films from then until `until`.
    """

    split_date: date
    until: date
    train_films: int
    holdout_films: int


class Interval(_Part):
    """The 80 % interval and its scores on the hold-out films.

    Attributes:
        quantile: Interval half-width as a multiple of the predicted error.
        coverage: Share of the films whose rating lies inside, with all facts known.
        form_coverage: The same, with only running time, language, main genre and plot known.
        width: Mean width in rating points, with all facts known.
    """

    quantile: float
    coverage: float
    form_coverage: float
    width: float


class DataSource(_Part):
    """The origin of the training data.

    Attributes:
        sha256: Hash of the cleaned file.
        films: Number of films before preprocessing dropped any.
        source: TMDB's host, or the name of the catalogue that the TMDB stand-in served.
        faults: Reasons why values of collected films were rejected, with their counts.
    """

    sha256: str
    films: int
    source: str
    faults: dict[str, int] = {}


class GoldenInput(_Part):
    """A vector in the order of the features (None is unknown) and the model's outputs for it."""

    vector: tuple[float | None, ...]
    rating: float
    half_width: float


class Manifest(_Part):
    """The description of one version. It is written last, so its presence means a complete bundle.

    Attributes:
        run_date: The date of the run; production never moves to an earlier one.
        average_rating: The forecast for a film without known facts.
        seen: Range of 99 % of the training films, by measurement.
        metrics: Scores of the model by set: `train`, `holdout`, and `form` (the hold-out films with
            only running time, language, main genre and plot known).
        baselines: Scores of the naive baselines on the hold-out films; the model has to beat them.
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
        """Return the manifest with its version: the run date and a digest of the content."""
        return self.model_copy(update={"version": f"{self.run_date}-{self._identity()[:12]}"})

    def matches_version(self) -> bool:
        """Return whether the version's digest is the digest of this manifest."""
        return self.version == self.with_version().version

    def to_bytes(self) -> bytes:
        """Return the bytes that are stored and hashed."""
        return self.model_dump_json(indent=2).encode()

    def _identity(self) -> str:
        return sha256(self.model_dump_json(exclude=set(_CIRCUMSTANCES)).encode())


class BundleError(ExplainedError, ValueError):
    """A bundle is incomplete, altered, has another format, or does not give its golden outputs."""


class NewerFormatError(BundleError):
    """A newer release of this code made the bundle."""


def parse_manifest(raw: bytes, expected_sha256: str) -> Manifest:
    """Read a manifest after checking its hash.

    Raises:
        NewerFormatError: The manifest has a newer format than this code reads.
        BundleError: The hash is wrong, or the bytes are not a manifest of this format.
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
