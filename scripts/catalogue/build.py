"""Write the film catalogue's file: films, titles, facts and forecasts."""

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Final, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from movierating.catalogue.films import FORMAT, SCHEMA, pack, pack_facts
from movierating.catalogue.titles import index_text
from movierating.films import tmdb
from movierating.films.film import Film
from movierating.ledger.records import Forecast, Score, VersionErrors, last_before_release
from scripts.dataset.eligibility import is_eligible
from scripts.store.film_store import FilmStore
from scripts.store.parsing import korean_plots, korean_titles, parse_film, to_frame
from scripts.store.people import PeopleStore

MIN_VOTES: Final = 10  # of a released film in the catalogue
RECENT_DAYS: Final = 90  # since the release; until then, a film needs no votes
_BATCH: Final = 500  # films that are converted at a time
FORECAST_DAYS: Final = 400  # how long before the day forecasts are listed

# The films wait in this table, because their numbers follow from the order of all of them.
_UNORDERED: Final = """
    CREATE TEMP TABLE unordered (
        film_id, title, original_title, korean_title, release_date, poster_path, votes, rating,
        fetched_on, facts, terms, is_upcoming, popularity
    )
"""
_ORDERED: Final = """
    INSERT INTO films
        SELECT row_number() OVER (
            ORDER BY is_upcoming DESC, CASE WHEN is_upcoming THEN popularity ELSE votes END DESC,
            film_id
        ), film_id, title, original_title, korean_title, release_date, poster_path, votes, rating,
        fetched_on, facts
        FROM unordered
"""
_INDEXED: Final = """
    INSERT INTO titles (rowid, terms)
        SELECT number, terms FROM films JOIN unordered USING (film_id) ORDER BY number
"""
_COLUMNS: Final = (
    "title",
    "original_title",
    "poster_path",
    "vote_count",
    "vote_average",
    "fetched_at",
    "popularity",
    "release_date",
)


class Recorded(NamedTuple):
    """What the forecast ledger has about the films.

    Attributes:
        forecasts: The forecasts of the last `FORECAST_DAYS` days, the oldest first.
        scores: One score for each film that has been scored.
        errors: Returns the errors of a model version; None if the ledger does not have them.
    """

    forecasts: Iterable[Forecast]
    scores: Iterable[Score]
    errors: Callable[[str], VersionErrors | None]


def write_catalogue(
    path: Path, store: FilmStore, recorded: Recorded, day: date, votes_to_score: int
) -> int:
    """Write a catalogue of the films to come, the recent ones, and those with enough votes.

    Films are read and written one after the other, so memory does not grow with their number.

    Args:
        path: The file to write; it must not exist.
        store: The film store.
        recorded: What the forecast ledger has about the films.
        day: The day of the run. Only records and votes that were known on it are used.
        votes_to_score: A forecast is compared with the rating at this number of votes.

    Returns:
        The number of films.
    """
    # Nobody reads the file before it is complete, so it needs no protection against a crash.
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        database.executescript("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;" + SCHEMA)
        database.execute("BEGIN")
        count = _write_films(database, store, day)
        written = _write_forecasts(database, recorded.forecasts)
        _write_record(database, written, recorded.scores, day)
        _write_errors(database, recorded)
        _write_photos(database, PeopleStore(store.folder))
        about = {
            "format": FORMAT,
            "source": store.folder.name,
            "as_of": day.isoformat(),
            "films": count,
            "votes_to_score": votes_to_score,
        }
        database.executemany("INSERT INTO about VALUES (?, ?)", about.items())
        database.execute("INSERT INTO titles(titles) VALUES ('optimize')")
        database.execute("COMMIT")
    return count


def in_catalogue(day: date) -> pc.Expression:
    """Build the filter for the films of a day's catalogue."""
    opens, votes = pc.field("release_date"), pc.field("vote_count")
    is_new = opens > day - timedelta(RECENT_DAYS)
    return (is_new | (votes >= MIN_VOTES)) & is_eligible() & opens.is_valid()


def facts_of(film: Film, korean_plot: str | None) -> dict[str, Any]:
    """Return the known facts about a film by the names of the fields of `POST /predict`.

    A film without an English plot gets its Korean one.
    """
    plot = film.plot.text if film.plot else korean_plot
    facts = {
        "title": film.title,
        "overview": plot,
        "genres": film.genres,
        "language": film.original_language,
        "runtime": film.runtime_minutes,
        "release_date": film.release_date.isoformat() if film.release_date else None,
        "budget": film.budget_usd,
        "directors": tuple(map(tmdb.to_json, film.directors)),
        "writers": tuple(map(tmdb.to_json, film.writers)),
        "cast": tuple(map(tmdb.to_json, film.cast)),
        "companies": tuple(map(tmdb.to_json, film.companies)),
        "collection": tmdb.to_json(film.franchise) if film.franchise else None,
        "keywords": tuple(map(tmdb.to_json, film.keywords)),
        "countries": film.countries,
    }
    return {name: value for name, value in facts.items() if value not in (None, ())}


