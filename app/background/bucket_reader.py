"""Keeping in memory what a bucket says, so that no answer waits for S3."""

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

POLL_SECONDS: Final = 60.0  # what is read so changes a few times a day
START_SECONDS: Final = 0.5  # so long does the start of the service wait for S3


class BucketReader(ABC):
    """Reads again and again in a thread of its own; what was read stays when S3 goes away.

    Attributes:
        what: Names what is read in messages.
        problem: Why it could not be read at the last attempt; None when it could.
    """

    what: str

    def __init__(self, bucket_of: Callable[[], Bucket], poll_seconds: float = POLL_SECONDS) -> None:
        """Prepare to read; the bucket is opened by the first `refresh`."""
        self._bucket_of = bucket_of
        self._polling = Polling(self.what, self.refresh, poll_seconds)
        self.problem: str | None = "not read yet"

    @abstractmethod
    def read(self, bucket: Bucket) -> None:
        """Read what has changed.

        Raises:
            ExplainedError: It cannot be had.
            ValueError: It is not readable.
        """

    def start(self) -> None:
        """Read from now on; returns when it was read, if that is soon."""
        self._polling.start(START_SECONDS)

    def stop(self) -> None:
        """Read no longer; a read under way is not waited for."""
        self._polling.stop()

    def refresh(self) -> None:
        """Read what has changed, or say why not and keep what there is."""
        try:
            self.read(self._bucket_of())
            self.problem = None
        except (ExplainedError, ValueError) as error:
            explained = isinstance(error, ExplainedError)
            self._report(str(error) if explained else f"the {self.what} is not readable")

    def refuse_unread(self) -> None:
        """Answer 503 where it could not be read.

        Raises:
            HTTPException: It could not.
        """
        if self.problem:
            raise HTTPException(
                HTTPStatus.SERVICE_UNAVAILABLE, f"the {self.what} is not read: {self.problem}"
            )

    def _report(self, problem: str) -> None:
        if problem != self.problem:
            logger.warning("the %s cannot be read: %s", self.what, problem)
        self.problem = problem
