"""The route that lists recorded forecasts, of films to come and of films that have opened."""

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, Field

from app.dependencies import ForecastsReaderDep, catalogue_reader_of
from app.listing import Opened, Search, listed_films, span_asked_for
from app.paging import NextPage, Offset, link_to_next_page
from app.problems import BAD_INPUT, UNAVAILABLE
from app.recorded import DatedForecast, Sorting, errors_of, sort_films
from app.revalidation import NOT_MODIFIED, RevalidatedRoute
from app.schemas import AtLeast

router = APIRouter(tags=["ledger"], route_class=RevalidatedRoute, responses=NOT_MODIFIED)


class SpanOfDays(BaseModel):
    """Days, both included."""

    first: date
    last: date


class Forecasts(BaseModel):
    """One page of forecasts."""

    as_of: Annotated[
        date | None, Field(description="Date of the newest forecasts; null before the first.")
    ]
    opened: Annotated[
        SpanOfDays | None,
        Field(description="The days that the parameter `opened` stands for; null without it."),
    ]
    total: Annotated[int, Field(description="Number of matching films on all pages.")]
    films: list[DatedForecast]
    next: NextPage


@router.get("/forecasts", summary="Recorded forecasts of films", responses=UNAVAILABLE | BAD_INPUT)
def forecasts(  # noqa: PLR0913, PLR0917 - one argument per query parameter
    request: Request,
    response: Response,
    reader: ForecastsReaderDep,
    search: Search = "",
    opened: Opened = "",
    sort: Annotated[
        Sorting, Query(description="Field to sort by; a leading `-` sorts descending.")
    ] = "release_date",
    limit: Annotated[int, Query(ge=1, le=200, description="Films per page.")] = 50,
    offset: Offset = 0,
    at_least: AtLeast = [],  # noqa: B006 - FastAPI never changes it
) -> Forecasts:
    """List the newest recorded forecast of each film that will be released within 180 days.

    With `opened`, list the films with their first release in some days: those to come with their
    newest forecast, and those released with their last forecast before the release, and the rating
    so far (`outcome`).
    """
    span = span_asked_for(opened)
    films, view = listed_films(request, reader, search, span)
    found = sort_films(films, sort)
    page = found[offset : offset + limit]
    source = view.source if view else None
    errors = errors_of(page, view, catalogue_reader_of(request).of_source(source))
    poster_base_url: str | None = request.state.poster_base_url
    return Forecasts(
        as_of=view.as_of if view else None,
        opened=SpanOfDays(first=span.first, last=span.last) if span else None,
        total=len(found),
        films=[DatedForecast.of(each, poster_base_url, errors, at_least) for each in page],
        next=link_to_next_page(request, response, offset, limit, len(found)),
    )
