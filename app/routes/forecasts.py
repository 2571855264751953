"""The route that lists recorded forecasts, of films to come and of films that have opened."""

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from pydantic import AfterValidator, BaseModel, Field

from app import clock
from app.dependencies import ForecastsReaderDep, catalogue_of, known_catalogue
from app.paging import NextPage, Offset, link_to_next_page
from app.problems import BAD_INPUT, UNAVAILABLE
from app.recorded import (
    DatedForecast,
    ListedFilm,
    Sorting,
    films_of_span,
    matching,
    sort_films,
    upcoming_films,
)
from app.revalidation import NOT_MODIFIED, RevalidatedRoute
from app.spans import Span, span_of
from movierating.ledger.records import Upcoming

router = APIRouter(tags=["ledger"], route_class=RevalidatedRoute, responses=NOT_MODIFIED)


def _checked(text: str) -> str:
    if text.strip():
        span_of(text, clock.today())
    return text


Search = Annotated[
    str,
    Query(
        max_length=200,
        description="Part of the English, Korean or original title, or TMDB's id; case, accents, "
        "spaces and punctuation are ignored.",
    ),
]
Opened = Annotated[
    str,
    Query(
        max_length=40,
        description="Only films with their first release in these days, also released ones: "
        "`today`, `yesterday`, `tomorrow`; `this_week`, `last_week`, `next_week` (Monday to "
        "Sunday); `this_month`, `last_month`, `next_month`; `last_7_days` (today is the last of "
        "them), `next_30_days` (today is the first); a day `2026-11-27`, a week `2026-W48`, a "
        "month `2026-11`, or two days `2026-11-01..2026-11-15`. Today is the date in UTC.",
        examples=["last_week"],
    ),
    AfterValidator(_checked),
]


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
) -> Forecasts:
    """List the newest recorded forecast of each film that will be released within 180 days.

    With `opened`, list the films with their first release in some days: those to come with their
    newest forecast, and those released with their last forecast before the release, and the rating
    so far (`outcome`).
    """
    view = reader.upcoming
    span = span_of(opened, clock.today()) if opened.strip() else None
    if view is None:
        reader.refuse_unread()
    found = sort_films(matching(_listed(request, view, span), search), sort)
    poster_base_url: str | None = request.state.poster_base_url
    return Forecasts(
        as_of=view.as_of if view else None,
        opened=SpanOfDays(first=span.first, last=span.last) if span else None,
        total=len(found),
        films=[DatedForecast.of(each, poster_base_url) for each in found[offset : offset + limit]],
        next=link_to_next_page(request, response, offset, limit, len(found)),
    )


def _listed(request: Request, view: Upcoming | None, span: Span | None) -> list[ListedFilm]:
    if span is None:
        return upcoming_films(view)
    today = clock.today()
    # Films to come need no catalogue; without it, a list with released films would be incomplete.
    catalogue = catalogue_of(request) if span.first <= today else known_catalogue(request)
    return films_of_span(view, catalogue, span, today)
