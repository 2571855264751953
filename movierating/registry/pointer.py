"""The pointer: which version is in production, since when and why.

`models/production.json` holds it, the only object of the registry that changes.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final

from pydantic import BaseModel, ConfigDict

from movierating.errors import ExplainedError
from movierating.films.source import describe
from movierating.identity import PlainName
from movierating.registry.decisions import Decision

POINTER_KEY: Final = "models/production.json"


class MoveError(ExplainedError, ValueError):
    """Another version cannot be put into production as requested; the message says what to do."""


class InventedFilmsError(MoveError):
    """A version trained on invented films would replace a version trained on real films."""

    def __init__(self, version: str, source: str, champion: str, other: str | None) -> None:
        """Write a message with both versions and the sources of their films."""
        real = describe(other) if other else "films that cannot be determined"
        super().__init__(
            f"{version} was trained on {describe(source)} and must never replace {champion}, "
            f"trained on {real}; choose a version trained on real films, or use another bucket"
        )


class Pointer(BaseModel):
    """The content of `production.json`: which version is in production, since when and why.

    The pointer has all fields of the decision that put the version into production. A publisher may
    be killed before it logs this decision. Then the next publisher logs it from these fields.

    Attributes:
        version: The version in production.
        manifest_sha256: Hash of its manifest.
        previous: The version that was in production before.
        at: Time when the version was put into production.
        by: The person or program that did it.
        reason: Why, in one sentence.
        run_date: The newest run date that was ever in production. A run for an earlier date never
            moves the pointer.
        rolled_back_from: The version that a person took out of production. While it is set, only
            a run for a later date, or a person, moves the pointer.
        figures: Measured values behind the decision, by name.
    """

    # A newer release may add fields; older code must still find out what is in production.
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
        """The decision that put this version into production, for the log of decisions."""
        return Decision(
            action="rolled_back" if self.rolled_back_from else "promoted",
            version=self.version,
            production=self.version,
            at=self.at,
            by=self.by,
            reason=self.reason,
            figures=self.figures,
        )


@dataclass(frozen=True)
class Production:
    """The pointer to the version in production, and the ETag of its S3 object."""

    pointer: Pointer
    etag: str


def moment_after(current: Production | None) -> datetime:
    """Return the current time, or a time just after the pointer `current` if that is later.

    The log of decisions is sorted by time. Without this, a publisher whose clock is slow would log
    a new decision before an older one.
    """
    now = datetime.now(UTC)
    return max(now, current.pointer.at + timedelta(microseconds=1)) if current else now
