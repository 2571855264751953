"""The routes that the TMDB stand-in (a local imitation of TMDB) serves under /3.

They are a part of the routes in version 3 of TMDB's API.
"""

from collections.abc import Callable, Mapping
from datetime import date
from typing import TypeVar

from fastapi import APIRouter, Depends, Request, Response

from sandbox.tmdb import answers, codes, configuration, errors, parts, people
from sandbox.tmdb.errors import TmdbError
from sandbox.tmdb.faults import PREFIX
from sandbox.tmdb.films import Film, Positions
from sandbox.tmdb.odd_films import merged_on
from sandbox.tmdb.people import Credit
from sandbox.tmdb.queries import MAX_PAGE, parse_page
from sandbox.tmdb.service import StandIn, StandInDep, admit, tell

T = TypeVar("T")

PAGE_SIZE = 20
CHANGES_PAGE_SIZE = 100
MAX_PARTS = 20

router = APIRouter(prefix=PREFIX, dependencies=[Depends(admit)], tags=["TMDB v3"])


@router.get("/movie/popular")
async def popular(request: Request, stand_in: StandInDep) -> Response:
    """List all films, the most popular first."""
    return tell(_page(request, stand_in, stand_in.lists.popular(_region(request))))


@router.get("/movie/top_rated")
async def top_rated(request: Request, stand_in: StandInDep) -> Response:
    """List the films with at least 200 votes, the highest rating first."""
    return tell(_page(request, stand_in, stand_in.lists.top_rated(_region(request))))


@router.get("/movie/now_playing")
async def now_playing(request: Request, stand_in: StandInDep) -> Response:
    """List the films that opened in cinemas in the last six weeks."""
    return tell(_dated_page(request, stand_in, stand_in.lists.now_playing()))


@router.get("/movie/upcoming")
async def upcoming(request: Request, stand_in: StandInDep) -> Response:
    """List the films that will open in cinemas in the next four weeks."""
    return tell(_dated_page(request, stand_in, stand_in.lists.upcoming()))


@router.get("/movie/changes")
async def changes(request: Request, stand_in: StandInDep) -> Response:
    """List the ids of films that have changed in a range of dates, at most 14 days."""
    found = stand_in.lists.changes(request.query_params)
    columns = stand_in.store.columns
    changed = zip(columns.ids[found].tolist(), columns.adult[found].tolist(), strict=True)
    results: list[answers.Json] = [{"id": film_id, "adult": adult} for film_id, adult in changed]
    if stand_in.unkindness:
        days = stand_in.lists.changed_days(request.query_params).tolist()
        results = stand_in.unkindness.changes(results, merged_on(days))
    page = _page_number(request)
    shown = results[(page - 1) * CHANGES_PAGE_SIZE : page * CHANGES_PAGE_SIZE]
    return tell({"results": shown} | _totals(page, len(results), CHANGES_PAGE_SIZE))


@router.get("/discover/movie")
async def discover(request: Request, stand_in: StandInDep) -> Response:
    """List the films that match the filters in the request, in the requested order."""
    return tell(_page(request, stand_in, stand_in.lists.discover(request.query_params)))


@router.get("/search/movie")
async def search_movie(request: Request, stand_in: StandInDep) -> Response:
    """List the films whose titles contain all words of the query, the most popular first."""
    found = stand_in.lists.search(stand_in.names, request.query_params)
    return tell(_page(request, stand_in, found))


@router.get("/search/person")
async def search_person(request: Request, stand_in: StandInDep) -> Response:
    """List the people whose names contain all words of the query."""
    found = stand_in.people.named(request.query_params.get("query", ""))
    page = _page_number(request)
    tag = request.query_params.get("language", "")
    shown = found[(page - 1) * PAGE_SIZE : page * PAGE_SIZE]
    results = [people.found_person(stand_in.people.credits(each), tag) for each in shown]
    return tell({"results": results} | _totals(page, len(found), PAGE_SIZE))


@router.get("/genre/movie/list")
async def genres() -> Response:
    """List TMDB's genres with their ids."""
    return tell({"genres": [{"id": code, "name": name} for code, name in codes.GENRES.items()]})


@router.get("/configuration")
async def configure() -> Response:
    """Return the addresses and the sizes of TMDB's images."""
    return tell(configuration.CONFIGURATION)


@router.get("/configuration/languages")
async def languages() -> Response:
    """List TMDB's languages with their codes and names."""
    return tell(codes.languages())


@router.get("/person/{person_id}")
async def person(person_id: str, request: Request, stand_in: StandInDep) -> Response:
    """Return the facts about one person.

    The parameter `append_to_response` can name parts to add, such as the person's films.
    """
    with_parts = "append_to_response" in request.query_params
    found = _credits(stand_in, person_id, all_films=with_parts)
    return tell(_with_parts(people.detail(found), found, people.PARTS, request.query_params))


