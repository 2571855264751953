"""The model registry on plain S3: immutable versions, one pointer, a ledger.

Layout::

    models/versions/{version}/   the bundle; manifest.json is written last
    models/production.json       the one mutable object
    models/ledger/               one object per decision
    models/latest/*.pkl          export for the old consumers; never read here
"""

import json
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final, Protocol

from pydantic import BaseModel, ConfigDict

from movierating.errors import ExplainedError
from movierating.films.codes import Codes
from movierating.identity import PlainName
from movierating.registry.bundle import CODES_NAME, Bundle
from movierating.registry.decisions import Decision, DecisionLog
from movierating.registry.manifest import (
    MANIFEST_NAME,
    BundleError,
    Manifest,
    parse_manifest,
)
from movierating.registry.versions import (
    RegistryConflictError,
    StoredVersion,
    VerifiedVersion,
    Versions,
)
from movierating.s3 import Bucket, PreconditionFailedError

POINTER_KEY: Final = "models/production.json"
# Nobody takes so long to publish: what has no manifest after that was left by one who died.
_ABANDONED: Final = timedelta(days=1)


class MoveError(ExplainedError, ValueError):
    """Production cannot be moved as asked; the message says what to do instead."""


class Pointer(BaseModel):
    """Which version is in production, since when and why.

    It carries all that its line in the ledger says, so that whoever comes next can write that line
    for a publisher that died before it could.

    Attributes:
        previous: What was in production before.
        run_date: The newest date that was ever in production; a run for an earlier one never
            moves the pointer.
        rolled_back_from: The version that a person took out of production. While it is set, only
            the run of a later date, or a person, moves the pointer.
        figures: What was measured before the move.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    version: PlainName
    manifest_sha256: str
    previous: str | None
    at: datetime
    by: str
    reason: str
    run_date: date
    rolled_back_from: str | None = None
    figures: dict[str, float] = {}

    @property
    def decision(self) -> Decision:
        """The line of the ledger that tells of this move."""
        return Decision(
            action="rolled_back" if self.rolled_back_from else "promoted",
            version=self.version,
            production=self.version,
            at=self.at,
            by=self.by,
            reason=self.reason,
            figures=self.figures,
        )


class VersionReference(Protocol):
    """What names the bytes of a version: a pointer, or the outcome of `verify`."""

    @property
    def version(self) -> str:
        """The version's name."""

    @property
    def manifest_sha256(self) -> str:
        """The SHA-256 of its manifest."""


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
        self._versions = Versions(bucket)
        self._decisions = DecisionLog(bucket)

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
        """Return the code tables in production, or empty ones if nothing is in production.

        A new version may only extend them, because clients keep the codes.

        Raises:
            BundleError: A file is missing or altered, or has a format that this code cannot read.
        """
        current = self.production()
        if current is None:
            return Codes()
        manifest = self.manifest(current.pointer)
        raw = self._versions.file(current.pointer.version, manifest.files, CODES_NAME)
        return Codes.from_json(json.loads(raw))

    def manifest(self, pointer: Pointer) -> Manifest:
        """The verified manifest that a pointer names.

        Raises:
            BundleError: It is missing or not the one that the pointer names.
        """
        raw = self._versions.read(pointer.version, MANIFEST_NAME)
        return parse_manifest(raw, pointer.manifest_sha256)

    def fetch(self, pointer: VersionReference, folder: Path) -> None:
        """Copy a version into a folder, each file checked against the manifest.

        Raises:
            BundleError: A file is missing or altered.
        """
        raw = self._versions.read(pointer.version, MANIFEST_NAME)
        manifest = parse_manifest(raw, pointer.manifest_sha256)
        folder.mkdir(parents=True, exist_ok=True)
        for name in manifest.files:
            content = self._versions.file(manifest.version, manifest.files, name)
            (folder / name).write_bytes(content)
        (folder / MANIFEST_NAME).write_bytes(raw)

    def bundle(self, pointer: VersionReference) -> Bundle:
        """A version as the service would load it.

        Raises:
            BundleError: It is altered, of another format, or does not do what it says.
        """
        with TemporaryDirectory() as folder:
            self.fetch(pointer, Path(folder))
            return Bundle.load(Path(folder), pointer.manifest_sha256)

    def versions(self) -> list[StoredVersion]:
        """What was published, the newest first."""
        return self._versions.list()

    def history(self, last: int | None = None) -> list[Decision]:
        """The last decisions of the ledger, or all of them; the oldest first."""
        return self._decisions.decisions(last)

    def verify(self, version: str) -> VerifiedVersion:
        """Read and hash every file of a version; in production it must be the one pointed at.

        Raises:
            UnknownVersionError: It is not there.
            BundleError: A file is missing or altered, or this code cannot read the format.
        """
        verified = self._versions.verify(version)
        current = self.production()
        if current and current.pointer.version == version:
            self.manifest(current.pointer)
        return verified

    def publish(self, folder: Path, manifest: Manifest) -> str:
        """Store a bundle under its version, the manifest last; publishing it again changes nothing.

        Returns:
            The SHA-256 of the stored manifest.

        Raises:
            RegistryConflictError: The version exists with other content.
        """
        return self._versions.publish(folder, manifest)

    def promote(self, pointer: Pointer, over: Production | None) -> None:
        """Move production to `pointer`, if it still is what `over` says, and tell the ledger.

        The line of the move before is written first where it is missing.

        Raises:
            RegistryConflictError: Another publisher has moved it meanwhile.
        """
        if over:
            self._decisions.record(over.pointer.decision)
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
        self._decisions.record(pointer.decision)

    def promote_by_hand(self, version: str, by: str, reason: str) -> Pointer:
        """Put a published version into production on a person's word, without the gate.

        Raises:
            UnknownVersionError: It is not there.
            BundleError: It cannot be verified.
            MoveError: It is in production, or of an earlier date than production has had.
            RegistryConflictError: Another publisher has moved production meanwhile.
        """
        current = self.production()
        verified = self._to_move(version, current)
        run_date = verified.manifest.run_date
        if current and run_date < current.pointer.run_date:
            raise MoveError(
                f"{version} is of an earlier date than {current.pointer.run_date}, which has been "
                "in production; to go back, use rollback"
            )
        return self._move(current, verified, by, reason, run_date)

    def previous_version(self) -> str:
        """The version that was in production before the present one.

        Raises:
            MoveError: There is none, or it is the one that was rolled back from.
        """
        current = self.production()
        if current is None:
            raise MoveError("nothing is in production, so there is nothing to roll back")
        if current.pointer.rolled_back_from:
            raise MoveError("production was rolled back already; name the version to go back to")
        if current.pointer.previous is None:
            raise MoveError("no version was in production before this one; publish another first")
        return current.pointer.previous

    def roll_back(self, version: str, by: str, reason: str) -> Pointer:
        """Put an earlier version back into production.

        No run of a date that production has had undoes it; the next day's run may, if its model
        wins against this one.

        Raises:
            UnknownVersionError: It is not there.
            BundleError: It cannot be verified.
            MoveError: It is in production, or nothing is.
            RegistryConflictError: Another publisher has moved production meanwhile.
        """
        current = self.production()
        if current is None:
            raise MoveError("nothing is in production, so there is nothing to roll back")
        verified = self._to_move(version, current)
        run_date = max(verified.manifest.run_date, current.pointer.run_date)
        taken_out = current.pointer.version
        return self._move(current, verified, by, reason, run_date, rolled_back_from=taken_out)

    def prune(self, keep: int, now: datetime | None = None) -> list[str]:
        """Delete old versions, but for the last `keep`, the one in production and the one before.

        What a publisher that died left without a manifest goes after a day. Where nothing is in
        production, nothing is deleted.

        Returns:
            The versions that were deleted.
        """
        stored, long_ago = self.versions(), (now or datetime.now(UTC)) - _ABANDONED
        complete = [each.version for each in stored if each.complete]
        abandoned = [
            each.version for each in stored if not each.complete and each.modified < long_ago
        ]
        deleted = []
        for version in [*complete[keep:], *abandoned]:
            current = self.production()  # each time anew: a person may be rolling back
            if current and version not in {current.pointer.version, current.pointer.previous}:
                self._versions.remove(version)
                deleted.append(version)
        return deleted

    def record(self, decision: Decision) -> None:
        """Add a decision to the ledger; adding it again changes nothing."""
        self._decisions.record(decision)

    def refuse(self, decision: Decision) -> bool:
        """Add a refusal, unless the same version was refused for the same reason before.

        Returns:
            Whether it was new.
        """
        if self._decisions.contains(decision):
            return False
        self._decisions.record(decision)
        return True

    def export(self, files: dict[str, bytes]) -> None:
        """Write the old consumers' copies, which no part of this system reads."""
        for name, raw in files.items():
            self._bucket.put(f"models/latest/{name}", raw)

    def _to_move(self, version: str, current: Production | None) -> VerifiedVersion:
        if current and current.pointer.version == version:
            raise MoveError(f"{version} is in production already")
        return self._versions.verify(version)

    def _move(  # noqa: PLR0913, PLR0917 - all that a pointer says
        self,
        current: Production | None,
        verified: VerifiedVersion,
        by: str,
        reason: str,
        run_date: date,
        rolled_back_from: str | None = None,
    ) -> Pointer:
        pointer = Pointer(
            version=verified.manifest.version,
            manifest_sha256=verified.manifest_sha256,
            previous=current.pointer.version if current else None,
            at=moment_after(current),
            by=by,
            reason=reason,
            run_date=run_date,
            rolled_back_from=rolled_back_from,
        )
        self.promote(pointer, over=current)
        return pointer


def moment_after(current: Production | None) -> datetime:
    """The present time, but after the last move, so that the ledger keeps its order.

    Clocks of two publishers differ, and one may jump back.
    """
    now = datetime.now(UTC)
    return max(now, current.pointer.at + timedelta(microseconds=1)) if current else now