def _write_films(database: sqlite3.Connection, store: FilmStore, day: date) -> int:
    database.execute(_UNORDERED)
    for films in _batches(store.as_of(day)):
        rows = _rows(films.filter(in_catalogue(day)), day)
        database.executemany(f"INSERT INTO unordered VALUES ({', '.join('?' * 13)})", rows)  # noqa: S608
    database.execute("CREATE INDEX temp.unordered_by_id ON unordered (film_id)")
    count = database.execute(_ORDERED).rowcount
    database.execute(_INDEXED)
    database.execute("DROP TABLE unordered")
    return count


def _batches(tables: Iterable[pa.Table]) -> Iterator[pa.Table]:
    """Split tables into small ones, because Python's objects need much more memory than a table."""
    for table in tables:
        yield from (table.slice(start, _BATCH) for start in range(0, len(table), _BATCH))


def _rows(films: pa.Table, day: date) -> Iterator[tuple[Any, ...]]:
    """Yield the rows of the table `unordered` for some films."""
    facts = to_frame(films).to_dict("records")
    others = films.select(_COLUMNS).to_pylist()
    plots, titles = korean_plots(films), korean_titles(films)
    for row, other, plot, korean in zip(facts, others, plots, titles, strict=True):
        names = (other["title"] or None, other["original_title"] or None, korean)
        votes = other["vote_count"] or 0
        yield (
            int(row["id"]),
            *names,
            other["release_date"].isoformat(),
            other["poster_path"] or None,
            votes,
            other["vote_average"] if votes else None,
            other["fetched_at"].date().isoformat(),
            pack_facts(facts_of(parse_film(row), plot)),
            index_text(filter(None, names)),
            other["release_date"] > day,
            other["popularity"] or 0.0,
        )


def _write_forecasts(
    database: sqlite3.Connection, forecasts: Iterable[Forecast]
) -> Iterator[Forecast]:
    """Write the last forecast of each day for the films of the catalogue, and pass them on."""
    known = {film_id for (film_id,) in database.execute("SELECT film_id FROM films")}
    for each in forecasts:
        if each.film_id in known:
            database.execute(
                "INSERT OR REPLACE INTO forecasts VALUES (?, ?, ?, ?, ?, ?, ?)",
                (
                    each.film_id,
                    each.day.isoformat(),
                    each.rating,
                    each.low,
                    each.high,
                    each.version,
                    each.distribution.half_width if each.distribution else None,
                ),
            )
            yield each


def _write_errors(database: sqlite3.Connection, recorded: Recorded) -> None:
    """Write the errors of the model versions that made the forecasts of the catalogue."""
    versions = [each for (each,) in database.execute("SELECT DISTINCT version FROM forecasts")]
    errors = ((each, recorded.errors(each)) for each in versions)
    database.executemany(
        "INSERT INTO errors VALUES (?, ?)",
        ((version, found.model_dump_json()) for version, found in errors if found),
    )


def _write_record(
    database: sqlite3.Connection,
    forecasts: Iterable[Forecast],
    scores: Iterable[Score],
    day: date,
) -> None:
    """Write the last forecast before the release, and the score, of each released film."""
    newest = last_before_release(forecasts, _release_dates(database, day))
    by_film = {each.film_id: pack(each.model_dump_json().encode()) for each in scores}
    database.executemany(
        "INSERT INTO record VALUES (?, ?, ?)",
        (
            (film_id, pack(each.model_dump_json().encode()), by_film.get(film_id))
            for film_id, each in newest.items()
        ),
    )


def _release_dates(database: sqlite3.Connection, day: date) -> Mapping[int, date]:
    """Return the release date of each film that has been released by a day, by film id."""
    rows = database.execute(
        "SELECT film_id, release_date FROM films WHERE release_date <= ?", (day.isoformat(),)
    )
    return {film_id: date.fromisoformat(released) for film_id, released in rows}


def _write_photos(database: sqlite3.Connection, people: PeopleStore) -> None:
    database.executemany(
        "INSERT INTO photos VALUES (?, ?, ?)",
        (
            (person.id, person.profile_path, person.fetched_at.date().isoformat())
            for person in people.read().values()
            if person.profile_path
        ),
    )
