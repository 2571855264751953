"""What was decided about every version: promoted, refused, rolled back."""

import logging
from collections.abc import Callable
from http import HTTPStatus
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Query, Request
from pydantic import BaseModel, Field

from app.background.bucket_reader import POLL_SECONDS, BucketReader
from app.problems import documented
from movierating.registry.decisions import Decision, DecisionLog
from movierating.registry.manifest import BundleError
from movierating.s3 import Bucket

logger = logging.getLogger(__name__)
decisions = APIRouter(tags=["model"])

MOST: Final = 400  # decisions; a year of daily runs
_UNAVAILABLE: Final = documented(HTTPStatus.SERVICE_UNAVAILABLE)
_BAD_INPUT: Final = documented(HTTPStatus.UNPROCESSABLE_ENTITY)


class History(BaseModel):
    """Decisions, the newest first; each run of the pipeline leaves one."""

    decisions: Annotated[
        list[Decision],
        Field(
            description="`figures` are RMSE in rating points and numbers of films: `holdout_rmse` "
            "is the version's own, `baseline_*_rmse` what it had to beat on the same films, "
            "`all_films_*` what came of it beside the champion. Empty where nothing was measured."
        ),
    ]


class HistoryReader(BucketReader):
    """Holds the last decisions. They are never rewritten, so each is read once.

    Attributes:
        decisions: The newest first.
    """

    what = "registry's ledger"

    def __init__(self, bucket_of: Callable[[], Bucket], poll_seconds: float = POLL_SECONDS) -> None:
        """Prepare to read; the bucket is opened by the first `refresh`."""
        super().__init__(bucket_of, poll_seconds)
        self._known: dict[str, Decision | None] = {}
        self.decisions: list[Decision] = []

    def read(self, bucket: Bucket) -> None:
        """Read the decisions that are new; one that is not readable is left out."""
        ledger = DecisionLog(bucket)
        self._known = {
            key: self._known[key] if key in self._known else _readable(ledger, key)
            for key in ledger.keys(MOST)
        }
        self.decisions = [each for each in reversed(self._known.values()) if each]


def _readable(ledger: DecisionLog, key: str) -> Decision | None:
    try:
        return ledger.read(key)
    except BundleError as error:
        logger.warning("%s; it is left out of the history", error)
        return None


async def _reader(request: Request) -> HistoryReader:
    reader: HistoryReader = request.state.history
    return reader


@decisions.get(
    "/history", summary="What was decided about each version", responses=_UNAVAILABLE | _BAD_INPUT
)
async def history(
    reader: Annotated[HistoryReader, Depends(_reader)],
    limit: Annotated[int, Query(ge=1, le=MOST)] = 50,
) -> History:
    """Promotions, refusals and rollbacks with their reasons and figures, as they were recorded."""
    if not reader.decisions:
        reader.refuse_unread()
    return History(decisions=reader.decisions[:limit])
