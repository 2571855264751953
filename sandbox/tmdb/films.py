"""A film as the routes serve it, and the protocol of a store of films."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from hashlib import blake2b
from typing import Protocol

import numpy as np
import numpy.typing as npt

from sandbox.tmdb.codes import GENRES, RETIRED_GENRES

# Above every id of TMDB, so that an invented id is never a real one.
FIRST_INVENTED_ID = 1 << 32

GENRE_BITS = {code: 1 << at for at, code in enumerate(GENRES | RETIRED_GENRES)}
UNKNOWN_GENRE = 1 << 62

Positions = npt.NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Person:
    """A member of cast or crew; `gender` is TMDB's: 0 unknown, 1 woman, 2 man, 3 non-binary."""

    id: int
    name: str
    original_name: str
    gender: int = 0


@dataclass(frozen=True, slots=True)
class Company:
    """A production company; `country` is "" where unknown."""

    id: int
    name: str
    country: str = ""


@dataclass(frozen=True, slots=True)
class Named:
    """A collection or a keyword."""

    id: int
    name: str


@dataclass(frozen=True, slots=True)
class Translation:
    """Title and plot in one language; an empty title means the original one."""

    language: str
    country: str
    title: str
    overview: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Film:
    """One film; a field left out has TMDB's empty form."""

    id: int
    title: str
    original_title: str
    original_language: str = ""
    overview: str = ""
    tagline: str = ""
    homepage: str = ""
    imdb_id: str | None = None
    status: str = "Released"
    released: date | None = None
    runtime: int = 0
    budget: int = 0
    revenue: int = 0
    popularity: float = 0.0
    vote_average: float = 0.0
    vote_count: int = 0
    poster_path: str | None = None
    backdrop_path: str | None = None
    genres: tuple[int, ...] = ()
    origin_countries: tuple[str, ...] = ()
    countries: tuple[str, ...] = ()
    spoken_languages: tuple[str, ...] = ()
    collection: Named | None = None
    companies: tuple[Company, ...] = ()
    directors: tuple[Person, ...] = ()
    writers: tuple[Person, ...] = ()
    cast: tuple[Person, ...] = ()
    keywords: tuple[Named, ...] = ()
    translations: tuple[Translation, ...] = ()


@dataclass(frozen=True)
class Columns:
    """The columns that lists filter and sort by, one entry per film, in the store's order.

    Attributes:
        ids: int64, unique.
        released: datetime64[D], NaT where unknown.
        vote_count: int64.
        vote_average: float64.
        popularity: float64.
        revenue: int64.
        runtime: int64, 0 where unknown.
        language: str, "" where unknown.
        genres: one bit per genre, see `genre_mask`.
        titles: default titles.
    """

    ids: npt.NDArray[np.int64]
    released: npt.NDArray[np.datetime64]
    vote_count: npt.NDArray[np.int64]
    vote_average: npt.NDArray[np.float64]
    popularity: npt.NDArray[np.float64]
    revenue: npt.NDArray[np.int64]
    runtime: npt.NDArray[np.int64]
    language: npt.NDArray[np.str_]
    genres: npt.NDArray[np.int64]
    titles: list[str]

    @cached_property
    def title_rank(self) -> npt.NDArray[np.int64]:
        """The rank of each title in alphabetical order, ignoring case."""
        order = sorted(range(len(self.titles)), key=lambda at: self.titles[at].casefold())
        rank = np.empty(len(order), np.int64)
        rank[order] = np.arange(len(order))
        return rank

    @cached_property
    def position_of(self) -> dict[int, int]:
        """Positions by film id."""
        return {int(film_id): at for at, film_id in enumerate(self.ids)}


class FilmStore(Protocol):
    """A source of films: the synthetic world or a catalogue file."""

    @property
    def columns(self) -> Columns:
        """The columns that lists filter and sort by."""
        ...

    def film(self, position: int) -> Film:
        """Build the film at a position of the columns."""
        ...


def genre_mask(genres: Iterable[int]) -> int:
    """Return the bit mask of these genres; an unknown code sets a bit that no film has."""
    mask = 0
    for genre in genres:
        mask |= GENRE_BITS.get(genre, UNKNOWN_GENRE)
    return mask


def stable_hash(*parts: object, size: int = 8) -> int:
    """Return a number that depends only on the parts, not on process or platform."""
    text = "\x1f".join(map(str, parts))
    return int.from_bytes(blake2b(text.encode(), digest_size=size).digest(), "big")


def invented_id(kind: str, name: str) -> int:
    """Return a stable id for something that only has a name."""
    return FIRST_INVENTED_ID + stable_hash(kind, name, size=5)
