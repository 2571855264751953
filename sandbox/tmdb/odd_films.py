"""Odd films beside the invented ones, as TMDB has them: for adults, merged, never made, and others.

They are added to a synthetic world and change none of its films. Each odd film has one kind, and is
of this kind on every date.
"""

from collections.abc import Iterable
from dataclasses import fields, replace
from datetime import date
from functools import cached_property
from itertools import cycle
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt

from sandbox.tmdb.films import Columns, Film, Person
from sandbox.tmdb.hashing import stable_hash
from sandbox.tmdb.releases import PREMIERE, Releases
from sandbox.tmdb.world import World

Kind = Literal[
    "adult",  # for adults only
    "video",  # not for cinemas, such as a recorded concert
    "festival",  # shown and rated at a festival, months before its release
    "short",
    "long",  # about ten hours
    "endless",  # its running time is a mistake
    "unmade",  # rumoured, cancelled or in production
    "failing",  # popular, but TMDB always answers with an error
]
KINDS: tuple[Kind, ...] = get_args(Kind)
# By kind, the share of the world's films; at least one film is of each kind.
SHARES: dict[Kind, float] = {
    "adult": 0.01,
    "video": 0.02,
    "festival": 0.05,
    "short": 0.01,
    "long": 0.001,
    "endless": 0.001,
    "unmade": 0.01,
    "failing": 0.001,
}
# By kind, the shortest and longest running time in minutes.
MINUTES: dict[Kind, tuple[int, int]] = {
    "short": (2, 39),
    "long": (540, 660),
    "endless": (900, 9000),
}
STATUSES = ("Rumored", "Canceled", "In Production")
# Films of festivals and unmade films are of these years, so that always some are not released.
RECENT_YEARS = (np.datetime64("2025-01-01"), np.datetime64("2031-01-01"))
FESTIVAL_DAYS = (20, 150)  # from the premiere to the release
FIRST_ODD_ID = 11_000_000
ID_OFFSET = 500_000  # of people, companies and collections, so that their ids differ from others
FAMOUS = 4.0  # standard deviations above the mean

# Every 12 days, someone adds a film to TMDB that is already there. A year later, the two films are
# merged: the newer id is gone. Merged films are numbered; this is the day on which number 0 begins.
MERGED_EVERY_DAYS, MERGED_AFTER_DAYS = 12, 360
FIRST_MERGED_ID = 12_000_000
FEW_VOTES = 8


class OddFilms(World):
    """The odd films as a world of their own: the same rules, but changed facts.

    Attributes:
        kinds: The kind of each film.
    """

    def __init__(self, today: date, seed: int, beside: int) -> None:
        """Invent the odd films that belong to a world of `beside` films."""
        counts = [max(1, round(SHARES[kind] * beside)) for kind in KINDS]
        super().__init__(today, seed + 1, sum(counts), first_id=FIRST_ODD_ID, id_offset=ID_OFFSET)
        rng = np.random.default_rng((seed, 5))
        self.kinds = rng.permutation(np.repeat(np.array(KINDS), counts))
        self._lead_days = np.where(
            self.kinds == "festival", rng.integers(*FESTIVAL_DAYS, len(self.kinds)), 0
        )
        released, runtime = self.facts.released.copy(), self.facts.runtime.copy()
        recent = np.flatnonzero(np.isin(self.kinds, ("festival", "unmade")))
        first, last = (day.astype(np.int64) for day in RECENT_YEARS)
        released[recent] = rng.integers(first, last, len(recent)).astype("datetime64[D]")
        for kind, limits in MINUTES.items():
            of_kind = self.kinds == kind
            runtime[of_kind] = rng.integers(*limits, of_kind.sum())
        fame = np.where(self.kinds == "failing", FAMOUS, self.facts.fame)
        self.facts = replace(self.facts, released=released, runtime=runtime, fame=fame)

    @cached_property
    def columns(self) -> Columns:
        """The values by which film lists are filtered and sorted, one array per field."""
        adult, video = self.kinds == "adult", self.kinds == "video"
        return replace(super().columns, adult=adult, video=video)

    @cached_property
    def _vote_ages(self) -> npt.NDArray[np.int64]:
        """How long people could vote, in days; a film that is never made gets no votes."""
        ages = self._ages + self._lead_days
        return np.where(self.kinds == "unmade", -1, ages)

    @cached_property
    def _undated(self) -> npt.NDArray[np.bool_]:
        undated: npt.NDArray[np.bool_] = super()._undated.copy()
        undated[[at for at, status in self._statuses.items() if status == "Rumored"]] = True
        return undated

    @cached_property
    def _statuses(self) -> dict[int, str]:
        """The statuses of the unmade films, by position."""
        unmade = np.flatnonzero(self.kinds == "unmade").tolist()
        return dict(zip(unmade, cycle(STATUSES), strict=False))

    @cached_property
    def _releases(self) -> Releases:
        releases = super()._releases
        films = np.flatnonzero((self._lead_days > 0) & ~self._undated)
        premieres = self.facts.released[films] - self._lead_days[films].astype("timedelta64[D]")
        return Releases.of(
            np.concatenate([releases.film, films]),
            np.concatenate([releases.country, np.full(len(films), "FR")]),
            np.concatenate([releases.kind, np.full(len(films), PREMIERE)]),
            np.concatenate([releases.day, premieres]),
        )

    def _status(self, position: int) -> str:
        return self._statuses.get(position) or super()._status(position)


