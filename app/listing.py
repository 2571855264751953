"""The list of recorded forecasts that a request asks for, by a title and by days."""

from typing import Annotated

from fastapi import Query, Request
from pydantic import AfterValidator

from app import clock
from app.dependencies import ForecastsReaderDep, catalogue_reader_of
from app.recorded import ListedFilm, films_of_span, matching, upcoming_films
from app.spans import Span, span_of
from movierating.ledger.records import Upcoming


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


def span_asked_for(opened: str) -> Span | None:
    """Return the days that the parameter `opened` stands for; None if it is empty."""
    return span_of(opened, clock.today()) if opened.strip() else None


def listed_films(
    request: Request, reader: ForecastsReaderDep, search: str, span: Span | None
) -> tuple[list[ListedFilm], Upcoming | None]:
    """Return the matching films in the order of their release, and the view of films to come.

    Args:
        request: The request, through which the film catalogue is reached.
        reader: The reader of the view.
        search: Part of a title, or an id.
        span: Only films released in these days; None lists the films to come.

    Raises:
        HTTPException: Status 503: the view or the catalogue cannot be read, or the two have films
            of different sources.
    """
    view = reader.upcoming
    if view is None:
        reader.refuse_unread()
    return list(matching(_films(request, view, span), search)), view


def _films(request: Request, view: Upcoming | None, span: Span | None) -> list[ListedFilm]:
    if span is None:
        return upcoming_films(view)
    today = clock.today()
    if span.first > today:  # films to come need no catalogue
        return films_of_span(view, None, span, today)
    catalogue = catalogue_reader_of(request).current(view.source if view else None)
    return films_of_span(view, catalogue, span, today)
