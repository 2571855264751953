"""Keeps objects of a bucket in memory, so that no request waits for S3."""

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
    """Reads a bucket periodically, in its own thread; keeps the last data while S3 is away.

    Attributes:
        subject: Names the data in messages.
        problem: Why the last attempt failed; None if it succeeded.
    """

    subject: str

    def __init__(self, bucket_of: Callable[[], Bucket], poll_seconds: float = POLL_SECONDS) -> None:
        """Prepare to read; the first `refresh` opens the bucket."""
        self._bucket_of = bucket_of
        self._polling = Polling(self.subject, self.refresh, poll_seconds)
        self.problem: str | None = "not read yet"

    @abstractmethod
    def read(self, bucket: Bucket) -> None:
        """Read what has changed.

        Raises:
            ExplainedError: S3 refuses or does not answer.
            ValueError: An object cannot be parsed.
        """

    def start(self) -> None:
        """Start to poll; return after the first read, or after `START_SECONDS`."""
        self._polling.start(START_SECONDS)

    def stop(self) -> None:
        """Stop to poll, without waiting for a read in progress."""
        self._polling.stop()

    def refresh(self) -> None:
        """Read what has changed; on failure record the problem and keep the data."""
        try:
            self.read(self._bucket_of())
            self.problem = None
        except (ExplainedError, ValueError) as error:
            explained = isinstance(error, ExplainedError)
            # The text of a ValueError may quote the object, so it is not shown to callers.
            self._report(str(error) if explained else f"the {self.subject} cannot be parsed")

    def refuse_unread(self) -> None:
        """Refuse the request if the last read failed.

        Raises:
            HTTPException: 503, with the problem.
        """
        if self.problem:
            raise HTTPException(
                HTTPStatus.SERVICE_UNAVAILABLE, f"the {self.subject} is not read: {self.problem}"
            )

    def _report(self, problem: str) -> None:
        # Logged once per problem, because the same one comes back at every poll.
        if problem != self.problem:
            logger.warning("the %s cannot be read: %s", self.subject, problem)
        self.problem = problem
