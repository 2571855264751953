"""Collect films from TMDB into `movies_{date}.csv`: what is popular, and what opened lately."""

import csv
import json
import logging
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlparse

from movierating.errors import ExplainedError
from movierating.settings import Settings, get_settings
from scripts.cli import run, step_parser
from scripts.dates import past_or_today, today
from scripts.files import RunFiles, check_writable, read_json, replacing, write_json
from scripts.tmdb import MAX_PAGE, PAGE_SIZE, Tmdb

logger = logging.getLogger(__name__)

# The 26 fields of TMDB's /movie/{id}, in its order.
FIELDS: Final = (
    "adult",
    "backdrop_path",
    "belongs_to_collection",
    "budget",
    "genres",
    "homepage",
    "id",
    "imdb_id",
    "origin_country",
    "original_language",
    "original_title",
    "overview",
    "popularity",
    "poster_path",
    "production_companies",
    "production_countries",
    "release_date",
    "revenue",
    "runtime",
    "spoken_languages",
    "status",
    "tagline",
    "title",
    "video",
    "vote_average",
    "vote_count",
)
POPULAR_SHARE: Final = 0.2  # of the films; the rest are the newest with enough votes
MIN_VOTES: Final = 50
LONGEST_CACHE: Final = timedelta(days=180)  # TMDB's terms: six months
_PROGRESS_EVERY: Final = 250


class NothingCollectedError(ExplainedError, RuntimeError):
    """TMDB answered, but without any film."""


def collect(run_date: date, settings: Settings) -> Path:
    """Write the run's films; a snapshot already taken for the same date and source stays.

    Returns:
        The file, one row a film, nested fields as JSON.

    Raises:
        TmdbError: TMDB refuses or stays away.
        NothingCollectedError: There was no film.
        DataFileError: The folder cannot be written.
    """
    files = RunFiles(settings.data_path, run_date)
    purge_expired(files.folder, datetime.now(UTC))
    source = _source(settings)
    if _has_snapshot(files, source):
        logger.info("%s is there already; keeping it", files.raw)
        return files.raw
    check_writable(files.folder)
    with Tmdb(settings) as tmdb:
        ids = list(film_ids(tmdb, run_date, settings.collect_max_films))
        films = list(_with_progress(tmdb.details(ids), len(ids)))
    if not films:
        raise NothingCollectedError(
            "TMDB answered without any film; check TMDB_BASE_URL and the date of the run"
        )
    files.source.unlink(missing_ok=True)
    write_films(files.raw, films)
    write_json(files.source, source | {"films": len(films), "at": datetime.now(UTC).isoformat()})
    logger.info("%s films in %s", len(films), files.raw)
    return files.raw


def purge_expired(folder: Path, now: datetime) -> None:
    """Delete TMDB's content that was written longer ago than its terms allow to keep it."""
    for path in [*folder.glob("movies_*"), *folder.glob(".movies_*")]:
        if now.timestamp() - path.stat().st_mtime > LONGEST_CACHE.total_seconds():
            path.unlink()
            logger.info("%s is over %s days old and was deleted", path, LONGEST_CACHE.days)


def film_ids(tmdb: Tmdb, run_date: date, limit: int) -> Iterator[int]:
    """Ids of popular films, then of the newest films with enough votes; each once."""
    popular = islice(tmdb.pages("/movie/popular"), max(1, round(limit * POPULAR_SHARE)))
    seen: set[int] = set()
    for source in (popular, newest_rated(tmdb, run_date)):
        for film in source:
            if len(seen) >= limit:
                return
            if film["id"] not in seen:
                seen.add(film["id"])
                yield film["id"]


def newest_rated(tmdb: Tmdb, until: date) -> Iterator[dict[str, Any]]:
    """Rated films from `until` backwards; past TMDB's last page it goes on by date."""
    while True:
        count, last = 0, until
        query: dict[str, str | int] = {
            "sort_by": "primary_release_date.desc",
            "primary_release_date.lte": until.isoformat(),
            "vote_count.gte": MIN_VOTES,
        }
        for film in tmdb.pages("/discover/movie", **query):
            count, last = count + 1, _opened(film) or last
            yield film
        if count < MAX_PAGE * PAGE_SIZE or last == until:
            return
        until = last


def _opened(film: dict[str, Any]) -> date | None:
    try:
        return date.fromisoformat(film["release_date"])
    except (KeyError, TypeError, ValueError):
        return None


def write_films(path: Path, films: Iterable[dict[str, Any]]) -> None:
    """Write films as CSV that spreadsheets open as UTF-8, whole or not at all."""
    import pandas as pd

    rows = [{name: _cell(film.get(name)) for name in FIELDS} for film in films]
    frame = pd.DataFrame(rows, columns=list(FIELDS))
    with replacing(path) as partial:
        # Text goes into quotes: a bare carriage return in a plot would else end its row.
        frame.to_csv(partial, index=False, encoding="utf-8-sig", quoting=csv.QUOTE_NONNUMERIC)


def _source(settings: Settings) -> dict[str, Any]:
    return {
        "tmdb": urlparse(settings.tmdb_base_url).hostname,
        "catalogue": settings.tmdb_catalogue,
        "max_films": settings.collect_max_films,
    }


def _has_snapshot(files: RunFiles, source: dict[str, Any]) -> bool:
    if not (files.raw.exists() and files.source.exists()):
        return False
    return bool(source.items() <= read_json(files.source).items())


def _with_progress(films: Iterable[dict[str, Any]], total: int) -> Iterator[dict[str, Any]]:
    for count, film in enumerate(films, start=1):
        if count % _PROGRESS_EVERY == 0:
            logger.info("%s of %s films", count, total)
        yield film


def _cell(value: Any) -> Any:
    return json.dumps(value, ensure_ascii=False) if isinstance(value, list | dict) else value


def main(argv: list[str] | None = None) -> int:
    """Collect from the command line."""
    arguments = step_parser(__doc__).parse_args(argv)
    return run(lambda: collect(past_or_today(arguments.date or today()), get_settings()))


if __name__ == "__main__":
    raise SystemExit(main())
