"""The feeds of films to come with their forecasts: Atom for readers, iCalendar for calendars."""

from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Query, Request, Response

from app.dependencies import ForecastsReaderDep
from app.feeds import atom, calendar
from app.feeds.entries import Feed
from app.listing import Opened, Search, listed_films, span_asked_for
from app.problems import BAD_INPUT, UNAVAILABLE
from app.revalidation import NOT_MODIFIED, RevalidatedRoute

router = APIRouter(tags=["ledger"], route_class=RevalidatedRoute, responses=NOT_MODIFIED)

Limit = Annotated[
    int,
    Query(ge=1, le=1000, description="Number of films in the feed; the first to open."),
]


def _content(media_type: str) -> dict[int | str, dict[str, Any]]:
    return {200: {"content": {media_type: {"schema": {"type": "string"}}}}}


_ATOM: Final = _content(atom.MEDIA_TYPE)
_CALENDAR: Final = _content(calendar.MEDIA_TYPE)


def _feed(
    request: Request,
    reader: ForecastsReaderDep,
    search: Search = "",
    opened: Opened = "",
    limit: Limit = 200,
) -> Feed:
    films, view = listed_films(request, reader, search, span_asked_for(opened))
    name, query = request.url.path.rpartition("/")[2], request.url.query
    return Feed.of(films, limit, view, f"{name}?{query}" if query else name)


FeedDep = Annotated[Feed, Depends(_feed)]


@router.get(
    "/forecasts.atom",
    summary="Feed of films to come",
    response_class=Response,
    responses=UNAVAILABLE | BAD_INPUT | _ATOM,
)
def atom_feed(feed: FeedDep) -> Response:
    """Return the films to come with their newest forecasts as an Atom feed (RFC 4287).

    An entry keeps its id when its forecast changes. `search` and `opened` select films as in
    `GET /forecasts`.
    """
    return Response(atom.write(feed), media_type=f"{atom.MEDIA_TYPE}; charset=utf-8")


@router.get(
    "/forecasts.ics",
    summary="Calendar of films to come",
    response_class=Response,
    responses=UNAVAILABLE | BAD_INPUT | _CALENDAR,
)
def calendar_feed(feed: FeedDep) -> Response:
    """Return the releases of films to come, with their newest forecasts, as a calendar (RFC 5545).

    Each film is an event of a whole day, which moves when the release moves. `search` and `opened`
    select films as in `GET /forecasts`.
    """
    return Response(calendar.write(feed), media_type=f"{calendar.MEDIA_TYPE}; charset=utf-8")