@router.get("/person/{person_id}/{part}")
async def person_part(
    person_id: str, part: str, request: Request, stand_in: StandInDep
) -> Response:
    """Return one part of the facts about a person, such as `movie_credits` (the person's films)."""
    found = _credits(stand_in, person_id)
    if part not in people.PARTS:
        raise TmdbError(errors.NOT_FOUND)
    body = people.PARTS[part](found, request.query_params)
    return tell({"id": found[0].person.id} | body)


# This route and the next two must come after the others: FastAPI uses the first route that matches,
# and this one would treat `/movie/popular` as a film with the id `popular`.
@router.get("/movie/{movie_id}")
async def movie(movie_id: str, request: Request, stand_in: StandInDep) -> Response:
    """Return the facts about one film, given its id in TMDB or in IMDb.

    The parameter `append_to_response` can name parts to add, such as `credits`.
    """
    params = request.query_params
    film = _film(stand_in, movie_id)
    body = answers.detail(film, params.get("language", ""))
    whole = _with_parts(body, film, parts.PARTS, params)
    return tell(stand_in.unkindness.without_parts(whole) if stand_in.unkindness else whole)


@router.get("/movie/{movie_id}/{part}")
async def movie_part(movie_id: str, part: str, request: Request, stand_in: StandInDep) -> Response:
    """Return one part of the facts about a film, such as `credits` (its cast and crew)."""
    film = _film(stand_in, movie_id)
    if part not in parts.PARTS:
        raise TmdbError(errors.NOT_FOUND)
    return tell({"id": film.id} | parts.PARTS[part](film, request.query_params))


@router.get("/{path:path}", include_in_schema=False)
async def elsewhere(path: str) -> Response:  # noqa: ARG001 - the route needs its name
    """Answer a request for any other path with TMDB's error for an unknown path."""
    raise TmdbError(errors.NOT_FOUND)


def _with_parts(
    body: answers.Json,
    subject: T,
    known: Mapping[str, Callable[[T, Mapping[str, str]], answers.Json]],
    params: Mapping[str, str],
) -> answers.Json:
    """Add the parts that the parameter `append_to_response` names to the body of a response.

    Unknown names of parts are ignored.

    Args:
        body: The body of the response, without parts.
        subject: The film or the person.
        known: For each part's name, the function that returns the part.
        params: The parameters of the request.

    Raises:
        TmdbError: The parameter names more than 20 parts.
    """
    named = params["append_to_response"].split(",") if "append_to_response" in params else []
    if len(named) > MAX_PARTS:
        raise TmdbError(errors.TOO_MANY_PARTS)
    return body | {part: known[part](subject, params) for part in named if part in known}


def _film(stand_in: StandIn, movie_id: str) -> Film:
    """Return the film with this id in TMDB or in IMDb.

    Raises:
        TmdbError: There is no film with this id, or requests for this film always fail.
    """
    position = stand_in.by_imdb_id.get(movie_id)
    if position is None and movie_id.isascii() and movie_id.isdigit():
        position = stand_in.store.columns.position_of.get(int(movie_id))
    if position is None:
        raise TmdbError(errors.NOT_FOUND)
    film = stand_in.film(position)
    if stand_in.unkindness:
        stand_in.unkindness.check(film.id)
    return film


def _credits(stand_in: StandIn, person_id: str, *, all_films: bool = True) -> list[Credit]:
    """Return the credits (jobs in films) of the person with this id; or only one of them.

    Raises:
        TmdbError: There is no person with this id.
    """
    is_number = person_id.isascii() and person_id.isdigit()
    find = stand_in.people.credits if all_films else stand_in.people.first_credit
    found = find(int(person_id)) if is_number else []
    if not found:
        raise TmdbError(errors.NOT_FOUND)
    return found


def _region(request: Request) -> str:
    return request.query_params.get("region", "")


def _page_number(request: Request) -> int:
    return parse_page(request.query_params.get("page", "1"))


def _totals(page: int, found: int, page_size: int) -> dict[str, int]:
    """Return the fields that TMDB sends with a page of a list: `page` and the two totals.

    As in TMDB, the number of pages is from 1 to 500, even if there are more entries.

    Args:
        page: The number of the page.
        found: The number of entries on all pages.
        page_size: The number of entries on a page.
    """
    pages = min(MAX_PAGE, max(1, -(-found // page_size)))
    return {"page": page, "total_pages": pages, "total_results": found}


def _page(request: Request, stand_in: StandIn, found: Positions) -> answers.Json:
    page = _page_number(request)
    tag = request.query_params.get("language", "")
    shown = found[(page - 1) * PAGE_SIZE : page * PAGE_SIZE].tolist()
    results = [answers.summary(stand_in.film(at), tag) for at in shown]
    total = stand_in.unkindness.total(len(found)) if stand_in.unkindness else len(found)
    return {"results": results} | _totals(page, total, PAGE_SIZE)


def _dated_page(request: Request, stand_in: StandIn, days: tuple[date, date]) -> answers.Json:
    first, last = days
    dates = {"maximum": last.isoformat(), "minimum": first.isoformat()}
    found = stand_in.lists.in_cinemas(first, last, _region(request))
    return {"dates": dates} | _page(request, stand_in, found)
