"""The forecast ledger: what was said of a film before it opened, and how it came out.

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
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import date, datetime
from functools import cached_property
from typing import Any, Final, Literal, Protocol, TypeVar

from pydantic import BaseModel, ConfigDict

from movierating.errors import ExplainedError
from movierating.manifest import PlainName, sha256
from movierating.s3 import Blob, PreconditionFailedError

MADE: Final = "forecasts/made/"
SCORED: Final = "forecasts/scored/"
DRIFT: Final = "forecasts/drift/"
RETRAININGS: Final = "forecasts/retrainings/"
UPCOMING_KEY: Final = "forecasts/views/upcoming.json"
TRACK_RECORD_KEY: Final = "forecasts/views/track_record.json"

Mark = Literal["votes", "30 days", "90 days"]
_NO_TIME: Final = 0  # of compression: the same records are the same bytes


class LedgerError(ExplainedError, ValueError):
    """An object of the ledger is not readable."""

    def __init__(self, key: str) -> None:
        """Say which."""
        super().__init__(f"{key} is not what the ledger wrote; move it away to go on without it")


class Shelf(Protocol):
    """What the ledger needs of a bucket; every method may raise `StoreUnavailableError`."""

    def get(self, key: str) -> Blob | None:
        """An object; None where there is none."""

    def put(self, key: str, raw: bytes) -> None:
        """Write an object, whatever stood there."""

    def create(self, key: str, raw: bytes) -> None:
        """Write an object that must not exist yet, or raise `PreconditionFailedError`."""

    def keys(self, prefix: str) -> list[str]:
        """The keys that begin with a prefix, in order."""


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class Forecast(_Record):
    """What was said of one film on one day.

    Attributes:
        film_id: TMDB's.
        release_date: As it was known when the forecast was made.
        day: Which day it was made for; never another than the one it was made on.
        version: Of the model.
        inputs_sha256: Of the facts that entered.
        rating: 0 to 10.
        low: Where the 80 % interval begins.
        high: Where it ends.
        reasons: Rating points by group of facts, the largest first; their sum is the rating minus
            the average film's.
        baselines: What needs no model would have said on that day, by name.
        poster_path: TMDB's path of a picture, for pages; enters no forecast.
        original_title: In the film's own language, for who searches; enters no forecast either.
    """

    film_id: int
    title: str | None
    release_date: date
    day: date
    made_at: datetime
    version: PlainName
    inputs_sha256: str
    rating: float
    low: float
    high: float
    reasons: dict[str, float]
    baselines: dict[str, float]
    genre: str | None
    language: str | None
    poster_path: str | None = None
    original_title: str | None = None


class Score(_Record):
    """How the forecast of a film that counts came out: the last one before it opened.

    Attributes:
        release_date: When it opened.
        mark: What made it due: enough votes, or so many days since it opened.
        day: As of which day the rating is.
        forecast_day: When the forecast was made; before the release.
        actual: The audience's rating as of `day`, by so many `votes`.
        error: Forecast minus rating.
        inside: Whether the rating lay inside the 80 % interval.
    """

    film_id: int
    title: str | None
    release_date: date
    mark: Mark
    day: date
    forecast_day: date
    version: PlainName
    rating: float
    low: float
    high: float
    baselines: dict[str, float]
    genre: str | None
    language: str | None
    actual: float
    votes: int
    error: float
    inside: bool


class UpcomingFilm(_Record):
    """The newest forecast of a film, beside that of a week before; None where there was none."""

    forecast: Forecast
    week_ago: float | None

    @property
    def change(self) -> float | None:
        """Rating points since last week."""
        return None if self.week_ago is None else self.forecast.rating - self.week_ago


class Upcoming(_Record):
    """The newest forecasts, by release date."""

    as_of: date
    films: tuple[UpcomingFilm, ...]


class Figures(_Record):
    """How far off some forecasts were, in rating points; the bias is positive where too high.

    Attributes:
        coverage: Share of the ratings inside the 80 % interval.
        baselines: RMSE on the same films of what needs no model.
    """

    films: int
    rmse: float
    mae: float
    bias: float
    coverage: float
    baselines: dict[str, float]


class Part(_Record):
    """Some of the scored films: a month of release, a genre, a language, a number of votes."""

    kind: str
    name: str
    figures: Figures


class CalibrationBin(_Record):
    """Films of about the same forecast: the mean of it, and of what their audiences said."""

    forecast: float
    actual: float
    films: int


class TrackRecord(_Record):
    """How the forecasts did; one score a film, the newest by enough votes.

    Attributes:
        min_votes: How many are enough.
        figures: Of all films; None before the first.
        parts: By month of release (oldest first), genre, language, votes; and by mark, where each
            mark has scores of its own.
        worst: The largest misses, the largest first.
        best: The best hits, the best first.
        alerts: What the newest check for drift found.
    """

    as_of: date
    min_votes: int
    figures: Figures | None
    parts: tuple[Part, ...]
    calibration: tuple[CalibrationBin, ...]
    worst: tuple[Score, ...]
    best: tuple[Score, ...]
    alerts: tuple[str, ...] = ()


class DriftReport(_Record):
    """Whether films and errors have changed since the model learned.

    Attributes:
        figures: What was measured, by name.
        alerts: One sentence for each limit that was passed.
    """

    day: date
    made_at: datetime
    version: PlainName
    figures: dict[str, float]
    alerts: tuple[str, ...]


class Retraining(_Record):
    """Why the model was trained again on a day, and by which run that was decided."""

    day: date
    run_id: str
    reason: str


_Any = TypeVar("_Any", bound=_Record)


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
        records: Sequence[_Record],
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


def _lines(records: Iterable[_Record], without: set[str] | None = None) -> bytes:
    return "\n".join(sorted(each.model_dump_json(exclude=without) for each in records)).encode()


def counting(forecasts: Iterable[Forecast], opened: Mapping[int, date]) -> dict[int, Forecast]:
    """The forecasts that count: of each film the last one made before the day it opened.

    Args:
        forecasts: In any order.
        opened: When films opened, by id; others are left out.
    """
    found: dict[int, Forecast] = {}
    for each in forecasts:
        release = opened.get(each.film_id)
        if release is None or each.day >= release:
            continue
        before = found.get(each.film_id)
        if before is None or _order(before) <= _order(each):
            found[each.film_id] = each
    return found


def _order(forecast: Forecast) -> Any:
    return forecast.day, forecast.made_at


def _day_of(prefix: str, key: str) -> date:
    try:
        return date.fromisoformat(key.removeprefix(prefix)[:10])
    except ValueError as error:
        raise LedgerError(key) from error
