"""The classes for a film in the TMDB stand-in (a local imitation of TMDB).

`FilmStore` is the common interface of its two sources of films: invented films or a parquet file.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Protocol

import numpy as np
import numpy.typing as npt

from sandbox.tmdb.codes import GENRES, RETIRED_GENRES
from sandbox.tmdb.releases import Release, Releases

GENRE_BITS = {code: 1 << at for at, code in enumerate(GENRES | RETIRED_GENRES)}
# The highest bit that a positive int64 can have; no genre uses it.
UNKNOWN_GENRE = 1 << 62

Positions = npt.NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Person:
    """A member of a film's cast or crew.

    Attributes:
        name: The name that TMDB shows in English.
        original_name: The name in the person's own language.
        gender: TMDB's code for the gender: 0 unknown, 1 woman, 2 man, 3 non-binary.
    """

    id: int
    name: str
    original_name: str
    gender: int = 0


@dataclass(frozen=True, slots=True)
class CrewMember:
    """A member of a film's crew.

    Attributes:
        department: TMDB's name for the person's department, such as "Sound".
        job: TMDB's name for the person's job, such as "Sound Designer".
    """

    person: Person
    department: str
    job: str


@dataclass(frozen=True, slots=True)
class Company:
    """A production company; `country` is its country's ISO 3166 code, or "" if unknown."""

    id: int
    name: str
    country: str = ""


@dataclass(frozen=True, slots=True)
class Named:
    """A collection (a film series) or a keyword. In TMDB, each has an id and a name."""

    id: int
    name: str


@dataclass(frozen=True, slots=True)
class Translation:
    """A film's title and plot in one language.

    If the title is empty, the film's default title is used.
    """

    language: str
    country: str
    title: str
    overview: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Film:
    """All facts about one film. The default values are TMDB's values for "unknown".

    Attributes:
        video: Whether TMDB calls the film a video: it was not made for cinemas, such as a concert.
        crew: The members of the crew, except directors and writers.
    """

    id: int
    title: str
    original_title: str
    adult: bool = False
    video: bool = False
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
    crew: tuple[CrewMember, ...] = ()
    keywords: tuple[Named, ...] = ()
    translations: tuple[Translation, ...] = ()
    releases: tuple[Release, ...] = ()


@dataclass(frozen=True)
class Columns:
    """The values by which film lists are filtered and sorted: one array per field.

    A film has the same index in all arrays. This index is called the film's position.

    Attributes:
        ids: TMDB ids; each occurs once.
        released: Release dates, NaT if unknown.
        vote_count: Numbers of votes.
        vote_average: TMDB ratings, 0.0 for a film without votes.
        popularity: TMDB's popularity values.
        revenue: Revenues in US dollars, 0 if unknown.
        runtime: Running times in minutes, 0 if unknown.
        language: ISO 639-1 codes of the original languages, "" if unknown.
        genres: One number per film, in which each genre is one bit; see `genre_mask`.
        titles: English titles, or the original titles where there is no English one.
        adult: Whether each film is for adults only.
        video: Whether each film is a video, which means it was not made for cinemas.
        releases: The releases of all films. A film can have several, in different countries.
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
    adult: npt.NDArray[np.bool_]
    video: npt.NDArray[np.bool_]
    releases: Releases

    @cached_property
    def title_rank(self) -> npt.NDArray[np.int64]:
        """The rank of each film when all titles are sorted by the alphabet, ignoring case."""
        order = sorted(range(len(self.titles)), key=lambda at: self.titles[at].casefold())
        rank = np.empty(len(order), np.int64)
        rank[order] = np.arange(len(order))
        return rank

    @cached_property
    def position_of(self) -> dict[int, int]:
        """Each film's position (its index in the arrays), by the film's id."""
        return {int(film_id): at for at, film_id in enumerate(self.ids)}


class FilmStore(Protocol):
    """A source of films for the TMDB stand-in.

    There are two sources: `world.World` invents films, and `catalogue.CatalogueFile` reads films
    from a parquet file.
    """

    @property
    def source(self) -> str:
        """The name of this source (see `movierating.films.source`).

        Two sources with different films have different names, on every date.
        """
        ...

    @property
    def columns(self) -> Columns:
        """The values by which film lists are filtered and sorted: one array per field."""
        ...

    @property
    def original_titles(self) -> list[str]:
        """The title of each film in the film's original language."""
        ...

    @property
    def imdb_ids(self) -> list[str | None]:
        """The id of each film in IMDb; None if it is unknown."""
        ...

    def film(self, position: int) -> Film:
        """Return all facts about one film, given its index in the arrays of `columns`."""
        ...

    def people(self, position: int) -> Iterable[Person]:
        """Return the cast and crew of one film; this is faster than to build the whole `film`."""
        ...


def genre_mask(genres: Iterable[int]) -> int:
    """Convert genre codes to one number in which each genre is one bit.

    A code that TMDB does not have sets a bit that no film has. So a filter with such a code finds
    no films.
    """
    mask = 0
    for genre in genres:
        mask |= GENRE_BITS.get(genre, UNKNOWN_GENRE)
    return mask
