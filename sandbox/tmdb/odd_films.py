"""Invent unusual films such as TMDB also has, which a client of TMDB must be able to handle.

Examples are films for adults, films that were never made, and films that TMDB has twice. These odd
films are added to the films of a synthetic world, which do not change. The kind of an odd film is
the same on every date.
"""

from collections.abc import Iterable
from dataclasses import fields, replace
from datetime import date
from functools import cached_property
from itertools import cycle
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt

from sandbox.tmdb.facts import Facts
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
UNKIND_SUFFIX = "-odd"  # of the name of a world with odd films
ID_OFFSET = 500_000  # of people, companies and collections, so that their ids differ from others
FAMOUS = 4.0  # standard deviations above the mean

# Every 12 days, someone adds a film to TMDB that is already there. A year later, the two films are
# merged: the newer id is gone. Merged films are numbered; this is the day on which number 0 begins.
MERGED_EVERY_DAYS, MERGED_AFTER_DAYS = 12, 360
FIRST_MERGED_ID = 12_000_000
FEW_VOTES = 8


class OddFilms(World):
    """The unusual films. They are invented by the same rules as others, but some facts are changed.

    Attributes:
        kinds: The kind of each film, such as "adult" or "unmade".
    """

    facts: Facts

    def __init__(self, today: date, seed: int, beside: int) -> None:
        """Invent the unusual films for a world.

        Args:
            today: The date that determines which films are released and how many votes they have.
            seed: The seed of the world.
            beside: The number of films in the world. More films mean more unusual films.
        """
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
        """For how many days people could vote for each film.

        A number below zero means that nobody could. This is always so for a film that is not made.
        """
        ages = self._ages + self._lead_days
        return np.where(self.kinds == "unmade", -1, ages)

    @cached_property
    def _undated(self) -> npt.NDArray[np.bool_]:
        undated: npt.NDArray[np.bool_] = super()._undated.copy()
        undated[[at for at, status in self._statuses.items() if status == "Rumored"]] = True
        return undated

    @cached_property
    def _statuses(self) -> dict[int, str]:
        """For the position of each film that is not made, its status, such as "Rumored"."""
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
    """A source of films: a synthetic world, unusual films, and films that TMDB has twice.

    It has the methods of `FilmStore`. The films of the world come first, in the same order.
    """

    def __init__(self, world: World) -> None:
        self.world = world
        self.odd = OddFilms(world.today, world.seed, len(world.columns.ids))
        self._numbers = doubles_on(world.today)

    @property
    def source(self) -> str:
        """The name of these films; the world without the unusual films has another name."""
        return f"{self.world.source}{UNKIND_SUFFIX}"

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
        """The title of each film in the film's original language."""
        titles = self.world.original_titles
        return [*titles, *self.odd.original_titles, *(titles[at] for at in self._doubles)]

    @cached_property
    def imdb_ids(self) -> list[str | None]:
        """The id of each film in IMDb; None if it is unknown.

        If TMDB has a film twice, the second entry has no id in IMDb.
        """
        return [*self.world.imdb_ids, *self.odd.imdb_ids, *(None for _ in self._doubles)]

    @cached_property
    def failing(self) -> list[int]:
        """The ids of the films for which the TMDB stand-in always answers with an error."""
        failing: list[int] = self.odd.columns.ids[self.odd.kinds == "failing"].tolist()
        return failing

    def film(self, position: int) -> Film:
        """Return all facts about one film, given its index in the arrays of `columns`."""
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
        """Return the cast and crew of one film; this is faster than to build the whole `film`."""
        world, at = self._place(position)
        return world.people(at)

    @property
    def _first_double(self) -> int:
        return len(self.world.columns.ids) + len(self.odd.columns.ids)

    @cached_property
    def _doubles(self) -> list[int]:
        """For each second entry of a film that TMDB has twice, the position of the first entry."""
        size = len(self.world.columns.ids)
        return [stable_hash(self.world.seed, "double", each) % size for each in self._numbers]

    def _place(self, position: int) -> tuple[World, int]:
        """Return the world that invented a film, and the film's position in this world."""
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
    """Return which films TMDB has twice on the given day.

    All such films are numbered in the order in which TMDB gets their second entry. The result is a
    range of these numbers.
    """
    now = day.toordinal()
    return range((now - MERGED_AFTER_DAYS) // MERGED_EVERY_DAYS + 1, now // MERGED_EVERY_DAYS + 1)


def merged_on(days: Iterable[date]) -> list[int]:
    """Return the ids that disappeared on these days.

    An id disappears when TMDB notices that it has a film twice, and merges the two entries.
    """
    ages = (day.toordinal() - MERGED_AFTER_DAYS for day in days)
    numbers = (divmod(age, MERGED_EVERY_DAYS) for age in ages)
    return [FIRST_MERGED_ID + number for number, rest in numbers if rest == 0]
