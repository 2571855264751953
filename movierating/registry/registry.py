"""The model registry on plain S3: immutable versions, one pointer, and a log of decisions.

Layout::

    models/versions/{version}/   the bundle; manifest.json is written last
    models/production.json       which version is in production; the only object that changes
    models/ledger/               one object per decision
    models/latest/*.pkl          copies for users of the old system; this code never reads them
"""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Final

from movierating.films.source import is_invented
from movierating.registry.bundle import encoders_beside
from movierating.registry.decisions import Decision
from movierating.registry.manifest import Manifest
from movierating.registry.pointer import (
    POINTER_KEY,
    InventedFilmsError,
    MoveError,
    Pointer,
    Production,
    moment_after,
)
from movierating.registry.reading import RegistryReader
from movierating.registry.versions import RegistryConflictError, VerifiedVersion
from movierating.s3_errors import PreconditionFailedError

# Publishing takes less than a day. So if a version has no manifest and its files are older than a
# day, its publisher was killed.
_ABANDONED: Final = timedelta(days=1)


class Registry(RegistryReader):
    """The model registry in one bucket: publishes versions and moves the production pointer."""

    def publish(self, folder: Path, manifest: Manifest, encoders: Path | None = None) -> str:
        """Store a bundle under its version; a second call changes nothing.

        The manifest is stored last, so a version with a manifest is complete.

        Args:
            folder: The bundle's folder.
            manifest: The bundle's manifest.
            encoders: The folder with the plot encoder's files, each under its hash. By default it
                is beside the bundle's folder.

        Returns:
            The SHA-256 of the stored manifest.

        Raises:
            RegistryConflictError: The version exists with other content.
        """
        return self._versions.publish(folder, manifest, encoders or encoders_beside(folder))

    def promote(self, pointer: Pointer, over: Production | None) -> None:
        """Make `pointer` the production pointer, if `over` is still the current one.

        The decision is logged afterwards. Before the move, this logs the decision that created
        `over`, in case its publisher was killed before it could do so.

        Raises:
            InventedFilmsError: The version was trained on invented films, and the one in production
                was not.
            RegistryConflictError: Another publisher has moved production in the meantime.
        """
        if over:
            self._refuse_invented_films(pointer, over.pointer)
            self._decisions.record(over.pointer.decision)
        raw = pointer.model_dump_json(indent=2).encode()
        try:
            if over is None:
                self._bucket.create(POINTER_KEY, raw)
            else:
                self._bucket.replace(POINTER_KEY, raw, over.etag)
        except PreconditionFailedError:
            # If the response to a write is lost, boto3 writes again. That fails here although our
            # pointer is in place.
            current = self.production()
            if current is None or current.pointer != pointer:
                raise RegistryConflictError("another publisher moved production") from None
        self._decisions.record(pointer.decision)

    def promote_by_hand(self, version: str, by: str, reason: str) -> Pointer:
        """Put a published version into production by a person's decision.

        The gate is not used. It is the check that compares a new version with the current one.

        Raises:
            UnknownVersionError: The registry does not have the version.
            BundleError: The version fails verification.
            MoveError: The version is already in production, or its run date is older than the
                newest run date that was in production.
            InventedFilmsError: The version was trained on invented films, and the one in production
                was not.
            RegistryConflictError: Another publisher has moved production in the meantime.
        """
        current = self.production()
        verified = self._to_move(version, current)
        run_date = verified.manifest.run_date
        if current and run_date < current.pointer.run_date:
            raise MoveError(
                f"{version} has an earlier run date than {current.pointer.run_date}, which was "
                "in production already; to go back, use rollback"
            )
        return self._move(current, verified, by, reason, run_date)

    def previous_version(self) -> str:
        """Return the version that was in production before the current one.

        Raises:
            MoveError: There is none, or production was rolled back already.
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

        Afterwards, a pipeline run promotes its version only if two conditions are met. Its run date
        is later than all run dates that were in production, and its version passes the gate (the
        comparison with the version in production).

        Raises:
            UnknownVersionError: The registry does not have the version.
            BundleError: The version fails verification.
            MoveError: The version is already in production, or nothing is in production.
            InventedFilmsError: The version was trained on invented films, and the one in production
                was not.
            RegistryConflictError: Another publisher has moved production in the meantime.
        """
        current = self.production()
        if current is None:
            raise MoveError("nothing is in production, so there is nothing to roll back")
        verified = self._to_move(version, current)
        # Keep the newest run date, so that a rerun for that day does not undo the rollback.
        run_date = max(verified.manifest.run_date, current.pointer.run_date)
        taken_out = current.pointer.version
        return self._move(current, verified, by, reason, run_date, rolled_back_from=taken_out)

    def prune(self, keep: int, now: datetime | None = None) -> list[str]:
        """Delete old model versions.

        Three kinds are kept: the newest `keep` versions, the version in production, and the version
        that was in production before it. Incomplete versions, which a killed publisher left behind,
        are deleted after a day. If nothing is in production, nothing is deleted.

        Returns:
            The deleted versions.
        """
        stored, long_ago = self.versions(), (now or datetime.now(UTC)) - _ABANDONED
        complete = [each.version for each in stored if each.complete]
        abandoned = [
            each.version for each in stored if not each.complete and each.modified < long_ago
        ]
        deleted = []
        for version in [*complete[keep:], *abandoned]:
            current = self.production()  # read again: a person may roll back meanwhile
            if current and version not in {current.pointer.version, current.pointer.previous}:
                self._versions.remove(version)
                deleted.append(version)
        return deleted

    def record(self, decision: Decision) -> None:
        """Log a decision; a second call with the same decision changes nothing."""
        self._decisions.record(decision)

    def refuse(self, decision: Decision) -> bool:
        """Log the refusal of a version, unless it was refused for the same reason before.

        Returns:
            Whether the refusal is new.
        """
        if self._decisions.contains(decision):
            return False
        self._decisions.record(decision)
        return True

    def export(self, files: dict[str, bytes]) -> None:
        """Write files to `models/latest/` for users of the old system; this code never reads them.

        Args:
            files: Contents of the files, by file name.
        """
        for name, raw in files.items():
            self._bucket.put(f"models/latest/{name}", raw)

    def _refuse_invented_films(self, pointer: Pointer, over: Pointer) -> None:
        new = self.source(pointer.version)
        if new is not None and is_invented(new):
            old = self.source(over.version)
            # If the films of the version in production are unknown, they may be real.
            if old is None or not is_invented(old):
                raise InventedFilmsError(pointer.version, new, over.version, old)

    def _to_move(self, version: str, current: Production | None) -> VerifiedVersion:
        if current and current.pointer.version == version:
            raise MoveError(f"{version} is in production already")
        return self._versions.verify(version)

    def _move(  # noqa: PLR0913, PLR0917 - the fields of a pointer
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
