"""The model registry on plain S3: immutable versions, one pointer, a ledger.

Layout::

    models/versions/{version}/   the bundle; manifest.json is written last
    models/production.json       the one mutable object
    models/ledger/               one object per decision
    models/latest/*.pkl          export for the old consumers; never read here
"""

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict

from movierating.bundle import CODES_NAME
from movierating.encoders import Codes
from movierating.errors import ExplainedError
from movierating.manifest import (
    MANIFEST_NAME,
    BundleError,
    FileEntry,
    Manifest,
    PlainName,
    file_entries,
    parse_manifest,
    sha256,
)
from movierating.s3 import Bucket, PreconditionFailedError

POINTER_KEY: Final = "models/production.json"


class RegistryConflictError(ExplainedError, RuntimeError):
    """Another publisher was faster, or a version exists with other content."""

    retryable = True


class Pointer(BaseModel):
    """Which version is in production, since when and why."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    version: PlainName
    manifest_sha256: str
    previous: str | None
    at: datetime
    by: str
    reason: str
    run_date: date


class Decision(BaseModel):
    """One line of the ledger."""

    model_config = ConfigDict(frozen=True)

    action: Literal["promoted", "refused", "rolled_back"]
    version: str
    production: str | None
    at: datetime
    by: str
    reason: str


@dataclass(frozen=True)
class Production:
    """The pointer and the tag of its state."""

    pointer: Pointer
    etag: str


class Registry:
    """Reads and moves versions in one bucket."""

    def __init__(self, bucket: Bucket) -> None:
        """Use a bucket; nothing is read before it is asked for."""
        self._bucket = bucket

    def production(self, unless_etag: str | None = None) -> Production | None:
        """What is in production; None in a bucket without any version in production.

        Raises:
            PreconditionFailedError: The pointer still has the tag `unless_etag`.
            BundleError: The pointer is not readable.
        """
        blob = self._bucket.get(POINTER_KEY, unless_etag)
        if blob is None:
            return None
        try:
            return Production(Pointer.model_validate_json(blob.raw), blob.etag)
        except ValueError as error:
            raise BundleError(f"{POINTER_KEY} is not a pointer") from error

    def production_codes(self) -> Codes:
        """The code tables in production, which a new version may only extend; else empty ones.

        Those of a version that an older release of this code made are read, too.
        """
        current = self.production()
        if current is None:
            return Codes()
        version, expected = current.pointer.version, current.pointer.manifest_sha256
        files = file_entries(self._read(version, MANIFEST_NAME), expected)
        return Codes.from_json(json.loads(self._file(version, files, CODES_NAME)))

    def manifest(self, pointer: Pointer) -> Manifest:
        """The verified manifest that a pointer names.

        Raises:
            BundleError: It is missing or not the one that the pointer names.
        """
        return parse_manifest(self._read(pointer.version, MANIFEST_NAME), pointer.manifest_sha256)

    def fetch(self, pointer: Pointer, folder: Path) -> None:
        """Copy a version into a folder, each file checked against the manifest.

        Raises:
            BundleError: A file is missing or altered.
        """
        raw = self._read(pointer.version, MANIFEST_NAME)
        manifest = parse_manifest(raw, pointer.manifest_sha256)
        folder.mkdir(parents=True, exist_ok=True)
        for name in manifest.files:
            (folder / name).write_bytes(self._file(manifest.version, manifest.files, name))
        (folder / MANIFEST_NAME).write_bytes(raw)

    def publish(self, folder: Path, manifest: Manifest) -> str:
        """Store a bundle under its version, the manifest last; publishing it again changes nothing.

        Returns:
            The SHA-256 of the stored manifest.

        Raises:
            RegistryConflictError: The version exists with other content.
        """
        for name in manifest.files:
            key, raw = _key(manifest.version, name), (folder / name).read_bytes()
            if self._stored(key, raw) != raw:
                raise RegistryConflictError(f"{key} exists with other content")
        stored = self._stored(_key(manifest.version, MANIFEST_NAME), manifest.encoded())
        return sha256(stored)

    def promote(self, pointer: Pointer, over: Production | None) -> None:
        """Move production to `pointer`, if it still is what `over` says.

        Raises:
            RegistryConflictError: Another publisher has moved it meanwhile.
        """
        raw = pointer.model_dump_json(indent=2).encode()
        try:
            if over is None:
                self._bucket.create(POINTER_KEY, raw)
            else:
                self._bucket.replace(POINTER_KEY, raw, over.etag)
        except PreconditionFailedError:
            # A retry of a write whose answer was lost finds its own work.
            current = self.production()
            if current is None or current.pointer != pointer:
                raise RegistryConflictError("another publisher moved production") from None

    def record(self, decision: Decision) -> None:
        """Add a decision to the ledger; adding it again changes nothing."""
        stamp = decision.at.astimezone(UTC).strftime("%Y%m%dT%H%M%S.%fZ")
        key = f"models/ledger/{stamp}-{decision.action}-{decision.version}.json"
        with suppress(PreconditionFailedError):
            self._bucket.create(key, decision.model_dump_json(indent=2).encode())

    def export(self, files: dict[str, bytes]) -> None:
        """Write the old consumers' copies, which no part of this system reads."""
        for name, raw in files.items():
            self._bucket.put(f"models/latest/{name}", raw)

    def _stored(self, key: str, raw: bytes) -> bytes:
        try:
            self._bucket.create(key, raw)
        except PreconditionFailedError:
            existing = self._bucket.get(key)
            if existing is None:
                raise RegistryConflictError(f"another publisher is writing {key}") from None
            return existing.raw
        return raw

    def _file(self, version: str, files: Mapping[str, FileEntry], name: str) -> bytes:
        raw = self._read(version, name)
        if name not in files or sha256(raw) != files[name].sha256:
            raise BundleError(f"{name} does not have the SHA-256 that the manifest names")
        return raw

    def _read(self, version: str, name: str) -> bytes:
        blob = self._bucket.get(_key(version, name))
        if blob is None:
            raise BundleError(f"{name} is missing from version {version}")
        return blob.raw


def _key(version: str, name: str) -> str:
    return f"models/versions/{version}/{name}"