class WorldWithOddFilms:
    """A synthetic world with the odd films, and films that were added twice, as a `FilmStore`.

    The films of the world come first, in the same order.
    """

    def __init__(self, world: World) -> None:
        self.world = world
        self.odd = OddFilms(world.today, world.seed, len(world.columns.ids))
        self._numbers = doubles_on(world.today)

    @cached_property
    def columns(self) -> Columns:
        """The values by which film lists are filtered and sorted, one array per field."""
        world, odd, doubles = self.world.columns, self.odd.columns, self._doubles
        values: dict[str, Any] = {}
        for name in (field.name for field in fields(Columns)):
            first, second = getattr(world, name), getattr(odd, name)
            if isinstance(first, list):
                values[name] = [*first, *second, *(first[at] for at in doubles)]
            elif name != "releases":
                values[name] = np.concatenate([first, second, first[doubles]])
        values["ids"][self._first_double :] = [FIRST_MERGED_ID + each for each in self._numbers]
        values["vote_count"][self._first_double :] = [
            stable_hash(each, "votes") % FEW_VOTES for each in self._numbers
        ]
        values["vote_average"][values["vote_count"] == 0] = 0.0
        return Columns(**values, releases=self._releases())

    @cached_property
    def original_titles(self) -> list[str]:
        """The films' titles in their own languages."""
        titles = self.world.original_titles
        return [*titles, *self.odd.original_titles, *(titles[at] for at in self._doubles)]

    @cached_property
    def imdb_ids(self) -> list[str | None]:
        """The films' ids in IMDb; a film that was added twice has it only once."""
        return [*self.world.imdb_ids, *self.odd.imdb_ids, *(None for _ in self._doubles)]

    @cached_property
    def failing(self) -> list[int]:
        """The ids of the films for which TMDB always answers with an error."""
        failing: list[int] = self.odd.columns.ids[self.odd.kinds == "failing"].tolist()
        return failing

    def film(self, position: int) -> Film:
        """Build the film at this index of the columns."""
        if position < self._first_double:
            world, at = self._place(position)
            return world.film(at)
        original = self.world.film(self._doubles[position - self._first_double])
        return replace(
            original,
            id=int(self.columns.ids[position]),
            imdb_id=None,
            vote_count=int(self.columns.vote_count[position]),
            vote_average=float(self.columns.vote_average[position]),
        )

    def people(self, position: int) -> Iterable[Person]:
        """Return a film's cast and crew, faster than `film` does."""
        world, at = self._place(position)
        return world.people(at)

    @property
    def _first_double(self) -> int:
        return len(self.world.columns.ids) + len(self.odd.columns.ids)

    @cached_property
    def _doubles(self) -> list[int]:
        """For each film that was added twice, the position of the other one."""
        size = len(self.world.columns.ids)
        return [stable_hash(self.world.seed, "double", each) % size for each in self._numbers]

    def _place(self, position: int) -> tuple[World, int]:
        """Return the world that a film comes from, and the film's position there."""
        size = len(self.world.columns.ids)
        if position < size:
            return self.world, position
        if position < self._first_double:
            return self.odd, position - size
        return self.world, self._doubles[position - self._first_double]

    def _releases(self) -> Releases:
        world, odd = self.world.columns.releases, self.odd.columns.releases
        size = len(self.world.columns.ids)
        # Films that were added twice have no releases yet.
        return Releases(
            np.concatenate([world.film, odd.film + size]),
            np.concatenate([world.country, odd.country]),
            np.concatenate([world.kind, odd.kind]),
            np.concatenate([world.day, odd.day]),
        )


def doubles_on(day: date) -> range:
    """Return the numbers of the films that are there twice on a day."""
    now = day.toordinal()
    return range((now - MERGED_AFTER_DAYS) // MERGED_EVERY_DAYS + 1, now // MERGED_EVERY_DAYS + 1)


def merged_on(days: Iterable[date]) -> list[int]:
    """Return the ids of the films that were merged with others on these days."""
    ages = (day.toordinal() - MERGED_AFTER_DAYS for day in days)
    numbers = (divmod(age, MERGED_EVERY_DAYS) for age in ages)
    return [FIRST_MERGED_ID + number for number, rest in numbers if rest == 0]
