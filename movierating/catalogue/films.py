"""Read the film catalogue: search films by their titles, and get the facts about one film."""

import json
import sqlite3
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import islice
from pathlib import Path
from typing import Any, Final, Literal
from urllib.parse import quote

from movierating.catalogue import titles
from movierating.errors import ExplainedError
from movierating.model.distribution import NormalisedErrors, RatingDistributions

FORMAT: Final = 2  # changes when an older reader could not read the file
# The films are numbered in the order of a list of results: a film to come before a released one,
# and of these the better known first. SQLite finds matches in this order, so it can stop early.
SCHEMA: Final = """
    CREATE TABLE about (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
    CREATE TABLE films (
        number INTEGER PRIMARY KEY,
        film_id INTEGER NOT NULL UNIQUE,
        title TEXT,
        original_title TEXT,
        korean_title TEXT,
        release_date TEXT NOT NULL,
        poster_path TEXT,
        votes INTEGER NOT NULL,
        rating REAL,
        fetched_on TEXT NOT NULL,
        facts BLOB NOT NULL
    );
    CREATE INDEX films_by_release ON films (release_date);
    CREATE TABLE forecasts (
        film_id INTEGER NOT NULL,
        day TEXT NOT NULL,
        rating REAL NOT NULL,
        low REAL NOT NULL,
        high REAL NOT NULL,
        version TEXT NOT NULL,
        half_width REAL,
        PRIMARY KEY (film_id, day)
    ) WITHOUT ROWID;
    CREATE TABLE errors (version TEXT PRIMARY KEY, errors TEXT NOT NULL) WITHOUT ROWID;
    CREATE TABLE record (
        film_id INTEGER PRIMARY KEY,
        forecast BLOB NOT NULL,
        score BLOB
    );
    CREATE TABLE photos (
        person_id INTEGER PRIMARY KEY,
        path TEXT NOT NULL,
        fetched_on TEXT NOT NULL
    );
    CREATE VIRTUAL TABLE titles
        USING fts5(terms, content='', columnsize=0, tokenize='ascii');
    CREATE VIRTUAL TABLE title_terms USING fts5vocab(titles, row);
"""
# TMDB's terms allow a copy of its data to be kept for six months.
KEPT_DAYS: Final = 180
FILM_COLUMNS: Final = (
    "film_id, title, original_title, korean_title, release_date, poster_path, votes, rating"
)
_MAX_BYTES: Final = 1_000_000  # of the facts about a film; a request may not have more
_SHORTEST_TO_GUESS: Final = 4  # a shorter text resembles too many titles
_RAREST_TERMS: Final = 8  # of a text with a typing error, to find titles that resemble it
_CANDIDATES: Final = 100  # films with two of these terms, which are compared with the text
_RESEMBLANCE: Final = 0.6  # of the text and a title (Dice's coefficient of their terms)

Status = Literal["upcoming", "released"]


class CatalogueError(ExplainedError, ValueError):
    """The file is not a film catalogue that this code can read."""


@dataclass(frozen=True)
class About:
    """What the catalogue says about itself.

    Attributes:
        source: The source of the films (see `movierating.films.source`).
        as_of: The day of the pipeline's run that made it.
        films: The number of films.
        votes_to_score: A forecast is compared with the rating at this number of votes.
    """

    source: str
    as_of: date
    films: int
    votes_to_score: int


@dataclass(frozen=True)
class FoundFilm:
    """A film as a list of results shows it.

    Attributes:
        film_id: TMDB's id.
        title: English title; None if unknown.
        original_title: Title in the original language; None if unknown.
        korean_title: Korean title; None if unknown.
        release_date: First release of any type in any country; None only for a film that is not in
            a catalogue.
        poster_path: TMDB's path of the poster; None if there is none.
        votes: Number of votes when the film was fetched.
        rating: Rating when the film was fetched; None without votes.
    """

    film_id: int
    title: str | None
    original_title: str | None
    korean_title: str | None
    release_date: date | None
    poster_path: str | None
    votes: int
    rating: float | None


@dataclass(frozen=True)
class PastForecast:
    """The last forecast that was made for a film on a day.

    Attributes:
        distribution: The predicted distribution; None if the ledger did not keep it.
    """

    day: date
    rating: float
    low: float
    high: float
    version: str
    distribution: RatingDistributions | None


