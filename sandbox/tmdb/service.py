"""What all routes of the stand-in share: its state, its checks of a request, and its JSON."""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import cached_property
from typing import Annotated, TypedDict

import orjson
from fastapi import Depends, Request, Response

from sandbox.tmdb.access import Keys, RateLimit
from sandbox.tmdb.faults import FaultPlan
from sandbox.tmdb.films import FilmStore
from sandbox.tmdb.people import People
from sandbox.tmdb.queries import Lists
from sandbox.tmdb.stats import Stats


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
        self.people = People(self.store)
        self._ahead = self.today - datetime.now(UTC).date()

    @cached_property
    def names(self) -> list[str]:
        """All titles of each film in lower case, for searches."""
        titles = zip(self.store.columns.titles, self.store.original_titles, strict=True)
        return ["\n".join(names).casefold() for names in titles]

    @cached_property
    def by_imdb_id(self) -> dict[str, int]:
        """The positions of the films by their ids in IMDb."""
        return {name: at for at, name in enumerate(self.store.imdb_ids) if name}

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
