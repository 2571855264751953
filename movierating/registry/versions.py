"""The immutable versions of the registry, each a folder whose manifest was written last."""

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
    BundleError,
    FileEntry,
    Manifest,
    parse_manifest,
)
from movierating.s3 import Bucket, PreconditionFailedError, StoredObject

VERSIONS: Final = "models/versions/"


class RegistryConflictError(ExplainedError, RuntimeError):
    """Another publisher was faster, or a version exists with other content."""

    retryable = True


class UnknownVersionError(ExplainedError, LookupError):
    """There is no such version."""

    def __init__(self, version: str) -> None:
        """Name it, and where to look."""
        super().__init__(
            f"there is no version {version}; `python -m scripts.registry list` shows them all"
        )


@dataclass(frozen=True)
class StoredVersion:
    """A version as it lies in the bucket.

    Attributes:
        bytes: Of all its files.
        modified: When the last of them was written.
        complete: Whether its manifest is there. Without it a publisher is at work, or died.
    """

    version: str
    bytes: int
    modified: datetime
    complete: bool


@dataclass(frozen=True)
class VerifiedVersion:
    """A version all of whose hashes are right."""

    manifest: Manifest
    manifest_sha256: str

    @property
    def version(self) -> str:
        """Its name."""
        return self.manifest.version


class Versions:
    """The versions in one bucket."""

    def __init__(self, bucket: Bucket) -> None:
        """Use a bucket; nothing is read before it is asked for."""
        self._bucket = bucket

    def list(self) -> list[StoredVersion]:
        """All versions, the newest first."""
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
        stored = self._stored(_key(manifest.version, MANIFEST_NAME), manifest.to_bytes())
        return sha256(stored)

    def verify(self, version: str) -> VerifiedVersion:
        """Read and hash every file of a version, whose name is the digest of all of them.

        Raises:
            UnknownVersionError: It is not there.
            BundleError: A file is missing or altered, or this code cannot read the format.
        """
        is_plain = re.fullmatch(PLAIN_NAME, version)
        blob = self._bucket.get(_key(version, MANIFEST_NAME)) if is_plain else None
        if blob is None:
            raise UnknownVersionError(version)
        manifest_sha256 = sha256(blob.raw)
        manifest = parse_manifest(blob.raw, manifest_sha256)
        if manifest.version != version or not manifest.matches_version():
            raise BundleError(f"{MANIFEST_NAME} is not the one that {version} was published with")
        for name in manifest.files:
            self.file(version, manifest.files, name)
        return VerifiedVersion(manifest, manifest_sha256)

    def remove(self, version: str) -> None:
        """Delete a version, its manifest first: what is left of it counts as unpublished."""
        self._bucket.delete(_key(version, MANIFEST_NAME))
        for key in self._bucket.keys(f"{VERSIONS}{version}/"):
            self._bucket.delete(key)

    def file(self, version: str, files: Mapping[str, FileEntry], name: str) -> bytes:
        """A file whose hash is known.

        Raises:
            BundleError: It is missing or altered.
        """
        raw = self.read(version, name)
        if name not in files or sha256(raw) != files[name].sha256:
            raise BundleError(f"{name} does not have the SHA-256 that the manifest names")
        return raw

    def read(self, version: str, name: str) -> bytes:
        """A file, unchecked.

        Raises:
            BundleError: It is missing.
        """
        blob = self._bucket.get(_key(version, name))
        if blob is None:
            raise BundleError(f"{name} is missing from version {version}")
        return blob.raw

    def _stored(self, key: str, raw: bytes) -> bytes:
        try:
            self._bucket.create(key, raw)
        except PreconditionFailedError:
            existing = self._bucket.get(key)
            if existing is None:
                raise RegistryConflictError(f"another publisher is writing {key}") from None
            return existing.raw
        return raw


def _key(version: str, name: str) -> str:
    return f"{VERSIONS}{version}/{name}"