class FilmCatalogue:
    """A catalogue in a file that nobody changes any more. Several threads may use it.

    Each call opens the file. So no data stay in memory, and the file may be deleted at any time.

    Attributes:
        about: What the catalogue says about itself.
    """

    def __init__(self, path: Path) -> None:
        """Open a catalogue.

        Raises:
            CatalogueError: The file is damaged, or has a format that this code does not know.
        """
        self._path = path
        try:
            with self.opened() as database:
                stored = dict(database.execute("SELECT name, value FROM about").fetchall())
            if int(stored["format"]) != FORMAT:
                raise CatalogueError(
                    f"the film catalogue has format {stored['format']}, and this code reads "
                    f"format {FORMAT}; update the older of the two"
                )
            self.about = About(
                source=stored["source"],
                as_of=date.fromisoformat(stored["as_of"]),
                films=int(stored["films"]),
                votes_to_score=int(stored["votes_to_score"]),
            )
        except (sqlite3.Error, KeyError) as error:
            raise CatalogueError("the film catalogue is damaged; publish it again") from error

    def search(
        self, text: str, today: date, status: Status | None = None, offset: int = 0, limit: int = 20
    ) -> list[FoundFilm]:
        """Find films by any part of any of their titles.

        Films with exactly this title come first, then those with a title that begins with the text,
        then the others. Without a text, all films are listed. If no title contains the text, films
        with a similar title are returned: the text probably has a typing error.

        Args:
            text: Part of a title, in any script. Case, accents, spaces and punctuation are ignored.
            today: Films with a later release are upcoming, the others are released.
            status: Only upcoming or only released films.
            offset: How many films to skip.
            limit: The largest number of films to return.
        """
        key = titles.title_key(text)
        if text.strip() and not key:
            return []  # only punctuation or emoji
        where, values = condition(today, status)
        with self.opened() as database:
            if not key:
                return _listed(database, where, values, status, offset, limit)
            found = _matching(database, key, where, values)
            films = list(islice(found, offset, offset + limit))
            if not films and offset == 0 and len(key) >= _SHORTEST_TO_GUESS:
                films = _similar(database, key, where, values)[:limit]
        return films

    def film(self, film_id: int, today: date) -> FoundFilm | None:
        """Return the film with this id; None if the catalogue does not have it."""
        where, values = condition(today, None)
        with self.opened() as database:
            rows = database.execute(
                f"SELECT {FILM_COLUMNS} FROM films WHERE film_id = :id AND {where}",  # noqa: S608
                values | {"id": film_id},
            )
            return next(map(found_film, rows), None)

    def facts(self, film_id: int, today: date) -> dict[str, Any] | None:
        """Return the facts about a film, by the names of the fields of `POST /predict`.

        Unknown facts are left out. The result is None if the catalogue does not have the film.
        """
        where, values = condition(today, None)
        with self.opened() as database:
            row = database.execute(
                f"SELECT facts FROM films WHERE film_id = :id AND {where}",  # noqa: S608
                values | {"id": film_id},
            ).fetchone()
        return unpack_facts(row[0]) if row else None

    def forecasts(self, film_id: int) -> list[PastForecast]:
        """Return the forecasts that were recorded for a film, the oldest first."""
        with self.opened() as database:
            rows = database.execute(
                "SELECT day, rating, low, high, version, half_width, errors FROM forecasts "
                "LEFT JOIN errors USING (version) WHERE film_id = ? ORDER BY day",
                (film_id,),
            )
            return [_past_forecast(*row) for row in rows]

    def errors(self, versions: Iterable[str]) -> dict[str, NormalisedErrors]:
        """Return the errors of model versions, as far as the ledger kept them, by version."""
        with self.opened() as database:
            rows = [
                database.execute("SELECT * FROM errors WHERE version = ?", (each,)).fetchone()
                for each in versions
            ]
        return {row[0]: NormalisedErrors.from_json(json.loads(row[1])) for row in rows if row}

    def photos(self, person_ids: Iterable[int], today: date) -> dict[int, str]:
        """Return TMDB's paths of the photos of people, by id; people without a photo are left out.

        Args:
            person_ids: TMDB's ids.
            today: Photos that were fetched more than 180 days before are left out.
        """
        oldest, found = (today - timedelta(KEPT_DAYS)).isoformat(), {}
        with self.opened() as database:
            for number in person_ids:
                row = database.execute(
                    "SELECT path FROM photos WHERE person_id = ? AND fetched_on >= ?",
                    (number, oldest),
                ).fetchone()
                if row:
                    found[number] = row[0]
        return found

    @contextmanager
    def opened(self) -> Iterator[sqlite3.Connection]:
        """Open the file for a query.

        Raises:
            CatalogueError: The file is damaged.
        """
        # `immutable`: SQLite then takes no locks, and needs no right to write into the folder.
        address = f"file:{quote(str(self._path))}?mode=ro&immutable=1"
        try:
            with closing(sqlite3.connect(address, uri=True)) as database:
                yield database
        except sqlite3.DatabaseError as error:
            raise CatalogueError("the film catalogue is damaged; publish it again") from error


