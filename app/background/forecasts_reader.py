"""Reads the forecast ledger's two views from S3: upcoming films and the track record.

The forecast ledger is the record of all forecasts and their scores. A view is a file that the
pipeline derives from the ledger for the API.
"""

from collections.abc import Callable
from typing import Final, TypeVar

from app.background.bucket_reader import POLL_SECONDS, BucketReader
from movierating.ledger.ledger import TRACK_RECORD_KEY, UPCOMING_KEY
from movierating.ledger.records import TrackRecord, Upcoming
from movierating.s3 import Bucket
from movierating.s3_errors import PreconditionFailedError

# With 5,000 upcoming films, the larger view has 5 MB. Parsed, it needs several times its size.
MAX_VIEW_BYTES: Final = 16_000_000

_View = TypeVar("_View", Upcoming, TrackRecord)


class ForecastsReader(BucketReader):
    """Keeps the forecast ledger's views in memory.

    Attributes:
        upcoming: Forecasts of upcoming films; None until this view has been read.
        track_record: Errors of the forecasts of released films; None until this view has been read.
    """

    subject = "forecast ledger"

    def __init__(self, bucket_of: Callable[[], Bucket], poll_seconds: float = POLL_SECONDS) -> None:
        """Create a reader; the first `refresh` opens the bucket."""
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
            blob = bucket.get(key, self._etags.get(key), MAX_VIEW_BYTES)
        except PreconditionFailedError:  # unchanged since the last read
            return known
        if blob is None:
            return known
        view = kind.model_validate_json(blob.raw)
        self._etags[key] = blob.etag
        return view
