"""The routes that compare earlier forecasts with the ratings that the films got."""

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, Field

from app import clock
from app.dependencies import CatalogueDep, ForecastsReaderDep, catalogue_reader_of
from app.listing import Search
from app.paging import NextPage, Offset, link_to_next_page
from app.problems import BAD_INPUT, UNAVAILABLE
from app.recorded import Outcome, interval_of, poster
from app.revalidation import NOT_MODIFIED, RevalidatedRoute
from app.schemas import DailyForecast
from movierating.catalogue.films import CatalogueError, FilmCatalogue
from movierating.catalogue.record import FilmRecord, State, find, first_release_since
from movierating.films.source import may_be_joined
from movierating.ledger.records import (
    MARK_AGES,
    Forecast,
    Score,
    ScoringMark,
    TrackRecord,
    Upcoming,
)

router = APIRouter(tags=["ledger"], route_class=RevalidatedRoute, responses=NOT_MODIFIED)


class TrackRecordNow(TrackRecord):
    """The errors of earlier forecasts, and when more of them are compared."""

    waiting: Annotated[
        int | None,
        Field(
            description="Number of released films that wait for votes, so that their forecast can "
            "be compared; null if there is no film catalogue."
        ),
    ]
    next_due: Annotated[
        date | None,
        Field(
            description="The day on which the next film will have been released for 30 or 90 days. "
            "Its forecast is then compared if the film has enough votes (`min_votes`); a film that "
            "has them earlier is compared earlier. Null if no forecast waits for a comparison."
        ),
    ]


class Comparison(BaseModel):
    """A forecast compared with the rating that the film had at a time."""

    mark: Annotated[
        ScoringMark,
        Field(
            description="The time: when the film had enough votes, or 30 or 90 days after its "
            "release."
        ),
    ]
    day: date
    rating: Annotated[float, Field(description="TMDB's rating on that day.")]
    votes: Annotated[int, Field(description="TMDB's number of votes on that day.")]
    error: Annotated[float, Field(description="Forecast minus rating.")]
    inside: Annotated[bool, Field(description="Whether the rating was inside the interval.")]


class RecordedFilm(BaseModel):
    """A released film, its last forecast before the release, and how it came out."""

    id: Annotated[int, Field(description="TMDB's id of the film.")]
    title: Annotated[str | None, Field(description="English title; null if TMDB has none.")]
    original_title: Annotated[str | None, Field(description="Title in the original language.")]
    korean_title: Annotated[str | None, Field(description="Korean title; null if unknown.")]
    release_date: Annotated[date, Field(description="First release in any country.")]
    forecast: DailyForecast
    outcome: Outcome
    score: Annotated[
        Comparison | None,
        Field(description="The newest comparison; null while the film waits for votes."),
    ]
    next_due: Annotated[
        date | None,
        Field(
            description="30 or 90 days after the release, whichever is next; null if both are "
            "over. The forecast is then compared again if there are enough votes."
        ),
    ]
    poster: Annotated[
        str | None,
        Field(description="URL of the poster at TMDB; null if there is none."),
    ]


class RecordedFilms(BaseModel):
    """One page of the films in the record."""

    as_of: Annotated[date, Field(description="The date of the votes.")]
    min_votes: Annotated[int, Field(description="Votes that a film needs for a comparison.")]
    total: Annotated[int, Field(description="Number of matching films on all pages.")]
    films: list[RecordedFilm]
    next: NextPage


@router.get("/track-record", summary="Errors of earlier forecasts", responses=UNAVAILABLE)
def track_record(request: Request, reader: ForecastsReaderDep) -> TrackRecordNow | None:
    """Compare earlier forecasts with the ratings that the films got after their release.

    The response has the errors of the forecasts, and the errors of naive baselines on the same
    films. A baseline is a simple mean, such as the mean of all films. The response is null until
    the pipeline has looked for forecasts to compare. `figures` is null until the first forecast
    has been compared; `next_due` says when that may be.
    """
    record = reader.track_record
    if record is None:
        reader.refuse_unread()
        return None
    view = reader.upcoming
    if view and not may_be_joined(record.source, view.source):
        view = None  # another view was published and not yet read
    try:
        return _record_now(record, view, catalogue_reader_of(request).of_source(record.source))
    except CatalogueError:
        return _record_now(record, view, None)  # `/films` names the problem


