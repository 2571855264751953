"""Read from the film catalogue the released films that were forecast before their release.

A record is the film, its last forecast before the release, and its newest score if it has one. The
records cover the films whose forecast is at most 400 days old.
"""

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final, Literal

from movierating.catalogue import titles
from movierating.catalogue.films import (
    FILM_COLUMNS,
    FilmCatalogue,
    FoundFilm,
    condition,
    found_film,
    unpack,
)

# Whether the last forecast of a film was compared with its rating (`scored`), or is not yet.
State = Literal["waiting", "scored"]

_RECORDS: Final = "record JOIN films USING (film_id)"
_ORDERS: Final[Mapping[State | None, str]] = {
    None: "release_date DESC, number",
    "scored": "release_date DESC, number",
    "waiting": "votes DESC, release_date, number",  # the next to be scored first
}


@dataclass(frozen=True)
class FilmRecord:
    """A released film with its last forecast before the release.

    Attributes:
        film: The film, with its rating so far.
        forecast: The forecast, as the ledger's JSON.
        score: The film's newest score with enough votes, as the ledger's JSON; None if it has none.
    """

    film: FoundFilm
    forecast: bytes
    score: bytes | None


def released_between(
    catalogue: FilmCatalogue, first: date, last: date, today: date
) -> list[FilmRecord]:
    """Return the films released from one day to another, both included, the earliest first."""
    where, values = condition(today, "released")
    between = f"{where} AND release_date BETWEEN :first AND :last"
    days = {"first": first.isoformat(), "last": last.isoformat()}
    with catalogue.opened() as database:
        return _records(database, between, values | days, "release_date, number")


def find(  # noqa: PLR0913, PLR0917 - what selects the films
    catalogue: FilmCatalogue,
    text: str,
    today: date,
    state: State | None = None,
    offset: int = 0,
    limit: int = 20,
) -> tuple[list[FilmRecord], int]:
    """Find films by a part of any of their titles, or by TMDB's id; without a text, list all.

    Films that wait for votes are sorted by their number of votes, the most first. All others are
    sorted by release date, the newest first.

    Args:
        catalogue: The catalogue.
        text: Part of a title in any script, or an id.
        today: Films with a later release have no record yet.
        state: Only films that were scored, or only films that wait for it.
        offset: How many films to skip.
        limit: The largest number of films to return.

    Returns:
        The films, and the number of all films that match.
    """
    where, values = _matching(text, today, state)
    page = values | {"limit": limit, "offset": offset}
    with catalogue.opened() as database:
        (total,) = database.execute(
            f"SELECT count(*) FROM {_RECORDS} WHERE {where}",  # noqa: S608
            values,
        ).fetchone()
        order = f"{_ORDERS[state]} LIMIT :limit OFFSET :offset"
        return _records(database, where, page, order), total


def first_release_since(catalogue: FilmCatalogue, day: date, today: date) -> date | None:
    """Return the earliest release on a day or later of a film with a record; None without one."""
    where, values = condition(today, "released")
    with catalogue.opened() as database:
        (found,) = database.execute(
            f"SELECT min(release_date) FROM {_RECORDS} "  # noqa: S608
            f"WHERE {where} AND release_date >= :first",
            values | {"first": day.isoformat()},
        ).fetchone()
    return date.fromisoformat(found) if found else None


def _matching(text: str, today: date, state: State | None) -> tuple[str, dict[str, Any]]:
    """Return the SQL condition for the films of a search, and its values."""
    where, values = condition(today, "released")
    if state:
        where += f" AND score IS {'NOT ' if state == 'scored' else ''}NULL"
    if not text.strip():
        return where, values
    key, number = titles.title_key(text), titles.film_id(text)
    named = "number IN (SELECT rowid FROM titles WHERE titles MATCH :query)" if key else "0"
    query = {"query": titles.contains(key)} if key else {}
    return f"{where} AND ({named} OR film_id = :id)", values | query | {"id": number}


def _records(
    database: sqlite3.Connection, where: str, values: Mapping[str, Any], order: str
) -> list[FilmRecord]:
    rows = database.execute(
        f"SELECT {FILM_COLUMNS}, forecast, score FROM {_RECORDS} "  # noqa: S608
        f"WHERE {where} ORDER BY {order}",
        values,
    )
    return [
        FilmRecord(found_film(film), unpack(forecast), unpack(score) if score else None)
        for *film, forecast, score in rows
    ]
