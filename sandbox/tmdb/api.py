"""The stand-in's HTTP routes: TMDB's API under /3, and routes by which tests control it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Annotated, TypedDict

import orjson
from fastapi import APIRouter, Depends, FastAPI, Request, Response

from sandbox.tmdb import answers, codes, errors
from sandbox.tmdb.access import Keys, RateLimit
from sandbox.tmdb.dated import Dated
from sandbox.tmdb.errors import TmdbError
from sandbox.tmdb.faults import PREFIX, Fault, FaultPlan, Gate
from sandbox.tmdb.films import Film, FilmStore, Positions
from sandbox.tmdb.queries import MAX_PAGE, Lists, parse_page
from sandbox.tmdb.stats import Stats

PAGE_SIZE = 20
CHANGES_PAGE_SIZE = 100
MAX_PARTS = 20


@dataclass
class StandIn:
    """The state of one stand-in: its films, its date, its rate limit and its active faults."""

    store: FilmStore
    today: date
    limit: RateLimit
    keys: Keys = field(default_factory=Keys)
    plan: FaultPlan = field(default_factory=FaultPlan)
    stats: Stats = field(default_factory=Stats)

    def __post_init__(self) -> None:
        """Prepare the film lists, and the difference between the stand-in's date and today."""
        self.lists = Lists(self.store.columns, self.today)
        self._ahead = self.today - datetime.now(UTC).date()

    def now(self) -> datetime:
        """Return the stand-in's time: its own date with the machine's time of day."""
        return datetime.now(UTC) + self._ahead


class State(TypedDict):
    """The content of `request.state`, through which the routes reach the stand-in."""

    stand_in: StandIn


def get_stand_in(request: Request) -> StandIn:
    """Return the stand-in that serves a request."""
    stand_in: StandIn = request.state.stand_in
    return stand_in


StandInDep = Annotated[StandIn, Depends(get_stand_in)]


def admit(request: Request, stand_in: StandInDep) -> None:
    """Let a request pass if it has a valid key and is within the rate limit.

    Raises:
        TmdbError: It has no valid key, or it is above the limit.
    """
    stand_in.limit.count()
    authorization = request.headers.get("authorization", "")
    stand_in.keys.check(authorization, request.query_params.get("api_key", ""))


