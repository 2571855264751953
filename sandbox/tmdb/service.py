"""The parts of the TMDB stand-in (a local imitation of TMDB) that all its routes use.

These are its films and settings, the check of a request's key, and the form of a JSON response.
"""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import cached_property, lru_cache
from typing import Annotated, TypedDict

import orjson
from fastapi import Depends, Request, Response

from sandbox.tmdb.access import Keys, RateLimit
from sandbox.tmdb.faults import FaultPlan
from sandbox.tmdb.films import FilmStore
from sandbox.tmdb.people import People
from sandbox.tmdb.queries import Lists
from sandbox.tmdb.stats import Stats
from sandbox.tmdb.unkindness import Unkindness

FILMS_IN_MEMORY = 2_000


@dataclass
class StandIn:
    """One TMDB stand-in: its films and settings, and what it has counted.

    Attributes:
        store: The source of its films.
        today: The date that the stand-in uses as the current date.
        limit: The limit for the number of requests per second.
        keys: The API keys that are valid.
        plan: The errors that the stand-in makes on purpose.
        stats: The counts of the requests received so far.
    """

    store: FilmStore
    today: date
    limit: RateLimit
    unkindness: Unkindness | None = None
    keys: Keys = field(default_factory=Keys)
    plan: FaultPlan = field(default_factory=FaultPlan)
    stats: Stats = field(default_factory=Stats)

    def __post_init__(self) -> None:
        """Prepare the lists of films and people, and the TMDB stand-in's clock.

        The clock is ahead of or behind the real time by a whole number of days.
        """
        self.lists = Lists(self.store.columns, self.today)
        self.people = People(self.store)
        # Clients request the same films often, and building a film takes half a millisecond.
        self.film = lru_cache(maxsize=FILMS_IN_MEMORY)(self.store.film)
        self._ahead = self.today - datetime.now(UTC).date()

    @cached_property
    def names(self) -> list[str]:
        """For each film, a text with all its titles in lower case, for searches."""
        titles = zip(self.store.columns.titles, self.store.original_titles, strict=True)
        return ["\n".join(names).casefold() for names in titles]

    @cached_property
    def by_imdb_id(self) -> dict[str, int]:
        """Each film's position (its index in the arrays), by the film's id in IMDb."""
        return {name: at for at, name in enumerate(self.store.imdb_ids) if name}

    def now(self) -> datetime:
        """Return the time on the TMDB stand-in's clock: its own date with the real time of day."""
        return datetime.now(UTC) + self._ahead


class State(TypedDict):
    """The data that FastAPI attaches to each request: the TMDB stand-in that serves the request."""

    stand_in: StandIn


# `async`, because FastAPI runs other functions in a thread, which takes longer than the functions.
async def get_stand_in(request: Request) -> StandIn:
    """Return the TMDB stand-in that serves a request."""
    stand_in: StandIn = request.state.stand_in
    return stand_in


StandInDep = Annotated[StandIn, Depends(get_stand_in)]


async def admit(request: Request, stand_in: StandInDep) -> None:
    """Check that a request has a valid key and is within the rate limit.

    Raises:
        TmdbError: The request has no valid key, or it is above the rate limit.
    """
    stand_in.limit.count()
    authorization = request.headers.get("authorization", "")
    stand_in.keys.check(authorization, request.query_params.get("api_key", ""))


def tell(content: object, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """Create a JSON response with the content type that TMDB uses."""
    media_type = "application/json;charset=utf-8"
    return Response(orjson.dumps(content), status, headers, media_type)
