"""Reads the newest decisions about model versions from S3, for the route `/history`."""

import logging
from collections.abc import Callable
from typing import Final

from app.background.bucket_reader import POLL_SECONDS, BucketReader
from movierating.registry.decisions import Decision, DecisionLog
from movierating.registry.manifest import BundleError
from movierating.s3 import Bucket

logger = logging.getLogger(__name__)

MAX_DECISIONS: Final = 400  # a year of daily runs


class DecisionsReader(BucketReader):
    """Keeps the newest decisions about model versions in memory.

    A stored decision never changes, so each is read from S3 only once.

    Attributes:
        decisions: The decisions, the newest first.
    """

    subject = "decision history"

    def __init__(self, bucket_of: Callable[[], Bucket], poll_seconds: float = POLL_SECONDS) -> None:
        """Create a reader; the first `refresh` opens the bucket."""
        super().__init__(bucket_of, poll_seconds)
        self._known: dict[str, Decision | None] = {}
        self.decisions: list[Decision] = []

    def read(self, bucket: Bucket) -> None:
        """Read the new decisions; skip a decision that cannot be parsed."""
        decision_log = DecisionLog(bucket)
        self._known = {
            key: self._known[key] if key in self._known else _read_or_skip(decision_log, key)
            for key in decision_log.keys(MAX_DECISIONS)
        }
        self.decisions = [each for each in reversed(self._known.values()) if each]


def _read_or_skip(decision_log: DecisionLog, key: str) -> Decision | None:
    try:
        return decision_log.read(key)
    except BundleError as error:
        logger.warning("%s; the history leaves it out", error)
        return None
