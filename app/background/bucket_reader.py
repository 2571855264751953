"""Base class of readers that keep S3 objects in memory, so that no request waits for S3."""

import logging
from abc import ABC, abstractmethod
from collections.abc import Callable
from http import HTTPStatus
from typing import Final

from fastapi import HTTPException

from app.background.polling import Polling
from movierating.errors import ExplainedError
from movierating.s3 import Bucket

logger = logging.getLogger(__name__)

POLL_SECONDS: Final = 60.0  # these objects change a few times a day
START_SECONDS: Final = 0.5  # how long the start of the service waits for the first read


class BucketReader(ABC):
    """Reads objects from an S3 bucket at regular intervals, in a separate thread.

    While S3 is not reachable, the API uses the data from the last successful read.

    Attributes:
        subject: Name of the data, for messages.
        problem: Why the last read failed; None if it succeeded.
    """

    subject: str

    def __init__(self, bucket_of: Callable[[], Bucket], poll_seconds: float = POLL_SECONDS) -> None:
        """Create a reader; the first `refresh` opens the bucket."""
        self._bucket_of = bucket_of
        self._polling = Polling(self.subject, self.refresh, poll_seconds)
        self.problem: str | None = "not read yet"

    @abstractmethod
    def read(self, bucket: Bucket) -> None:
        """Read the objects that have changed since the last call.

        Raises:
            ExplainedError: S3 refuses or does not answer.
            ValueError: An object cannot be parsed.
        """

    def start(self) -> None:
        """Start the regular reads; return after the first, at the latest after `START_SECONDS`."""
        self._polling.start(START_SECONDS)

    def stop(self) -> None:
        """Stop the regular reads; do not wait for a read in progress."""
        self._polling.stop()

    def refresh(self) -> None:
        """Read the changed objects; if that fails, record the problem and keep the old data."""
        try:
            self.read(self._bucket_of())
            self.problem = None
        except (ExplainedError, ValueError) as error:
            explained = isinstance(error, ExplainedError)
            # A ValueError's message may quote the object, so callers do not get to see it.
            self._report(str(error) if explained else f"the {self.subject} cannot be parsed")

    def refuse_unread(self) -> None:
        """Refuse the current request if the last read failed.

        A route calls this when it has no data to return. If the last read succeeded, this does
        nothing, because then the data do not exist in S3 yet.

        Raises:
            HTTPException: Status 503, with the problem.
        """
        if self.problem:
            raise HTTPException(
                HTTPStatus.SERVICE_UNAVAILABLE, f"the {self.subject} is not read: {self.problem}"
            )

    def _report(self, problem: str) -> None:
        # Each poll finds the same problem again, so it is logged only when it changes.
        if problem != self.problem:
            logger.warning("the %s cannot be read: %s", self.subject, problem)
        self.problem = problem
