"""Keeps the views of the forecast ledger in memory: upcoming films and the track record."""

from collections.abc import Callable
from typing import TypeVar

from app.background.bucket_reader import POLL_SECONDS, BucketReader
from movierating.ledger.ledger import TRACK_RECORD_KEY, UPCOMING_KEY
from movierating.ledger.records import TrackRecord, Upcoming
from movierating.s3 import Bucket, PreconditionFailedError

_View = TypeVar("_View", Upcoming, TrackRecord)


class ForecastsReader(BucketReader):
    """Holds the views that the pipeline writes for the API.

    Attributes:
        upcoming: Forecasts of upcoming films; None until a view was read.
        track_record: How earlier forecasts came out; None until a view was read.
    """

    subject = "forecast ledger"

    def __init__(self, bucket_of: Callable[[], Bucket], poll_seconds: float = POLL_SECONDS) -> None:
        """Prepare to read; the first `refresh` opens the bucket."""
        super().__init__(bucket_of, poll_seconds)
        self._etags: dict[str, str] = {}
        self.upcoming: Upcoming | None = None
        self.track_record: TrackRecord | None = None

    def read(self, bucket: Bucket) -> None:
        """Read the views that have changed."""
        self.upcoming = self._view(bucket, UPCOMING_KEY, self.upcoming, Upcoming)
        self.track_record = self._view(bucket, TRACK_RECORD_KEY, self.track_record, TrackRecord)

    def _view(
        self, bucket: Bucket, key: str, known: _View | None, kind: type[_View]
    ) -> _View | None:
        try:
            blob = bucket.get(key, self._etags.get(key))
        except PreconditionFailedError:  # unchanged since the last read
            return known
        if blob is None:
            return known
        view = kind.model_validate_json(blob.raw)
        self._etags[key] = blob.etag
        return view
