"""Read the model registry, as every program does that only uses models.

`movierating.registry.registry` describes how the registry lies in the bucket, and writes to it.
"""

import json
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final, Protocol

from movierating.films.codes import Codes
from movierating.identity import file_sha256, sha256
from movierating.registry.bundle import CODES_NAME, Bundle, encoders_beside
from movierating.registry.decisions import Decision, DecisionLog
from movierating.registry.manifest import (
    MANIFEST_NAME,
    BundleError,
    FileEntry,
    Manifest,
    Outline,
    parse_manifest,
    parse_outline,
)
from movierating.registry.pointer import POINTER_KEY, Pointer, Production
from movierating.registry.versions import StoredVersion, VerifiedVersion, Versions
from movierating.s3 import Bucket

_MAX_POINTER_BYTES: Final = 100_000


class VersionReference(Protocol):
    """An object with a version's name and its manifest's hash, such as a pointer."""

    @property
    def version(self) -> str:
        """The version's name."""

    @property
    def manifest_sha256(self) -> str:
        """The SHA-256 of its manifest."""


class RegistryReader:
    """Reads versions, the production pointer and the decisions of the registry in one bucket."""

    def __init__(self, bucket: Bucket) -> None:
        """Use the registry in this bucket; nothing is read yet."""
        self._bucket = bucket
        self._versions = Versions(bucket)
        self._decisions = DecisionLog(bucket)

    def production(self, unless_etag: str | None = None) -> Production | None:
        """Read the pointer to the version in production; None if no version is in production.

        Args:
            unless_etag: The ETag from an earlier read. If the pointer has not changed since, S3
                does not send it again.

        Raises:
            PreconditionFailedError: The pointer still has the ETag `unless_etag`.
            BundleError: The pointer is not readable.
        """
        blob = self._bucket.get(POINTER_KEY, unless_etag, _MAX_POINTER_BYTES)
        if blob is None:
            return None
        try:
            return Production(Pointer.model_validate_json(blob.raw), blob.etag)
        except ValueError as error:
            raise BundleError(f"{POINTER_KEY} is not a pointer") from error

    def production_codes(self) -> Codes:
        """Return the old API's code tables in production; empty tables if nothing is in production.

        A new version may only append to these tables, because clients have stored the codes. The
        tables of a version of any format can be read, so that a new version can replace any other.

        Raises:
            BundleError: A file is missing or altered, or is no code table.
        """
        current = self.production()
        if current is None:
            return Codes()
        pointer = current.pointer
        raw = self._versions.manifest(pointer.version)
        return self._codes(pointer.version, parse_outline(raw, pointer.manifest_sha256))

    def earlier_codes(self) -> Codes:
        """Return the newest code tables of any version that can be read; if none can, empty tables.

        The caller uses these tables if the tables of the version in production are damaged.
        """
        for each in self.versions():
            with suppress(BundleError):
                raw = self._versions.manifest(each.version)
                return self._codes(each.version, parse_outline(raw, sha256(raw)))
        return Codes()

    def source(self, version: str) -> str | None:
        """Return the name of the source of the films that a version was trained on.

        The version may have any format.

        Returns:
            The name (see `movierating.films.source`); None if the manifest cannot be read.
        """
        try:
            raw = self._versions.manifest(version)
            return parse_outline(raw, sha256(raw)).source
        except BundleError:
            return None

    def manifest(self, pointer: Pointer) -> Manifest:
        """Return the manifest that a pointer names, after checking its hash.

        Raises:
            BundleError: The manifest is missing or has another hash.
        """
        raw = self._versions.manifest(pointer.version)
        return parse_manifest(raw, pointer.manifest_sha256)

    def fetch(self, pointer: VersionReference, folder: Path, encoders: Path | None = None) -> None:
        """Copy a version into a folder and check each file against the manifest.

        Args:
            pointer: The version.
            folder: The folder for the bundle's files.
            encoders: The folder for the plot encoder's files, each under its hash. Files that it
                has are not downloaded again. By default it is beside the bundle's folder.

        Raises:
            BundleError: A file is missing or altered.
        """
        raw = self._versions.manifest(pointer.version)
        manifest = parse_manifest(raw, pointer.manifest_sha256)
        folder.mkdir(parents=True, exist_ok=True)
        for name in manifest.files:
            content = self._versions.file(manifest.version, manifest.files, name)
            (folder / name).write_bytes(content)
        (folder / MANIFEST_NAME).write_bytes(raw)
        for entry in manifest.encoder.values():
            self._fetch_encoder_file(entry, encoders or encoders_beside(folder))

    def _fetch_encoder_file(self, entry: FileEntry, folder: Path) -> None:
        path = folder / entry.sha256
        if path.exists() and file_sha256(path) == entry.sha256:
            return
        folder.mkdir(parents=True, exist_ok=True)
        partial = path.with_suffix(".partial")
        partial.write_bytes(self._versions.encoder_file(entry))
        partial.replace(path)

    def bundle(
        self,
        pointer: VersionReference,
        encoders: Path | None = None,
        *,
        with_twin: bool = False,
    ) -> Bundle:
        """Download a version and load it with all checks, as the API does.

        Args:
            pointer: Names the version and its manifest's hash.
            encoders: A folder in which to keep the plot encoder's files for the next call.
            with_twin: Whether to load the twin, which only the gate needs.

        Raises:
            BundleError: The bundle is altered, has another format, or gives other outputs for the
                golden inputs than when the model was trained.
        """
        with TemporaryDirectory() as folder:
            here = Path(folder) / "bundle"
            self.fetch(pointer, here, encoders)
            return Bundle.load(here, pointer.manifest_sha256, encoders, with_twin=with_twin)

    def versions(self) -> list[StoredVersion]:
        """Return the published versions, the newest first."""
        return self._versions.list()

    def history(self, last: int | None = None) -> list[Decision]:
        """Read the last decisions, or all of them; the oldest first."""
        return self._decisions.decisions(last)

    def verify(self, version: str) -> VerifiedVersion:
        """Check the hash of every file of a version.

        If the version is in production, its manifest must also have the hash in the pointer.

        Raises:
            UnknownVersionError: The registry does not have the version.
            BundleError: A file is missing or altered, or has a format this code cannot read.
        """
        verified = self._versions.verify(version)
        current = self.production()
        if current and current.pointer.version == version:
            self.manifest(current.pointer)
        return verified

    def _codes(self, version: str, outline: Outline) -> Codes:
        raw = self._versions.file(version, outline.files, CODES_NAME)
        try:
            return Codes.from_json(json.loads(raw))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise BundleError(f"{CODES_NAME} of {version} is not a code table") from error
