"""The log of promotions, refusals and rollbacks: one S3 object per decision, never changed."""

from contextlib import suppress
from datetime import UTC, datetime
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict

from movierating.registry.manifest import BundleError
from movierating.s3 import Bucket, PreconditionFailedError

DECISIONS_PREFIX: Final = "models/ledger/"

Action = Literal["promoted", "refused", "rolled_back"]


class Decision(BaseModel):
    """One decision about a version.

    Attributes:
        action: The outcome.
        version: The version that was judged; after a rollback, the version that came back.
        production: The version in production afterwards; None if there is none.
        at: Time of the decision.
        by: The person or program that decided.
        reason: One sentence.
        figures: Measurements behind the decision, by name; RMSE and differences in rating points.
    """

    # The API lists old and new decisions, so fields of a newer release are ignored.
    model_config = ConfigDict(frozen=True, extra="ignore")

    action: Action
    version: str
    production: str | None
    at: datetime
    by: str
    reason: str
    figures: dict[str, float] = {}


class DecisionLog:
    """The decisions in one bucket, the oldest first."""

    def __init__(self, bucket: Bucket) -> None:
        """Use a bucket; this reads nothing yet."""
        self._bucket = bucket

    def record(self, decision: Decision) -> None:
        """Append a decision; a second call with the same decision changes nothing."""
        # The key exists if an earlier attempt or another publisher has logged the decision.
        with suppress(PreconditionFailedError):
            self._bucket.create(_key(decision), decision.model_dump_json(indent=2).encode())

    def contains(self, decision: Decision) -> bool:
        """Return whether a decision with the same outcome and reason exists, at any time."""
        ending = _ending(decision.action, decision.version)
        return any(
            (each.production, each.reason) == (decision.production, decision.reason)
            for each in (self.read(key) for key in self.keys() if key.endswith(ending))
        )

    def decisions(self, last: int | None = None) -> list[Decision]:
        """Return the last decisions, or all of them; the oldest first.

        Raises:
            BundleError: A decision is not readable.
        """
        return [self.read(key) for key in self.keys(last)]

    def keys(self, last: int | None = None) -> list[str]:
        """Return the keys of the last decisions, or of all of them; the oldest first."""
        keys = self._bucket.keys(DECISIONS_PREFIX)
        return keys if last is None else keys[-last:]

    def read(self, key: str) -> Decision:
        """Read one decision.

        Raises:
            BundleError: The decision is not readable.
        """
        blob = self._bucket.get(key)
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