def pack_facts(facts: Mapping[str, Any]) -> bytes:
    """Compress the facts about a film for the catalogue."""
    return pack(json.dumps(facts, ensure_ascii=False, separators=(",", ":")).encode())


def unpack_facts(packed: bytes) -> dict[str, Any]:
    """Restore the facts that `pack_facts` compressed."""
    facts: dict[str, Any] = json.loads(unpack(packed))
    return facts


def pack(raw: bytes) -> bytes:
    """Compress JSON for the catalogue."""
    return zlib.compress(raw)


def unpack(packed: bytes) -> bytes:
    """Restore the JSON that `pack` compressed."""
    # Not `zlib.decompress`: a few bytes can hold gigabytes.
    return zlib.decompressobj().decompress(packed, _MAX_BYTES)


def condition(today: date, status: Status | None) -> tuple[str, dict[str, Any]]:
    """Return the SQL condition for films that may be shown, and its values."""
    kept = {"today": today.isoformat(), "oldest": (today - timedelta(KEPT_DAYS)).isoformat()}
    states = {"upcoming": "release_date > :today", "released": "release_date <= :today"}
    return " AND ".join(["fetched_on >= :oldest", *([states[status]] if status else [])]), kept


def _listed(  # noqa: PLR0913, PLR0917 - the parts of one query
    database: sqlite3.Connection,
    where: str,
    values: Mapping[str, Any],
    status: Status | None,
    offset: int,
    limit: int,
) -> list[FoundFilm]:
    order = "release_date, number" if status == "upcoming" else "number"
    rows = database.execute(
        f"SELECT {FILM_COLUMNS} FROM films WHERE {where} ORDER BY {order} "  # noqa: S608
        "LIMIT :limit OFFSET :offset",
        {**values, "limit": limit, "offset": offset},
    )
    return [found_film(row) for row in rows]


def _matching(
    database: sqlite3.Connection, key: str, where: str, values: Mapping[str, Any]
) -> Iterator[FoundFilm]:
    """Yield the films with a title that contains the key, the best match first."""
    seen: set[int] = set()
    for query in (titles.is_exactly(key), titles.begins_with(key), titles.contains(key)):
        rows = database.execute(
            f"SELECT {FILM_COLUMNS} FROM titles JOIN films ON number = titles.rowid "  # noqa: S608
            f"WHERE titles MATCH :query AND {where} ORDER BY titles.rowid",
            {**values, "query": query},
        )
        for row in rows:
            if row[0] not in seen:
                seen.add(row[0])
                yield found_film(row)


def _similar(
    database: sqlite3.Connection, key: str, where: str, values: Mapping[str, Any]
) -> list[FoundFilm]:
    """Return the films with a title like the key, the most similar first."""
    terms = titles.terms_of(key)
    marks = ", ".join("?" * len(terms))
    rarest = database.execute(
        f"SELECT term FROM title_terms WHERE term IN ({marks}) ORDER BY doc LIMIT ?",  # noqa: S608
        (*terms, _RAREST_TERMS),
    )
    query = titles.has_two_of([term for (term,) in rarest])
    if not query:
        return []
    rows = database.execute(
        f"SELECT {FILM_COLUMNS} FROM titles JOIN films ON number = titles.rowid "  # noqa: S608
        f"WHERE titles MATCH :query AND {where} ORDER BY titles.rowid LIMIT :limit",
        {**values, "query": query, "limit": _CANDIDATES},
    )
    wanted = frozenset(terms)
    scored = [(_resemblance(wanted, film), film) for film in map(found_film, rows)]
    scored = [each for each in scored if each[0] >= _RESEMBLANCE]
    return [film for _, film in sorted(scored, key=lambda each: each[0], reverse=True)]


def _resemblance(wanted: frozenset[str], film: FoundFilm) -> float:
    names = filter(None, (film.title, film.original_title, film.korean_title))
    own = (frozenset(titles.terms_of(titles.title_key(name))) for name in names)
    return max(2 * len(wanted & terms) / (len(wanted) + len(terms)) for terms in own)


def _past_forecast(  # noqa: PLR0913, PLR0917 - the columns of the table
    day: str,
    rating: float,
    low: float,
    high: float,
    version: str,
    half_width: float | None,
    errors: str | None,
) -> PastForecast:
    distribution = None
    if half_width is not None and errors is not None:
        normalised = NormalisedErrors.from_json(json.loads(errors))
        distribution = RatingDistributions(rating, half_width, normalised)
    return PastForecast(date.fromisoformat(day), rating, low, high, version, distribution)


def found_film(row: Sequence[Any]) -> FoundFilm:
    """Convert a row with the columns `FILM_COLUMNS`."""
    film_id, title, original, korean, released, *others = row
    return FoundFilm(film_id, title, original, korean, date.fromisoformat(released), *others)
