"""Read the films that the TMDB stand-in serves from a parquet file (the catalogue file).

The columns have the same names as the fields in TMDB's response to `/movie/{id}`. Only the column
`id` is required. These columns are special:

- `genres`, `production_companies`, `production_countries`, `cast`, `keywords` and `director` are
  lists of names; `belongs_to_collection` is one name.
- `spoken_languages` is a list of ISO codes.
- `director_ids` and `writer_ids` are lists of person ids.

In TMDB's format, each person, company and keyword has an id and a name. If the file has only one of
the two, the stand-in invents the other, the same one every time. A missing field gets the value
that TMDB uses for "unknown".
"""

from collections.abc import Iterable
from datetime import date
from functools import cached_property
from hashlib import file_digest
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from movierating.films.source import catalogue_films
from sandbox.tmdb.codes import GENRE_IDS, country_code
from sandbox.tmdb.films import (
    Columns,
    Company,
    Film,
    Named,
    Person,
    Translation,
    genre_mask,
)
from sandbox.tmdb.hashing import invented_id
from sandbox.tmdb.names import invented_person
from sandbox.tmdb.releases import THEATRICAL, Releases

SOURCE_DIGITS = 8
TEXT, NUMBER = pa.large_string(), pa.float64()
NAMES, IDS = pa.large_list(TEXT), pa.large_list(pa.int64())
SCHEMA: dict[str, pa.DataType] = {
    "id": pa.int64(),
    "imdb_id": TEXT,
    "title": TEXT,
    "original_title": TEXT,
    "original_language": TEXT,
    "overview": TEXT,
    "tagline": TEXT,
    "homepage": TEXT,
    "status": TEXT,
    "poster_path": TEXT,
    "backdrop_path": TEXT,
    "belongs_to_collection": TEXT,
    "release_date": pa.date32(),
    "runtime": NUMBER,
    "budget": NUMBER,
    "revenue": NUMBER,
    "popularity": NUMBER,
    "vote_average": NUMBER,
    "vote_count": NUMBER,
    "genres": NAMES,
    "production_companies": NAMES,
    "production_countries": NAMES,
    "spoken_languages": NAMES,
    "cast": NAMES,
    "keywords": NAMES,
    "director": NAMES,
    "director_ids": IDS,
    "writer_ids": IDS,
}


class CatalogueError(ValueError):
    """The parquet file with the films cannot be used; the error message says why."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"TMDB_CATALOGUE={path}: {reason}")


class CatalogueFile:
    """The films in a parquet file, with the methods of `FilmStore`.

    Raises:
        CatalogueError: The file does not exist, it is not a parquet file, or a column has the wrong
            type.
    """

    def __init__(self, path: Path, today: date) -> None:
        self.today = today
        self._table = _read(path)
        self._source = catalogue_films(path.stem, _digest(path))

    @property
    def source(self) -> str:
        """The name of these films; it has a digest of the file."""
        return self._source

    @cached_property
    def columns(self) -> Columns:
        """The values by which film lists are filtered and sorted: one array per field."""
        genres = self._table["genres"].to_pylist()
        return Columns(
            ids=self._table["id"].to_numpy(),
            released=self._table["release_date"].to_numpy().astype("datetime64[D]"),
            vote_count=self._whole("vote_count"),
            vote_average=self._numbers("vote_average"),
            popularity=self._numbers("popularity"),
            revenue=self._whole("revenue"),
            runtime=self._whole("runtime"),
            language=np.array(self._table["original_language"].fill_null("").to_pylist(), np.str_),
            genres=np.array([genre_mask(_genre_ids(names or ())) for names in genres], np.int64),
            titles=pc.coalesce(
                self._table["title"], self._table["original_title"], pa.scalar("", TEXT)
            ).to_pylist(),
            adult=np.zeros(len(genres), np.bool_),
            video=np.zeros(len(genres), np.bool_),
            releases=self._releases(),
        )

    @cached_property
    def original_titles(self) -> list[str]:
        """The title of each film in the film's original language."""
        originals = self._table["original_title"].to_pylist()
        return [own or title for own, title in zip(originals, self.columns.titles, strict=True)]

    @cached_property
    def imdb_ids(self) -> list[str | None]:
        """The id of each film in IMDb; None if the file does not have it."""
        ids: list[str | None] = self._table["imdb_id"].to_pylist()
        return ids

    def film(self, position: int) -> Film:
        """Return all facts about one film, given its index in the arrays of `columns`."""
        row: dict[str, Any] = self._table.slice(position, 1).to_pylist()[0]
        columns = self.columns
        title = columns.titles[position]
        overview = row["overview"] or ""
        return Film(
            id=row["id"],
            title=title,
            original_title=self.original_titles[position],
            original_language=row["original_language"] or "",
            overview=overview,
            tagline=row["tagline"] or "",
            homepage=row["homepage"] or "",
            imdb_id=row["imdb_id"],
            status=row["status"] or self._status(row["release_date"]),
            released=row["release_date"],
            runtime=int(columns.runtime[position]),
            budget=int(row["budget"] or 0),
            revenue=int(columns.revenue[position]),
            popularity=float(columns.popularity[position]),
            vote_average=float(columns.vote_average[position]),
            vote_count=int(columns.vote_count[position]),
            poster_path=row["poster_path"],
            backdrop_path=row["backdrop_path"],
            genres=_genre_ids(row["genres"] or ()),
            countries=tuple(filter(None, map(country_code, row["production_countries"] or ()))),
            spoken_languages=tuple(row["spoken_languages"] or ()),
            collection=_named("collection", row["belongs_to_collection"]),
            companies=tuple(map(_company, dict.fromkeys(row["production_companies"] or ()))),
            directors=_directors(row["director_ids"] or [], row["director"] or []),
            writers=tuple(map(invented_person, row["writer_ids"] or ())),
            cast=tuple(map(_person, row["cast"] or ())),
            keywords=tuple(
                Named(invented_id("keyword", word), word) for word in row["keywords"] or ()
            ),
            translations=(Translation("en", "US", title, overview),) if overview else (),
            releases=columns.releases.of_film(position, row["id"]),
        )

    def people(self, position: int) -> Iterable[Person]:
        """Return the cast and crew of one film; this is faster than to build the whole `film`."""
        ids, names, writers, cast = (values[position] for values in self._people)
        yield from _directors(ids or [], names or [])
        yield from map(invented_person, writers or ())
        yield from map(_person, cast or ())

    @cached_property
    def _people(self) -> list[list[Any]]:
        names = ("director_ids", "director", "writer_ids", "cast")
        return [self._table[name].to_pylist() for name in names]

    def _releases(self) -> Releases:
        """Create one release per film: on its release date, in cinemas of its first country.

        A film without a country or without a release date gets no release.
        """
        countries = self._table["production_countries"].to_pylist()
        home = np.array([country_code(names[0]) if names else "" for names in countries], np.str_)
        films = np.flatnonzero(home != "")
        released = self._table["release_date"].to_numpy().astype("datetime64[D]")
        return Releases.of(films, home[films], np.full(len(films), THEATRICAL), released[films])

    def _status(self, released: date | None) -> str:
        """Return the status for a film whose status is missing in the file.

        It is "Planned" before the release, otherwise "Released".
        """
        return "Planned" if released is None or released > self.today else "Released"

    def _numbers(self, name: str) -> npt.NDArray[np.float64]:
        numbers: npt.NDArray[np.float64] = np.nan_to_num(self._table[name].fill_null(0).to_numpy())
        return numbers

    def _whole(self, name: str) -> npt.NDArray[np.int64]:
        return np.round(self._numbers(name)).astype(np.int64)


