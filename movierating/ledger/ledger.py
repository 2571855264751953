"""The forecast ledger: append-only records of forecasts and scores in S3.

Keys::

    forecasts/made/{day}/{version}-{digest}.jsonl.gz    forecasts made on a day
    forecasts/errors/{version}.json                     errors of a version, for distributions
    forecasts/scored/{day}/{digest}.jsonl.gz            scores made on a day
    forecasts/drift/{day}/{digest}.json                 drift reports
    forecasts/retrainings/{day}.json                    the run that retrains on a day, and why
    forecasts/views/                                    summaries of the records, for the API

The ledger creates records with `If-None-Match` and never changes them, so that nobody can improve
a forecast after the release. It overwrites the views, because they can be made again from the
records at any time.
"""

import gzip
import io
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import date
from functools import cached_property
from typing import Final, Protocol, TypeVar

from movierating.errors import ExplainedError
from movierating.identity import sha256
from movierating.ledger.records import (
    DriftReport,
    Forecast,
    LedgerRecord,
    Retraining,
    Score,
    ScoringMark,
    TrackRecord,
    Upcoming,
    VersionErrors,
)
from movierating.s3 import Blob
from movierating.s3_errors import PreconditionFailedError

MADE_PREFIX: Final = "forecasts/made/"
ERRORS_PREFIX: Final = "forecasts/errors/"
SCORED_PREFIX: Final = "forecasts/scored/"
DRIFT_PREFIX: Final = "forecasts/drift/"
RETRAININGS_PREFIX: Final = "forecasts/retrainings/"
UPCOMING_KEY: Final = "forecasts/views/upcoming.json"
TRACK_RECORD_KEY: Final = "forecasts/views/track_record.json"

MAX_LINES_BYTES: Final = 128_000_000  # of one object; the forecasts of a day have 5 MB
_NO_TIMESTAMP: Final = 0  # in the gzip header, so that the same records give the same bytes
# Digests leave these fields out. So a second run on the same day gets the same key for the same
# records, and adds nothing.
_TIME_FIELDS: Final = {"made_at"}


class LedgerError(ExplainedError, ValueError):
    """An S3 object of the forecast ledger is damaged, or was not written by the ledger."""

    def __init__(self, key: str) -> None:
        """Create the error for the S3 object with this key."""
        super().__init__(
            f"{key} is damaged or not written by the ledger; move it away to continue without it"
        )


class ObjectStore(Protocol):
    """The S3 operations that the ledger uses. Every method may raise `S3UnavailableError`."""

    def get(self, key: str) -> Blob | None:
        """Read the object with a key; None if it does not exist."""

    def put(self, key: str, raw: bytes) -> None:
        """Write an object, replacing an existing one."""

    def create(self, key: str, raw: bytes) -> None:
        """Write a new object; raise `PreconditionFailedError` if it exists."""

    def keys(self, prefix: str) -> list[str]:
        """List the keys that begin with a prefix, sorted."""


_Record = TypeVar("_Record", bound=LedgerRecord)


