"""The routes for recorded forecasts: those of upcoming films, and the errors of earlier ones."""

from collections.abc import Sequence
from datetime import date, datetime
from operator import itemgetter
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, Field

from app.dependencies import ForecastsReaderDep
from app.paging import NextPage, Offset, link_to_next_page
from app.problems import BAD_INPUT, UNAVAILABLE
from app.revalidation import NOT_MODIFIED, RevalidatedRoute
from app.schemas import Chance, RatingInterval, Reason
from movierating.films.text import name_key
from movierating.ledger.records import Forecast, TrackRecord, UpcomingFilm
from movierating.registry.manifest import COVERAGE

router = APIRouter(tags=["ledger"], route_class=RevalidatedRoute, responses=NOT_MODIFIED)

POSTER_PIXELS: Final = 185  # width
_SEARCH: Final = Query(
    max_length=200,
    description="Part of a title, in English or in the film's original language; "
    "case and accents are ignored.",
)

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


class DatedForecast(BaseModel):
    """The newest forecast of an upcoming film."""

    id: Annotated[int, Field(description="TMDB's id of the film.")]
    title: Annotated[str | None, Field(description="English title; null if TMDB has none.")]
    original_title: Annotated[str | None, Field(description="Title in the original language.")]
    release_date: Annotated[
        date, Field(description="The release date that was known when the forecast was made.")
    ]
    rating: Annotated[float, Field(description="Expected TMDB rating, 0 to 10.")]
    interval: RatingInterval
    at_least: Annotated[
        list[Chance] | None,
        Field(
            description="Probability of a rating of 6, 7 and 8 or more; null if the forecast was "
            "made by version 1.0.0."
        ),
    ]
    change: Annotated[
        float | None,
        Field(
            description="Change since the forecast made a week earlier, in rating points; null if "
            "there was none."
        ),
    ]
    reasons: Annotated[
        list[Reason],
        Field(description="Contribution of each group of facts, the largest first."),
    ]
    genre: Annotated[str | None, Field(description="Main genre, in English.")]
    language: Annotated[str | None, Field(description="Original language, ISO 639-1.")]
    made_at: Annotated[datetime, Field(description="When the forecast was recorded.")]
    version: Annotated[str, Field(description="The model version that made the forecast.")]
    poster: Annotated[
        str | None,
        Field(description="URL of the poster at TMDB; null if there is none."),
    ]


class Forecasts(BaseModel):
    """One page of forecasts."""

    as_of: Annotated[
        date | None, Field(description="Date of the newest forecasts; null before the first.")
    ]
    total: Annotated[int, Field(description="Number of matching films on all pages.")]
    films: list[DatedForecast]
    next: NextPage


@router.get("/forecasts", summary="Forecasts of upcoming films", responses=UNAVAILABLE | BAD_INPUT)
def forecasts(  # noqa: PLR0913, PLR0917 - one argument per query parameter
    request: Request,
    response: Response,
    reader: ForecastsReaderDep,
    search: Annotated[str, _SEARCH] = "",
    sort: Annotated[
        Sorting, Query(description="Field to sort by; a leading `-` sorts descending.")
    ] = "release_date",
    limit: Annotated[int, Query(ge=1, le=200, description="Films per page.")] = 50,
    offset: Offset = 0,
) -> Forecasts:
    """List the newest recorded forecast of each film that will be released within 180 days."""
    view = reader.upcoming
    if view is None:
        reader.refuse_unread()
        return Forecasts(as_of=None, total=0, films=[], next=None)
    found = sort_films(_matching(view.films, name_key(search)), sort)
    page = found[offset : offset + limit]
    poster_base_url: str | None = request.state.poster_base_url
    return Forecasts(
        as_of=view.as_of,
        total=len(found),
        films=[_dated_forecast(film, poster_base_url) for film in page],
        next=link_to_next_page(request, response, offset, limit, len(found)),
    )


@router.get("/track-record", summary="Errors of earlier forecasts", responses=UNAVAILABLE)
def track_record(reader: ForecastsReaderDep) -> TrackRecord | None:
    """Compare earlier forecasts with the ratings that the films got after their release.

    The response has the errors of the forecasts, and the errors of naive baselines on the same
    films. A baseline is a simple mean, such as the mean of all films. The response is null until
    the first forecast has been compared.
    """
    if reader.track_record is None:
        reader.refuse_unread()
    return reader.track_record


def sort_films(films: Sequence[UpcomingFilm], sort: Sorting) -> list[UpcomingFilm]:
    """Sort upcoming films by one field of their forecast; a leading `-` sorts descending.

    Films without a value come last, whether the order is ascending or descending. Films with equal
    values keep their order, which is by release date.
    """
    valued = [(_sort_value(film, sort.removeprefix("-")), film) for film in films]
    known = [pair for pair in valued if pair[0] is not None]
    known.sort(key=itemgetter(0), reverse=sort.startswith("-"))
    return [film for _, film in known] + [film for value, film in valued if value is None]


def _sort_value(film: UpcomingFilm, name: str) -> Any:
    forecast = film.forecast
    if name == "change":
        return film.change
    if name == "width":
        return forecast.high - forecast.low
    if name == "title":
        return name_key(forecast.title) if forecast.title else None
    return getattr(forecast, name)


def _matching(films: Sequence[UpcomingFilm], wanted: str) -> Sequence[UpcomingFilm]:
    """Return the films whose titles contain the text `wanted`; all films if it is empty."""
    if not wanted:
        return films
    return [film for film in films if any(wanted in name_key(each) for each in _titles(film))]


def _titles(film: UpcomingFilm) -> tuple[str, str]:
    return film.forecast.title or "", film.forecast.original_title or ""


def _dated_forecast(film: UpcomingFilm, poster_base_url: str | None) -> DatedForecast:
    forecast = film.forecast
    has_poster = poster_base_url and forecast.poster_path
    return DatedForecast(
        id=forecast.film_id,
        title=forecast.title,
        original_title=forecast.original_title,
        release_date=forecast.release_date,
        rating=round(forecast.rating, 2),
        interval=RatingInterval(
            low=round(forecast.low, 2), high=round(forecast.high, 2), coverage=COVERAGE
        ),
        at_least=_chances(forecast),
        change=None if film.change is None else round(film.change, 2),
        reasons=[Reason(group=group, points=points) for group, points in forecast.reasons.items()],
        genre=forecast.genre,
        language=forecast.language,
        made_at=forecast.made_at,
        version=forecast.version,
        poster=f"{poster_base_url}{forecast.poster_path}" if has_poster else None,
    )


def _chances(forecast: Forecast) -> list[Chance] | None:
    stated = forecast.distribution
    if stated is None:
        return None
    return [
        Chance(rating=rating, probability=round(chance, 3))
        for rating, chance in stated.at_least.items()
    ]
