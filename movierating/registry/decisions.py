"""The log of decisions about model versions: promotions, refusals and rollbacks.

Each decision is one S3 object that is never changed.
"""

from contextlib import suppress
from datetime import UTC, datetime
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict

from movierating.registry.manifest import BundleError
from movierating.s3 import Bucket
from movierating.s3_errors import ObjectTooLargeError, PreconditionFailedError

DECISIONS_PREFIX: Final = "models/ledger/"
_MAX_DECISION_BYTES: Final = 100_000

Action = Literal["promoted", "refused", "rolled_back"]


class Decision(BaseModel):
    """One decision about a model version.

    Attributes:
        action: What was done with the version: `promoted`, `refused` or `rolled_back`.
        version: The version that the decision is about; in a rollback, the earlier version that is
            now in production again.
        production: The version in production after the decision; None if there is none.
        at: Time of the decision.
        by: The person or program that decided.
        reason: Why, in one sentence.
        figures: Measured values behind the decision, by name; RMSE and differences are in rating
            points.
    """

    # The API may read decisions that a newer release wrote, so unknown fields are ignored.
    model_config = ConfigDict(frozen=True, extra="ignore")

    action: Action
    version: str
    production: str | None
    at: datetime
    by: str
    reason: str
    figures: dict[str, float] = {}


class DecisionLog:
    """Writes and reads the decisions in one bucket; lists have the oldest first."""

    def __init__(self, bucket: Bucket) -> None:
        """Use the log in this bucket; nothing is read yet."""
        self._bucket = bucket

    def record(self, decision: Decision) -> None:
        """Append a decision; a second call with the same decision changes nothing."""
        # If the key exists, an earlier attempt or another publisher has logged this decision.
        with suppress(PreconditionFailedError):
            self._bucket.create(_key(decision), decision.model_dump_json(indent=2).encode())

    def contains(self, decision: Decision) -> bool:
        """Return whether the log already has this decision, whatever its time.

        Two decisions are the same if action, version, version in production and reason are equal.
        """
        ending = _ending(decision.action, decision.version)
        return any(
            (each.production, each.reason) == (decision.production, decision.reason)
            for each in (self.read(key) for key in self.keys() if key.endswith(ending))
        )

    def decisions(self, last: int | None = None) -> list[Decision]:
        """Read the last decisions, or all of them; the oldest first.

        Args:
            last: How many; None reads all.

        Raises:
            BundleError: A decision is not readable.
        """
        return [self.read(key) for key in self.keys(last)]

    def keys(self, last: int | None = None) -> list[str]:
        """List the S3 keys of the last decisions, or of all of them; the oldest first."""
        keys = self._bucket.keys(DECISIONS_PREFIX)
        return keys if last is None else keys[-last:]

    def read(self, key: str) -> Decision:
        """Read the decision with an S3 key.

        Raises:
            BundleError: The decision is not readable.
        """
        try:
            blob = self._bucket.get(key, max_bytes=_MAX_DECISION_BYTES)
        except ObjectTooLargeError as error:
            raise BundleError(str(error)) from None
        try:
            return Decision.model_validate_json(blob.raw if blob else b"")
        except ValueError as error:
            raise BundleError(f"{key} is not a decision") from error


def _key(decision: Decision) -> str:
    # S3 lists keys in alphabetical order, so the time comes first.
    stamp = decision.at.astimezone(UTC).strftime("%Y%m%dT%H%M%S.%fZ")
    return f"{DECISIONS_PREFIX}{stamp}{_ending(decision.action, decision.version)}"


def _ending(action: Action, version: str) -> str:
    return f"-{action}-{version}.json"