def tell(content: object, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """Build a JSON response with TMDB's content type."""
    media_type = "application/json;charset=utf-8"
    return Response(orjson.dumps(content), status, headers, media_type)


router = APIRouter(prefix=PREFIX, dependencies=[Depends(admit)], tags=["TMDB v3"])


@router.get("/movie/popular")
async def popular(request: Request, stand_in: StandInDep) -> Response:
    """List all films, the most popular first."""
    return tell(_page(request, stand_in, stand_in.lists.popular()))


@router.get("/movie/top_rated")
async def top_rated(request: Request, stand_in: StandInDep) -> Response:
    """List the films with at least 200 votes, the highest rating first."""
    return tell(_page(request, stand_in, stand_in.lists.top_rated()))


@router.get("/movie/now_playing")
async def now_playing(request: Request, stand_in: StandInDep) -> Response:
    """List the films that were released in the last six weeks."""
    return tell(_dated_page(request, stand_in, stand_in.lists.now_playing()))


@router.get("/movie/upcoming")
async def upcoming(request: Request, stand_in: StandInDep) -> Response:
    """List the films that will be released in the next four weeks."""
    return tell(_dated_page(request, stand_in, stand_in.lists.upcoming()))


@router.get("/movie/changes")
async def changes(request: Request, stand_in: StandInDep) -> Response:
    """List the ids of the films that changed in a date range of at most 14 days."""
    found = stand_in.lists.changes(request.query_params)
    page = _page_number(request)
    shown = found[(page - 1) * CHANGES_PAGE_SIZE : page * CHANGES_PAGE_SIZE]
    ids = stand_in.store.columns.ids[shown].tolist()
    results = [{"id": film_id, "adult": False} for film_id in ids]
    return tell({"results": results} | _totals(page, len(found), CHANGES_PAGE_SIZE))


@router.get("/discover/movie")
async def discover(request: Request, stand_in: StandInDep) -> Response:
    """List the films that match the filters, in the requested order."""
    return tell(_page(request, stand_in, stand_in.lists.discover(request.query_params)))


@router.get("/genre/movie/list")
async def genres() -> Response:
    """List TMDB's genres with their ids."""
    return tell({"genres": [{"id": code, "name": name} for code, name in codes.GENRES.items()]})


@router.get("/configuration/languages")
async def languages() -> Response:
    """List TMDB's languages with their codes and names."""
    return tell(codes.languages())


# This route and the next two must come after the others: FastAPI uses the first route that matches,
# and this one would treat `/movie/popular` as a film with the id `popular`.
@router.get("/movie/{movie_id}")
async def movie(movie_id: str, request: Request, stand_in: StandInDep) -> Response:
    """Return one film, with the parts that the parameter `append_to_response` names.

    Unknown parts are ignored.
    """
    params = request.query_params
    parts = params["append_to_response"].split(",") if "append_to_response" in params else []
    if len(parts) > MAX_PARTS:
        raise TmdbError(errors.TOO_MANY_PARTS)
    film = _film(stand_in, movie_id)
    body = answers.detail(film, params.get("language", ""))
    for part in parts:
        if part in answers.PARTS:
            body[part] = answers.PARTS[part](film)
    return tell(body)


@router.get("/movie/{movie_id}/{part}")
async def movie_part(movie_id: str, part: str, stand_in: StandInDep) -> Response:
    """Return only one part of a film, such as its credits."""
    film = _film(stand_in, movie_id)
    if part not in answers.PARTS:
        raise TmdbError(errors.NOT_FOUND)
    return tell({"id": film.id} | answers.PARTS[part](film))


@router.get("/{path:path}", include_in_schema=False)
async def elsewhere(path: str) -> Response:  # noqa: ARG001 - the route needs its name
    """Answer any other path with TMDB's error for an unknown resource."""
    raise TmdbError(errors.NOT_FOUND)


controls = APIRouter(tags=["controls"])


@controls.put("/faults")
async def put_faults(faults: list[Fault], stand_in: StandInDep, seed: int = 0) -> list[Fault]:
    """Replace the active faults; with the same seed, the same responses get them again."""
    stand_in.plan = FaultPlan(faults, seed)
    return faults


@controls.delete("/faults", status_code=204)
async def delete_faults(stand_in: StandInDep) -> None:
    """Switch all faults off."""
    stand_in.plan = FaultPlan()


@controls.put("/keys/revoked", status_code=204)
async def put_revoked_keys(keys: list[str], stand_in: StandInDep) -> None:
    """Refuse these keys and tokens from now on, and no others; an empty list refuses none."""
    stand_in.keys.revoked = frozenset(keys)


@controls.get("/stats")
async def get_stats(stand_in: StandInDep) -> dict[str, object]:
    """Return the number of requests by HTTP status and by path (with `{id}` for ids)."""
    return stand_in.stats.report()


@controls.delete("/stats", status_code=204)
async def delete_stats(stand_in: StandInDep) -> None:
    """Set the request counts back to zero."""
    stand_in.stats = Stats()


def create_app(stand_in: StandIn) -> FastAPI:
    """Build the FastAPI application that serves one stand-in."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[State]:
        yield {"stand_in": stand_in}

    async def tell_error(_: Request, error: TmdbError) -> Response:
        return tell(error.status.body(), error.status.http, error.status.headers)

    app = FastAPI(title="TMDB stand-in", lifespan=lifespan)
    app.include_router(router)
    app.include_router(controls)
    app.exception_handler(TmdbError)(tell_error)
    # Functions instead of values, because tests replace the plan and the counts at any time.
    app.add_middleware(Gate, plan=lambda: stand_in.plan, stats=lambda: stand_in.stats)
    # Added last, so it is the outermost layer: responses with faults get the header `Date` too.
    app.add_middleware(Dated, now=stand_in.now)
    return app


def _film(stand_in: StandIn, movie_id: str) -> Film:
    known = stand_in.store.columns.position_of
    if not (movie_id.isascii() and movie_id.isdigit() and int(movie_id) in known):
        raise TmdbError(errors.NOT_FOUND)
    return stand_in.store.film(known[int(movie_id)])


def _page_number(request: Request) -> int:
    return parse_page(request.query_params.get("page", "1"))


def _totals(page: int, found: int, page_size: int) -> dict[str, int]:
    """Return a list's page number and totals; TMDB reports 1 to 500 pages, never more."""
    pages = min(MAX_PAGE, max(1, -(-found // page_size)))
    return {"page": page, "total_pages": pages, "total_results": found}


def _page(request: Request, stand_in: StandIn, found: Positions) -> answers.Json:
    page = _page_number(request)
    tag = request.query_params.get("language", "")
    shown = found[(page - 1) * PAGE_SIZE : page * PAGE_SIZE].tolist()
    results = [answers.summary(stand_in.store.film(at), tag) for at in shown]
    return {"results": results} | _totals(page, len(found), PAGE_SIZE)


def _dated_page(request: Request, stand_in: StandIn, days: tuple[date, date]) -> answers.Json:
    first, last = days
    dates = {"maximum": last.isoformat(), "minimum": first.isoformat()}
    return {"dates": dates} | _page(request, stand_in, stand_in.lists.released(first, last))