class ForecastLedger:
    """The forecast ledger in an S3 bucket.

    Attributes:
        source: Only records of films from this source are read; None means all records.
    """

    def __init__(
        self,
        bucket: ObjectStore,
        source: str | None = None,
        sources_of_versions: Mapping[str, str] | None = None,
    ) -> None:
        """Use the ledger in this bucket; nothing is read yet.

        Args:
            bucket: The bucket.
            source: Read only records of films from this source (see `movierating.films.source`).
                Two sources may have different films with the same id. None reads all records.
            sources_of_versions: The source of each known model version. It is used for a record
                that names a version and no source. If the version is unknown, the record is read.
        """
        self._bucket = bucket
        self._sources_of_versions = sources_of_versions or {}
        self.source = source

    def append(self, forecasts: Sequence[Forecast], errors: VersionErrors | None = None) -> None:
        """Store forecasts; a second call with the same forecasts changes nothing.

        Args:
            forecasts: Forecasts by one model version, all made on one day.
            errors: The errors of this version; None if it predicts no distributions.
        """
        if not forecasts:
            return
        # One object holds all forecasts of a day. One object per film would need 5,000 writes a
        # day, and as many reads.
        (day,) = {each.day for each in forecasts}
        (version,) = {each.version for each in forecasts}
        if errors is not None:
            self._create(f"{ERRORS_PREFIX}{version}.json", errors.model_dump_json().encode())
        self._append_lines(f"{MADE_PREFIX}{day}/{version}-", forecasts, without=_TIME_FIELDS)

    def append_scores(self, day: date, scores: Sequence[Score]) -> None:
        """Store the scores that a run made on a day; a second call with them changes nothing."""
        if scores:
            self._append_lines(f"{SCORED_PREFIX}{day}/", scores)

    def append_drift_report(self, report: DriftReport) -> None:
        """Store a drift report; a second call with the same report changes nothing."""
        digest = sha256(_lines([report], _TIME_FIELDS))[:12]
        self._create(
            f"{DRIFT_PREFIX}{report.day}/{digest}.json", report.model_dump_json(indent=2).encode()
        )

    def claim_retraining(self, retraining: Retraining) -> bool:
        """Claim the right to retrain the model on a day; only the first run that asks gets it.

        Returns:
            Whether this run has the claim. A run that claims again gets true again, so that an
            Airflow task does not lose its claim on a retry.
        """
        key = f"{RETRAININGS_PREFIX}{retraining.day}.json"
        self._create(key, retraining.model_dump_json(indent=2).encode())
        # Read the claim back. If several runs claim at the same time, the bucket accepts the object
        # from only one of them.
        claimed = self._read_json(key, Retraining)
        return claimed is not None and claimed.run_id == retraining.run_id

    def read(self, first: date, last: date) -> Iterator[Forecast]:
        """Yield the forecasts made from the day `first` to the day `last`, the oldest day first.

        Raises:
            LedgerError: An object is damaged or was not written by the ledger.
        """
        for key in self._bucket.keys(MADE_PREFIX):
            if first <= _day_of(MADE_PREFIX, key) <= last:
                yield from filter(self._is_of_source, self._read_lines(key, Forecast))

    def errors(self, version: str) -> VersionErrors | None:
        """Read the errors of a model version; None if the ledger does not have them.

        Raises:
            LedgerError: The object is damaged or was not written by the ledger.
        """
        return self._read_json(f"{ERRORS_PREFIX}{version}.json", VersionErrors)

    @cached_property
    def first_day(self) -> date | None:
        """The day on which the oldest forecast was made; None if there is no forecast."""
        keys = self._bucket.keys(MADE_PREFIX)
        return _day_of(MADE_PREFIX, keys[0]) if keys else None

    def scores(self) -> list[Score]:
        """Read all scores, one per film and scoring mark, such as 30 days after the release.

        If a film was scored twice at a mark, only the first score is returned: a rating of a later
        day must not replace it.
        """
        first_written: dict[tuple[int, ScoringMark], Score] = {}
        for key in self._bucket.keys(SCORED_PREFIX):
            for score in filter(self._is_of_source, self._read_lines(key, Score)):
                first_written.setdefault((score.film_id, score.mark), score)
        return list(first_written.values())

    def newest_drift_report(self) -> DriftReport | None:
        """Read the drift report that was made last; None if there is none."""
        keys = self._bucket.keys(DRIFT_PREFIX)
        # Keys are sorted by day. On one day they are sorted by digest, which says nothing about the
        # time, so all reports from the last day are read.
        last_day = [
            key for key in keys if _day_of(DRIFT_PREFIX, key) == _day_of(DRIFT_PREFIX, keys[-1])
        ]
        reports = filter(None, (self._read_json(key, DriftReport) for key in last_day))
        own = filter(self._is_of_source, reports)
        return max(own, key=lambda each: each.made_at, default=None)

    def write_view(self, key: str, view: Upcoming | TrackRecord) -> None:
        """Write a view (a summary of the records) at a key, replacing the previous one."""
        self._bucket.put(key, view.model_dump_json().encode())

    def read_view(self, key: str, kind: type[_Record]) -> _Record | None:
        """Read the view at a key; None if none was written yet.

        Raises:
            LedgerError: The view is damaged or was not written by the ledger.
        """
        return self._read_json(key, kind)

    def _is_of_source(self, record: Forecast | Score | DriftReport) -> bool:
        named = record.source or self._sources_of_versions.get(record.version)
        return self.source is None or named is None or named == self.source

    def _append_lines(
        self, prefix: str, records: Sequence[LedgerRecord], without: set[str] | None = None
    ) -> None:
        digest = sha256(_lines(records, without))[:12]
        packed = gzip.compress(_lines(records), mtime=_NO_TIMESTAMP)
        self._create(f"{prefix}{digest}.jsonl.gz", packed)

    def _create(self, key: str, raw: bytes) -> None:
        # An existing object is not replaced. Its key has a digest of its content, so it is the same
        # record; or it is the claim of a run that came first.
        with suppress(PreconditionFailedError):
            self._bucket.create(key, raw)

    def _read_lines(self, key: str, kind: type[_Record]) -> Iterator[_Record]:
        blob = self._bucket.get(key)
        try:
            text = _decompressed(blob.raw).decode() if blob else ""
            records = [kind.model_validate_json(line) for line in text.splitlines()]
        except (OSError, EOFError, ValueError, zlib.error) as error:
            raise LedgerError(key) from error
        # The ledger never writes an empty object, so this one was damaged or deleted.
        if not records:
            raise LedgerError(key)
        yield from records

    def _read_json(self, key: str, kind: type[_Record]) -> _Record | None:
        blob = self._bucket.get(key)
        try:
            return kind.model_validate_json(blob.raw) if blob else None
        except ValueError as error:
            raise LedgerError(key) from error


def _lines(records: Iterable[LedgerRecord], without: set[str] | None = None) -> bytes:
    # Sorted, so that the order of the films does not change the digest.
    return "\n".join(sorted(each.model_dump_json(exclude=without) for each in records)).encode()


def _decompressed(raw: bytes) -> bytes:
    with gzip.open(io.BytesIO(raw)) as stream:
        lines = stream.read(MAX_LINES_BYTES + 1)
    if len(lines) > MAX_LINES_BYTES:
        raise ValueError("more lines than the ledger writes")
    return lines


def _day_of(prefix: str, key: str) -> date:
    try:
        return date.fromisoformat(key.removeprefix(prefix)[:10])
    except ValueError as error:
        raise LedgerError(key) from error