@router.get(
    "/track-record/films",
    summary="Films in the record of earlier forecasts",
    responses=UNAVAILABLE | BAD_INPUT,
)
def recorded_films(  # noqa: PLR0913, PLR0917 - one argument per query parameter
    request: Request,
    response: Response,
    catalogue: CatalogueDep,
    search: Search = "",
    state: Annotated[
        State | None,
        Query(
            description="Only films that wait for votes, the one with the most votes first; or "
            "only films whose forecast was compared with their rating."
        ),
    ] = None,
    limit: Annotated[int, Query(ge=1, le=200, description="Films per page.")] = 50,
    offset: Offset = 0,
) -> RecordedFilms:
    """List the released films that were forecast before their release, the newest first.

    The record has the films released in the last 400 days. Of these, films with fewer than 10 votes
    leave it 90 days after their release.
    """
    found, total = find(catalogue, search, clock.today(), state, offset, limit)
    return RecordedFilms(
        as_of=catalogue.about.as_of,
        min_votes=catalogue.about.votes_to_score,
        total=total,
        films=[_recorded(each, catalogue, request.state.poster_base_url) for each in found],
        next=link_to_next_page(request, response, offset, limit, total),
    )


def _record_now(
    record: TrackRecord, view: Upcoming | None, catalogue: FilmCatalogue | None
) -> TrackRecordNow:
    today = clock.today()
    waiting = find(catalogue, "", today, "waiting", limit=0)[1] if catalogue else None
    next_due = _next_due(view, catalogue, today)
    return TrackRecordNow(**dict(record), waiting=waiting, next_due=next_due)


def _recorded(
    record: FilmRecord, catalogue: FilmCatalogue, poster_base_url: str | None
) -> RecordedFilm:
    film, forecast = record.film, Forecast.model_validate_json(record.forecast)
    assert film.release_date is not None  # noqa: S101 - a released film has a date
    return RecordedFilm(
        id=film.film_id,
        title=film.title,
        original_title=film.original_title,
        korean_title=film.korean_title,
        release_date=film.release_date,
        forecast=DailyForecast(
            day=forecast.day,
            rating=round(forecast.rating, 2),
            interval=interval_of(forecast.low, forecast.high),
            version=forecast.version,
        ),
        outcome=Outcome.of(record, forecast, catalogue),
        score=_comparison(Score.model_validate_json(record.score)) if record.score else None,
        next_due=_next_mark(film.release_date, clock.today()),
        poster=poster(film.poster_path, poster_base_url),
    )


def _comparison(score: Score) -> Comparison:
    return Comparison(
        mark=score.mark,
        day=score.day,
        rating=score.actual,
        votes=score.votes,
        error=round(score.error, 2),
        inside=score.inside,
    )


def _next_mark(release_date: date, today: date) -> date | None:
    marks = (release_date + age for age in MARK_AGES.values())
    return min((each for each in marks if each >= today), default=None)


def _next_due(view: Upcoming | None, catalogue: FilmCatalogue | None, today: date) -> date | None:
    """Return the day on which the next film with a forecast reaches a scoring mark."""
    found = [_next_mark(film.forecast.release_date, today) for film in view.films] if view else []
    for age in MARK_AGES.values() if catalogue else ():
        assert catalogue  # noqa: S101 - the loop above is empty without it
        released = first_release_since(catalogue, today - age, today)
        found.append(released + age if released else None)
    return min(filter(None, found), default=None)
