"""The forecast ledger in a bucket; `forecast_records` says what it holds.

Layout::

    forecasts/made/{day}/{version}-{digest}.jsonl.gz    what was said on a day
    forecasts/scored/{day}/{digest}.jsonl.gz            how it came out, as of the films' own days
    forecasts/drift/{day}/{digest}.json                 whether films and errors changed
    forecasts/retrainings/{day}.json                    why the model was trained again
    forecasts/views/                                    made anew from the above, for readers

Records are written once, with `If-None-Match`, and never again; the views can be made from them at
any time.
"""

import gzip
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from datetime import date
from functools import cached_property
from typing import Final, Protocol, TypeVar

from movierating.errors import ExplainedError
from movierating.identity import sha256
from movierating.ledger.records import (
    DriftReport,
    Forecast,
    Mark,
    Record,
    Retraining,
    Score,
    TrackRecord,
    Upcoming,
)
from movierating.s3 import Blob, PreconditionFailedError

MADE: Final = "forecasts/made/"
SCORED: Final = "forecasts/scored/"
DRIFT: Final = "forecasts/drift/"
RETRAININGS: Final = "forecasts/retrainings/"
UPCOMING_KEY: Final = "forecasts/views/upcoming.json"
TRACK_RECORD_KEY: Final = "forecasts/views/track_record.json"

_NO_TIME: Final = 0  # of compression: the same records are the same bytes


class LedgerError(ExplainedError, ValueError):
    """An object of the ledger is not readable."""

    def __init__(self, key: str) -> None:
        """Say which."""
        super().__init__(f"{key} is not what the ledger wrote; move it away to go on without it")


class Shelf(Protocol):
    """What the ledger needs of a bucket; every method may raise `S3UnavailableError`."""

    def get(self, key: str) -> Blob | None:
        """An object; None where there is none."""

    def put(self, key: str, raw: bytes) -> None:
        """Write an object, whatever stood there."""

    def create(self, key: str, raw: bytes) -> None:
        """Write an object that must not exist yet, or raise `PreconditionFailedError`."""

    def keys(self, prefix: str) -> list[str]:
        """The keys that begin with a prefix, in order."""


_Any = TypeVar("_Any", bound=Record)


class ForecastLedger:
    """The ledger in one bucket."""

    def __init__(self, shelf: Shelf) -> None:
        """Use a bucket; nothing is read before it is asked for."""
        self._shelf = shelf

    def say(self, forecasts: Sequence[Forecast]) -> None:
        """Keep the forecasts of one version for one day; saying the same again changes nothing."""
        if not forecasts:
            return
        days, versions = ({getattr(each, name) for each in forecasts} for name in _SAID_TOGETHER)
        (day,), (version,) = days, versions
        self._append(f"{MADE}{day}/{version}", "-", forecasts, without=_TIME_ONLY)

    def score(self, day: date, scores: Sequence[Score]) -> None:
        """Keep what was scored on a day."""
        if scores:
            self._append(f"{SCORED}{day}", "/", scores)

    def said(self, first: date, last: date) -> Iterator[Forecast]:
        """The forecasts made from one day to another, both included; the oldest first."""
        for key in self._between(MADE, first, last):
            yield from self._read(key, Forecast)

    @cached_property
    def first_day(self) -> date | None:
        """The day of the oldest forecast."""
        keys = self._shelf.keys(MADE)
        return _day_of(MADE, keys[0]) if keys else None

    def scores(self) -> list[Score]:
        """All scores, each film and mark once; the first that was written counts."""
        found: dict[tuple[int, Mark], Score] = {}
        for key in self._shelf.keys(SCORED):
            for score in self._read(key, Score):
                found.setdefault((score.film_id, score.mark), score)
        return list(found.values())

    def report_drift(self, report: DriftReport) -> None:
        """Keep a report; the same one again changes nothing."""
        digest = sha256(_lines([report], _TIME_ONLY))[:12]
        self._create(
            f"{DRIFT}{report.day}/{digest}.json", report.model_dump_json(indent=2).encode()
        )

    def newest_drift(self) -> DriftReport | None:
        """The newest report."""
        keys = self._shelf.keys(DRIFT)
        of_last_day = [key for key in keys if _day_of(DRIFT, key) == _day_of(DRIFT, keys[-1])]
        found = [self._parsed(key, DriftReport) for key in of_last_day]
        return max(filter(None, found), key=lambda each: each.made_at, default=None)

    def may_retrain(self, retraining: Retraining) -> bool:
        """Claim the one retraining of a day, in writing; True also for who claimed it before."""
        key = f"{RETRAININGS}{retraining.day}.json"
        self._create(key, retraining.model_dump_json(indent=2).encode())
        claimed = self._parsed(key, Retraining)
        return claimed is not None and claimed.run_id == retraining.run_id

    def show(self, key: str, view: Upcoming | TrackRecord) -> None:
        """Put a view where readers look."""
        self._shelf.put(key, view.model_dump_json().encode())

    def shown(self, key: str, kind: type[_Any]) -> _Any | None:
        """A view; None before the first.

        Raises:
            LedgerError: It is not readable.
        """
        return self._parsed(key, kind)

    def _append(
        self,
        place: str,
        separator: str,
        records: Sequence[Record],
        without: set[str] | None = None,
    ) -> None:
        digest = sha256(_lines(records, without))[:12]
        packed = gzip.compress(_lines(records), mtime=_NO_TIME)
        self._create(f"{place}{separator}{digest}.jsonl.gz", packed)

    def _create(self, key: str, raw: bytes) -> None:
        with suppress(PreconditionFailedError):
            self._shelf.create(key, raw)

    def _between(self, prefix: str, first: date, last: date) -> list[str]:
        keys = self._shelf.keys(prefix)
        return [key for key in keys if first <= _day_of(prefix, key) <= last]

    def _read(self, key: str, kind: type[_Any]) -> Iterator[_Any]:
        blob = self._shelf.get(key)
        try:
            text = gzip.decompress(blob.raw).decode() if blob else ""
            records = [kind.model_validate_json(line) for line in text.splitlines()]
        except (OSError, EOFError, ValueError) as error:
            raise LedgerError(key) from error
        if not records:
            raise LedgerError(key)
        yield from records

    def _parsed(self, key: str, kind: type[_Any]) -> _Any | None:
        blob = self._shelf.get(key)
        try:
            return kind.model_validate_json(blob.raw) if blob else None
        except ValueError as error:
            raise LedgerError(key) from error


# Said again later on the day, it is the same.
_TIME_ONLY: Final = {"made_at"}
_SAID_TOGETHER: Final = ("day", "version")


def _lines(records: Iterable[Record], without: set[str] | None = None) -> bytes:
    return "\n".join(sorted(each.model_dump_json(exclude=without) for each in records)).encode()


def _day_of(prefix: str, key: str) -> date:
    try:
        return date.fromisoformat(key.removeprefix(prefix)[:10])
    except ValueError as error:
        raise LedgerError(key) from error
