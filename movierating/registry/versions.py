"""The immutable model versions in the registry: one S3 folder each, the manifest stored last."""

import re
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from movierating.errors import ExplainedError
from movierating.identity import PLAIN_NAME, sha256
from movierating.registry.manifest import (
    MANIFEST_NAME,
    MAX_BUNDLE_BYTES,
    MAX_MANIFEST_BYTES,
    BundleError,
    FileEntry,
    Manifest,
    OutlineEntry,
    parse_manifest,
)
from movierating.s3 import Bucket, StoredObject
from movierating.s3_errors import ObjectTooLargeError, PreconditionFailedError

VERSIONS: Final = "models/versions/"
ENCODERS: Final = "models/encoders/"  # files of plot encoders, each under its SHA-256
_STORE_AGAIN: Final = "the next run of the step `deploy` stores it again"


class RegistryConflictError(ExplainedError, RuntimeError):
    """Another publisher wrote first, or the version exists with other content."""

    retryable = True


class UnknownVersionError(ExplainedError, LookupError):
    """The registry does not have a version of that name."""

    def __init__(self, version: str) -> None:
        """Write a message with the version's name and the command that lists all versions."""
        super().__init__(
            f"there is no version {version}; `python -m scripts.registry list` shows them all"
        )


@dataclass(frozen=True)
class StoredVersion:
    """One model version in the bucket: its size, its age, and whether it is complete.

    Attributes:
        version: The version's name.
        bytes: Total size of its files.
        modified: Time when the last file was written.
        complete: Whether the manifest exists. If not, a publisher is still writing the version, or
            was killed while it did.
    """

    version: str
    bytes: int
    modified: datetime
    complete: bool


@dataclass(frozen=True)
class VerifiedVersion:
    """A version whose files all passed the hash check."""

    manifest: Manifest
    manifest_sha256: str

    @property
    def version(self) -> str:
        """The version's name."""
        return self.manifest.version


