"""Films in TMDB's JSON format, and film stores that contain them."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final

import pyarrow as pa

from movierating.films.source import TMDB
from movierating.settings import Settings
from scripts.runtime.run_files import RunFiles
from scripts.runtime.storage import data_folder, write_json
from scripts.store.film_csv import write_films
from scripts.store.film_store import FilmStore, film_store
from scripts.store.schema import film_record
from scripts.tmdb.validation import ValidationReport, validate_records
from tests.support.bundles import RUN_DATE

FILM: Final[dict[str, Any]] = {
    "adult": False,
    "backdrop_path": None,
    "belongs_to_collection": None,
    "budget": 5_000_000,
    "genres": [{"id": 80, "name": "Crime"}, {"id": 18, "name": "Drama"}],
    "homepage": "",
    "id": 1,
    "imdb_id": None,
    "origin_country": ["KR"],
    "original_language": "ko",
    "original_title": "등불",
    "overview": "A wonderful tale of a lantern.",
    "popularity": 3.5,
    "poster_path": None,
    "production_companies": [{"id": 7, "name": "Lantern Films", "origin_country": "KR"}],
    "production_countries": [{"iso_3166_1": "KR", "name": "South Korea"}],
    "release_date": "2026-10-01",
    "revenue": 7_000_000,
    "runtime": 101,
    "spoken_languages": [{"iso_639_1": "ko", "name": "한국어"}],
    "status": "Released",
    "tagline": "",
    "title": "The Lantern",
    "video": False,
    "vote_average": 7.25,
    "vote_count": 60,
    "credits": {"cast": [{"id": 3, "name": "Kim", "order": 0}], "crew": []},
    "keywords": {"keywords": [{"id": 5, "name": "lantern"}]},
    "release_dates": {"results": []},
    "translations": {"translations": []},
}


def moment(day: date = RUN_DATE, hour: int = 12) -> datetime:
    """Return a time in UTC: the full hour on the given day."""
    return datetime.combine(day, time(hour), UTC)


def columns(
    *films: dict[str, Any], day: date = RUN_DATE, run_date: date | None = None, hour: int = 12
) -> pa.Table:
    """Create rows for the film store, as if the films were fetched on `day`.

    Args:
        films: Per film, the fields that differ from `FILM`, in TMDB's format.
        day: The day of the fetch.
        run_date: The pipeline run that fetched them; None for none.
        hour: The hour of the fetch, in UTC.
    """
    records = [film_record(FILM | film, moment(day, hour), run_date) for film in films]
    return validate_records(records, day, ValidationReport())


def unreleased_film(
    film_id: int, release_date: date = RUN_DATE + timedelta(30), **others: Any
) -> dict[str, Any]:
    """Create a film without votes; by default it is released 30 days after `RUN_DATE`."""
    votes = {"vote_count": 0, "vote_average": 0.0}
    return {"id": film_id, "release_date": release_date.isoformat()} | votes | others


def releases(*dates: tuple[str | None, int, str]) -> dict[str, Any]:
    """Create the part `release_dates` of a TMDB response from (country, type, date) per release."""
    return {
        "results": [
            {
                "iso_3166_1": country,
                "release_dates": [
                    {"certification": "", "release_date": f"{day}T00:00:00.000Z", "type": kind}
                ],
            }
            for country, kind, day in dates
        ]
    }


def tmdb_store(settings: Settings) -> FilmStore:
    """Open the store of TMDB's films, on which the bundles of `bundles.pack` were trained."""
    return film_store(settings, TMDB)


def stored(store: FilmStore) -> dict[int, dict[str, Any]]:
    """Return all rows of a film store by film id."""
    rows = [row for table in store.films() for row in table.to_pylist()]
    assert len({row["id"] for row in rows}) == len(rows)
    return {row["id"]: row for row in rows}


def collected(settings: Settings, *films: dict[str, Any], day: date = RUN_DATE) -> None:
    """Write the files that the collect step of `RUN_DATE` writes if it fetched `films` on `day`."""
    tmdb_store(settings).add(columns(*films, day=day, run_date=RUN_DATE))
    files = RunFiles(data_folder(settings), RUN_DATE)
    write_films(files.collected, films)
    write_json(files.collect_report, {"source": TMDB, "validation": ValidationReport().as_json()})


def remember(store: FilmStore, day: date) -> None:
    """Add an earlier record of each film to the store, as if it had been fetched on `day`.

    The facts and the votes are the same as in the newest record."""
    for table in store.films():
        rows = [
            row
            | {
                "fetched_at": moment(day),
                "run_date": None,
                "votes": [vote | {"date": day} for vote in row["votes"][-1:]],
            }
            for row in table.to_pylist()
        ]
        store.add(pa.Table.from_pylist(rows, schema=table.schema))
