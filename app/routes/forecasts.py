"""What was forecast of films to come, and how earlier forecasts came out."""

from collections.abc import Callable, Sequence
from datetime import date, datetime
from http import HTTPStatus
from operator import itemgetter
from typing import Annotated, Any, Final, Literal, TypeVar

from fastapi import APIRouter, Depends, Query, Request
from pydantic import BaseModel, Field

from app.background.bucket_reader import POLL_SECONDS, BucketReader
from app.problems import documented
from app.schemas import RatingInterval, Reason
from movierating.films.text import search_key
from movierating.ledger.ledger import TRACK_RECORD_KEY, UPCOMING_KEY
from movierating.ledger.records import TrackRecord, Upcoming, UpcomingFilm
from movierating.registry.manifest import COVERAGE
from movierating.s3 import Bucket, PreconditionFailedError

records = APIRouter(tags=["ledger"])

POSTER_PIXELS: Final = 185  # their width
_UNAVAILABLE: Final = documented(HTTPStatus.SERVICE_UNAVAILABLE)
_SEARCH: Final = Query(
    max_length=200,
    description="Part of a title, in English or the film's own language; "
    "case and accents do not count.",
)
_BAD_INPUT: Final = documented(HTTPStatus.UNPROCESSABLE_ENTITY)

Sorting = Literal[
    "release_date",
    "-release_date",
    "rating",
    "-rating",
    "title",
    "-title",
    "change",
    "-change",
    "width",
    "-width",
]
_View = TypeVar("_View", Upcoming, TrackRecord)


class DatedForecast(BaseModel):
    """The newest forecast of a film that has not opened."""

    id: Annotated[int, Field(description="TMDB's.")]
    title: Annotated[str | None, Field(description="In English, as far as TMDB knows.")]
    original_title: Annotated[str | None, Field(description="In the film's own language.")]
    release_date: Annotated[date, Field(description="As it was known when this was forecast.")]
    rating: Annotated[float, Field(description="Expected TMDB rating, 0 to 10.")]
    interval: RatingInterval
    change: Annotated[
        float | None, Field(description="Rating points since last week; null without one then.")
    ]
    reasons: Annotated[list[Reason], Field(description="By group of facts, largest first.")]
    genre: Annotated[str | None, Field(description="The main one, in English.")]
    language: Annotated[str | None, Field(description="The original one, ISO 639-1.")]
    made_at: Annotated[datetime, Field(description="When this was written down.")]
    version: Annotated[str, Field(description="The model version that said so.")]
    poster: Annotated[
        str | None, Field(description="Address at TMDB; null where the service has no key of it.")
    ]


class Forecasts(BaseModel):
    """A page of forecasts."""

    as_of: Annotated[date | None, Field(description="Null before the first forecast.")]
    total: Annotated[int, Field(description="How many films match, on all pages.")]
    films: list[DatedForecast]


class LedgerReader(BucketReader):
    """Holds the views of the ledger.

    Attributes:
        upcoming: None before it was read, or where there is none.
        track_record: The same.
    """

    what = "forecast ledger"

    def __init__(self, bucket_of: Callable[[], Bucket], poll_seconds: float = POLL_SECONDS) -> None:
        """Prepare to read; the bucket is opened by the first `refresh`."""
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
        except PreconditionFailedError:
            return known
        if blob is None:
            return known
        view = kind.model_validate_json(blob.raw)
        self._etags[key] = blob.etag
        return view


def _reader(request: Request) -> LedgerReader:
    reader: LedgerReader = request.state.ledger
    return reader


ReaderDep = Annotated[LedgerReader, Depends(_reader)]


@records.get("/forecasts", summary="Films to come", responses=_UNAVAILABLE | _BAD_INPUT)
async def forecasts(  # noqa: PLR0913, PLR0917 - one argument a field of the query
    request: Request,
    reader: ReaderDep,
    search: Annotated[str, _SEARCH] = "",
    sort: Annotated[Sorting, Query(description="`-` before it: largest first.")] = "release_date",
    limit: Annotated[int, Query(ge=1, le=200, description="Films on a page.")] = 50,
    offset: Annotated[int, Query(ge=0, description="Films to leave out before it.")] = 0,
) -> Forecasts:
    """What is forecast of films that open within 180 days, as it was written down."""
    view = reader.upcoming
    if view is None:
        reader.refuse_unread()
        return Forecasts(as_of=None, total=0, films=[])
    found = in_order(_matching(view.films, search_key(search)), sort)
    page = found[offset : offset + limit]
    posters: str | None = request.state.posters
    return Forecasts(
        as_of=view.as_of, total=len(found), films=[_shown(film, posters) for film in page]
    )


@records.get("/track-record", summary="How forecasts came out", responses=_UNAVAILABLE)
async def track_record(reader: ReaderDep) -> TrackRecord | None:
    """How forecasts came out, beside what needs no model; null before the first was scored."""
    if reader.track_record is None:
        reader.refuse_unread()
    return reader.track_record


def in_order(films: Sequence[UpcomingFilm], sort: Sorting) -> list[UpcomingFilm]:
    """Films sorted by a field, those without it last; ties stay by release date."""
    valued = [(_value(film, sort.removeprefix("-")), film) for film in films]
    known = [pair for pair in valued if pair[0] is not None]
    known.sort(key=itemgetter(0), reverse=sort.startswith("-"))
    return [film for _, film in known] + [film for value, film in valued if value is None]


def _value(film: UpcomingFilm, name: str) -> Any:
    said = film.forecast
    if name == "change":
        return film.change
    if name == "width":
        return said.high - said.low
    if name == "title":
        return search_key(said.title) if said.title else None
    return getattr(said, name)


def _matching(films: Sequence[UpcomingFilm], wanted: str) -> Sequence[UpcomingFilm]:
    """Films with the letters in a title; all of them where none are wanted."""
    if not wanted:
        return films
    return [film for film in films if any(wanted in search_key(each) for each in _titles(film))]


def _titles(film: UpcomingFilm) -> tuple[str, str]:
    return film.forecast.title or "", film.forecast.original_title or ""


def _shown(film: UpcomingFilm, posters: str | None) -> DatedForecast:
    said = film.forecast
    return DatedForecast(
        id=said.film_id,
        title=said.title,
        original_title=said.original_title,
        release_date=said.release_date,
        rating=round(said.rating, 2),
        interval=RatingInterval(
            low=round(said.low, 2), high=round(said.high, 2), coverage=COVERAGE
        ),
        change=None if film.change is None else round(film.change, 2),
        reasons=[Reason(group=group, points=points) for group, points in said.reasons.items()],
        genre=said.genre,
        language=said.language,
        made_at=said.made_at,
        version=said.version,
        poster=f"{posters}{said.poster_path}" if posters and said.poster_path else None,
    )