class Versions:
    """Stores, lists, checks and deletes the model versions in one bucket."""

    def __init__(self, bucket: Bucket) -> None:
        """Use the versions in this bucket; nothing is read yet."""
        self._bucket = bucket

    def list(self) -> list[StoredVersion]:
        """Return all versions, the newest first."""
        found: dict[str, list[StoredObject]] = defaultdict(list)
        for each in self._bucket.objects(VERSIONS):
            found[each.key.removeprefix(VERSIONS).partition("/")[0]].append(each)
        stored = [
            StoredVersion(
                version=version,
                bytes=sum(each.bytes for each in files),
                modified=max(each.modified for each in files),
                complete=_key(version, MANIFEST_NAME) in {each.key for each in files},
            )
            for version, files in found.items()
        ]
        return sorted(stored, key=lambda each: (each.modified, each.version), reverse=True)

    def publish(self, folder: Path, manifest: Manifest, encoders: Path) -> str:
        """Store a bundle under its version; a second call changes nothing.

        The manifest is stored last, so a version with a manifest is complete.

        Args:
            folder: The bundle's folder.
            manifest: The bundle's manifest.
            encoders: The folder with the plot encoder's files, each under its hash.

        Returns:
            The SHA-256 of the stored manifest.

        Raises:
            RegistryConflictError: The version exists with other content.
            BundleError: A file of the plot encoder was altered in the bucket.
        """
        for entry in manifest.encoder.values():
            self._store_encoder_file(encoders / entry.sha256, entry)
        # Readers ignore a version without a manifest, so a killed publisher does no harm.
        for name in manifest.files:
            key, raw = _key(manifest.version, name), (folder / name).read_bytes()
            if self._stored(key, raw) != raw:
                raise RegistryConflictError(f"{key} exists with other content")
        stored = self._stored(_key(manifest.version, MANIFEST_NAME), manifest.to_bytes())
        return sha256(stored)

    def verify(self, version: str) -> VerifiedVersion:
        """Check the hash of every file of a version, and the digest in its name.

        Raises:
            UnknownVersionError: The registry does not have the version.
            BundleError: A file is missing or altered, or has a format this code cannot read.
        """
        # A person may have typed the name, so check that it cannot point to another S3 folder.
        is_plain = re.fullmatch(PLAIN_NAME, version)
        key = _key(version, MANIFEST_NAME)
        blob = self._bucket.get(key, max_bytes=MAX_MANIFEST_BYTES) if is_plain else None
        if blob is None:
            raise UnknownVersionError(version)
        manifest_sha256 = sha256(blob.raw)
        manifest = parse_manifest(blob.raw, manifest_sha256)
        if manifest.version != version or not manifest.matches_version():
            raise BundleError(f"{MANIFEST_NAME} is not the one that {version} was published with")
        for name in manifest.files:
            self.file(version, manifest.files, name)
        for entry in manifest.encoder.values():
            self.encoder_file(entry)
        return VerifiedVersion(manifest, manifest_sha256)

    def remove(self, version: str) -> None:
        """Delete a model version.

        The manifest is deleted first. If the process is killed then, readers ignore the remaining
        files, because a version without a manifest is not a published version.
        """
        self._bucket.delete(_key(version, MANIFEST_NAME))
        for key in self._bucket.keys(f"{VERSIONS}{version}/"):
            self._bucket.delete(key)

    def file(self, version: str, files: Mapping[str, FileEntry | OutlineEntry], name: str) -> bytes:
        """Read one file of a version, and check its size and its hash.

        Raises:
            BundleError: The file is missing or altered.
        """
        entry = files.get(name)
        if entry is None:
            raise BundleError(f"the manifest of version {version} names no {name}")
        size = entry.bytes if isinstance(entry, FileEntry) else MAX_BUNDLE_BYTES
        raw = self._read(version, name, size)
        if sha256(raw) != entry.sha256:
            raise BundleError(f"{name} does not have the SHA-256 that the manifest names")
        return raw

    def encoder_file(self, entry: FileEntry) -> bytes:
        """Read one file of a plot encoder and check its hash.

        Raises:
            BundleError: The file is missing or altered.
        """
        key = ENCODERS + entry.sha256
        try:
            blob = self._bucket.get(key, max_bytes=entry.bytes)
        except ObjectTooLargeError:
            raise BundleError(_altered(key)) from None
        if blob is None:
            raise BundleError(f"{key} of the plot encoder is missing; {_STORE_AGAIN}")
        if sha256(blob.raw) != entry.sha256:
            raise BundleError(_altered(key))
        return blob.raw

    def manifest(self, version: str) -> bytes:
        """Read the manifest of a version without checking its hash.

        Raises:
            BundleError: The manifest is missing or too large.
        """
        return self._read(version, MANIFEST_NAME, MAX_MANIFEST_BYTES)

    def _read(self, version: str, name: str, max_bytes: int) -> bytes:
        try:
            blob = self._bucket.get(_key(version, name), max_bytes=max_bytes)
        except ObjectTooLargeError as error:
            raise BundleError(str(error)) from None
        if blob is None:
            raise BundleError(f"{name} is missing from version {version}")
        return blob.raw

    def _store_encoder_file(self, path: Path, entry: FileEntry) -> None:
        key = ENCODERS + entry.sha256
        if any(self._bucket.keys(key)):
            self.encoder_file(entry)  # a version must not be published with an altered encoder
        else:
            self._stored(key, path.read_bytes())

    def _stored(self, key: str, raw: bytes) -> bytes:
        # Never overwrite: two publishers of the same version must not mix their files.
        try:
            self._bucket.create(key, raw)
        except PreconditionFailedError:
            existing = self._bucket.get(key)
            if existing is None:
                raise RegistryConflictError(f"another publisher is writing {key}") from None
            return existing.raw
        return raw


def _altered(key: str) -> str:
    return f"{key} of the plot encoder is altered; delete it, and {_STORE_AGAIN}"


def _key(version: str, name: str) -> str:
    return f"{VERSIONS}{version}/{name}"
