"""Upload model versions to an S3 bucket and put them into production, for the benchmarks.

Only one benchmark uses this bucket. The module can also make changed copies of model versions.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Self

from movierating.identity import sha256
from movierating.registry.bundle import EFFECTS_NAME, Bundle, write_bundle
from movierating.registry.manifest import MANIFEST_NAME, Manifest
from movierating.registry.pointer import Pointer
from movierating.registry.registry import Registry
from movierating.s3 import open_bucket
from movierating.settings import Settings
from sandbox.s3.process import running_s3


@dataclass(frozen=True)
class Version:
    """A model version for a benchmark.

    Attributes:
        folder: The folder with the version's files.
        manifest: The list of these files, with facts about the version.
        bundle: The version's models, loaded into memory.
    """

    folder: Path
    manifest: Manifest
    bundle: Bundle

    @classmethod
    def of(cls, folder: Path) -> Self:
        """Load a model version from the folder with its files, and verify their checksums."""
        bundle = Bundle.load(folder, sha256((folder / MANIFEST_NAME).read_bytes()))
        return cls(folder, bundle.manifest, bundle)

    def shifted(self, folder: Path, points: float, run_date: date) -> "Version":
        """Create a copy of this model version that forecasts higher ratings.

        Args:
            folder: The folder for the copy's files.
            points: About how many rating points each forecast is higher.
            run_date: The run date of the copy, which is part of the copy's name.
        """
        # The model forecasts a correction to this average, so all forecasts move with it.
        effects = replace(self.bundle.effects, average=self.bundle.effects.average + points)
        files = {name: (self.folder / name).read_bytes() for name in self.manifest.files}
        files[EFFECTS_NAME] = json.dumps(effects.to_json()).encode()
        dated = self.manifest.model_copy(update={"run_date": run_date})
        write_bundle(folder, dated, files)
        return Version.of(folder)


@contextmanager
def in_production(bundle_folder: Path, folder: Path) -> Iterator[Settings]:
    """Run a local S3 server with one model version in production, until the `with` block ends.

    Yields the settings that a service needs to read the model from this server.

    Args:
        bundle_folder: The folder with the model version's files.
        folder: The folder for the server's data.
    """
    with running_s3(folder / "s3") as s3:
        settings = s3.settings(s3.new_bucket())
        registry = Registry(open_bucket(settings))
        move(registry, publish(registry, Version.of(bundle_folder)))
        yield settings


def publish(registry: Registry, version: Version) -> Pointer:
    """Upload a model version to the registry in S3, without putting it into production.

    Returns:
        The content that the file `production.json` needs to put this version into production.
    """
    return Pointer(
        version=version.manifest.version,
        manifest_sha256=registry.publish(version.folder, version.manifest),
        previous=None,
        at=datetime.now(UTC),
        by="benchmarks",
        reason="benchmark",
        run_date=version.manifest.run_date,
    )


def move(registry: Registry, pointer: Pointer) -> None:
    """Put a published model version into production; it replaces the version that is there now.

    Args:
        registry: The model registry in S3.
        pointer: The result of `publish` for the version.
    """
    current = registry.production()
    previous = current.pointer.version if current else None
    # A benchmark promotes the same version repeatedly, so both values are set again each time.
    now = {"previous": previous, "at": datetime.now(UTC)}
    registry.promote(pointer.model_copy(update=now), over=current)
