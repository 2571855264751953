"""Publish, promote and modify model versions in a bucket that belongs to the benchmark."""

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
from movierating.registry.registry import Pointer, Registry
from movierating.s3 import open_bucket
from movierating.settings import Settings
from sandbox.s3.process import running_s3


@dataclass(frozen=True)
class Version:
    """A bundle in a folder."""

    folder: Path
    manifest: Manifest
    bundle: Bundle

    @classmethod
    def of(cls, folder: Path) -> Self:
        """The bundle in a folder."""
        bundle = Bundle.load(folder, sha256((folder / MANIFEST_NAME).read_bytes()))
        return cls(folder, bundle.manifest, bundle)

    def shifted(self, folder: Path, points: float, run_date: date) -> "Version":
        """A copy in another folder whose ratings are all `points` higher."""
        effects = replace(self.bundle.effects, average=self.bundle.effects.average + points)
        files = {name: (self.folder / name).read_bytes() for name in self.manifest.files}
        files[EFFECTS_NAME] = json.dumps(effects.to_json()).encode()
        dated = self.manifest.model_copy(update={"run_date": run_date})
        write_bundle(folder, dated, files)
        return Version.of(folder)


@contextmanager
def in_production(bundle_folder: Path, folder: Path) -> Iterator[Settings]:
    """Start an S3 server with a bundle in production, and yield its settings.

    Args:
        bundle_folder: The folder of the bundle.
        folder: Where the server keeps its data.
    """
    with running_s3(folder / "s3") as s3:
        settings = s3.settings(s3.new_bucket())
        registry = Registry(open_bucket(settings))
        move(registry, publish(registry, Version.of(bundle_folder)))
        yield settings


def publish(registry: Registry, version: Version) -> Pointer:
    """Publish a version, and return the pointer that promotes it."""
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
    """Promote a published version, whatever is in production."""
    current = registry.production()
    previous = current.pointer.version if current else None
    now = {"previous": previous, "at": datetime.now(UTC)}
    registry.promote(pointer.model_copy(update=now), over=current)