def _read(path: Path) -> pa.Table:
    """Read the parquet file, and convert its columns to the types in `SCHEMA`.

    A column that the file does not have is filled with nulls.
    """
    if not path.is_file():
        raise CatalogueError(path, "there is no such file")
    try:
        raw = pq.read_table(path)
    except (pa.ArrowException, OSError):
        raise CatalogueError(path, "this is not a readable parquet file") from None
    if "id" not in raw.column_names:
        raise CatalogueError(path, "the file has no column 'id'")
    columns = {name: _column(path, raw, name, kind) for name, kind in SCHEMA.items()}
    table = pa.table(columns).combine_chunks()
    ids = table["id"]
    if len(ids) == 0 or ids.null_count or pc.count_distinct(ids).as_py() != len(ids):
        raise CatalogueError(path, "column 'id' must have a different number in every row")
    return table


def _digest(path: Path) -> str:
    with path.open("rb") as stream:
        return file_digest(stream, "sha256").hexdigest()[:SOURCE_DIGITS]


def _column(path: Path, raw: pa.Table, name: str, kind: pa.DataType) -> pa.ChunkedArray | pa.Array:
    if name not in raw.column_names:
        return pa.nulls(len(raw), kind)
    # If dates are stored as timestamps, ignore the time of day instead of refusing the file.
    safe = name != "release_date"
    try:
        return raw[name].cast(kind, safe=safe)
    except pa.ArrowException:
        found = raw[name].type
        raise CatalogueError(path, f"column '{name}' is {found}, expected {kind}") from None


def _genre_ids(names: Iterable[str]) -> tuple[int, ...]:
    return tuple(GENRE_IDS[name] for name in names if name in GENRE_IDS)


def _named(kind: str, name: str | None) -> Named | None:
    return Named(invented_id(kind, name), name) if name else None


def _company(name: str) -> Company:
    return Company(invented_id("company", name), name)


def _person(name: str) -> Person:
    return Person(invented_id("person", name), name, name)


def _directors(ids: list[int], names: list[str]) -> tuple[Person, ...]:
    """Return the directors of a film, given the lists of their ids and of their names.

    If both lists have the same length, they are in the same order. Otherwise only the ids are used,
    or only the names if there are no ids.
    """
    if len(ids) == len(names):
        pairs = zip(ids, names, strict=True)
        return tuple(Person(person_id, name, name) for person_id, name in pairs)
    return tuple(map(invented_person, ids)) if ids else tuple(map(_person, names))
