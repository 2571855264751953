"""Bring the film store up to date with TMDB, and write what came in to `movies_{date}.csv`."""

import csv
import logging
from collections.abc import Iterable
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from typing import Final

from movierating.errors import ExplainedError
from movierating.settings import PipelineSettings, pipeline_settings
from scripts.runtime.cli import run, step_parser
from scripts.runtime.clock import past_or_today, today
from scripts.runtime.progress import progress
from scripts.runtime.run_files import RunFiles
from scripts.runtime.storage import (
    DataPath,
    atomic_write,
    check_writable,
    data_folder,
    read_json,
    write_json,
)
from scripts.store.film_store import FilmStore, film_source, film_store
from scripts.store.index import Index, days_since_1970
from scripts.store.schema import FIELDS, FilmRecord
from scripts.tmdb.client import Tmdb
from scripts.tmdb.ingest import Ingestion
from scripts.tmdb.refresh import FIRST_FILMS, KEEP_DAYS, due, first_films

logger = logging.getLogger(__name__)

LONGEST_CACHE: Final = timedelta(days=KEEP_DAYS)
_CHANGES: Final = "changes.json"  # beside the films: up to which day their changes are known


class NothingCollectedError(ExplainedError, RuntimeError):
    """There is no film, neither from TMDB nor in the store."""


def collect(run_date: date, settings: PipelineSettings) -> DataPath:
    """Bring the store up to date, and write what this run brought in; once there, that stays.

    TMDB knows only the present. A run for a day before yesterday asks it nothing and works with
    what the store holds; it may have been there on that day.

    Returns:
        The file, one row a film, nested fields as JSON.

    Raises:
        TmdbError: TMDB refuses or stays away. What had come until then is in the store.
        BadAnswersError: Too many answers are bad.
        NothingCollectedError: There is no film.
        DataFileError: The folder cannot be written.
        StoreCorruptError: A file of the store is damaged.
    """
    files = RunFiles(data_folder(settings), run_date)
    asked = {"source": film_source(settings), "max_films": settings.collect_max_films}
    if _has_snapshot(files, asked):
        logger.info("%s is there already; keeping it", files.collected)
        return files.collected
    check_writable(files.folder)
    store = film_store(settings)
    ingestion = Ingestion(store, run_date, run_date, settings.collect_max_bad_share)
    if today() - run_date <= timedelta(days=1):  # a run may go on past midnight
        with Tmdb(settings, workers=settings.collect_workers) as tmdb:
            purge_expired(files.folder, tmdb.server_time())
            bring_in(tmdb, ingestion, run_date, settings.collect_max_films)
        store.compact()
    if store.is_empty():
        raise NothingCollectedError(
            f"there is no film for {run_date}; check TMDB_BASE_URL, or run for today first"
        )
    files.collect_report.unlink(missing_ok=True)
    brought_in = (row for films in store.films(run_date) for row in films.to_pylist())
    count = write_films(files.collected, brought_in)
    found = {"films": count, "gone": ingestion.gone, "validation": ingestion.report.as_json()}
    write_json(files.collect_report, asked | found)
    logger.info("%s films in %s; bad: %s", count, files.collected, ingestion.report.bad)
    return files.collected


def bring_in(tmdb: Tmdb, ingestion: Ingestion, run_date: date, max_films: int | None) -> None:
    """Fetch what is due into the store, and purge what TMDB's terms do not allow to keep.

    Raises as `collect`.
    """
    now, store = tmdb.server_time(), ingestion.store
    index = store.index()
    # What an earlier try of this run has brought in.
    done = set(index.ids[index.run_day == days_since_1970(run_date)].tolist())
    if len(index) == len(done):
        first = first_films(tmdb, run_date, max_films or FIRST_FILMS)
        wanted = [film_id for film_id in first if film_id not in done]
    else:
        wanted = due(tmdb, index, _changes_known_until(store, index), now)
    del index  # of a million films it takes its room beside what the purge needs
    chosen = wanted if max_films is None else wanted[: max(0, max_films - len(done))]
    try:
        with progress(len(chosen)) as bar, closing(tmdb.details(chosen)) as answers:
            for kept in ingestion.add(answers):
                bar.update(len(kept))
    finally:  # after the refresh, which saves what is about to expire; and whether it went well
        store.purge(now - LONGEST_CACHE)
    if waiting := len(wanted) - len(chosen):
        logger.warning("%s films wait for the next run; raise COLLECT_MAX_FILMS", waiting)
    else:
        write_json(store.folder / _CHANGES, {"known_until": now.date().isoformat()})


def purge_expired(folder: DataPath, now: datetime) -> None:
    """Delete TMDB's content that was written longer ago than its terms allow to keep it."""
    for path in [*folder.glob("movies_*"), *folder.glob(".movies_*")]:
        if now.timestamp() - path.stat().st_mtime > LONGEST_CACHE.total_seconds():
            path.unlink(missing_ok=True)
            logger.info("%s is over %s days old and was deleted", path, LONGEST_CACHE.days)


def write_films(path: DataPath, films: Iterable[FilmRecord]) -> int:
    """Write films as CSV that spreadsheets open as UTF-8, whole or not at all.

    Returns:
        How many.
    """
    with (
        atomic_write(path) as partial,
        partial.open("w", encoding="utf-8-sig", newline="") as stream,
    ):
        # Text goes into quotes: a bare carriage return in a plot would else end its row.
        writer = csv.DictWriter(
            stream, FIELDS, extrasaction="ignore", quoting=csv.QUOTE_NONNUMERIC, lineterminator="\n"
        )
        writer.writeheader()
        return sum(1 for film in films if writer.writerow(film))


def _changes_known_until(store: FilmStore, index: Index) -> date:
    path = store.folder / _CHANGES
    if path.exists():
        return date.fromisoformat(read_json(path)["known_until"])
    return datetime.fromtimestamp(int(index.fetched_at.min()) / 1000, UTC).date()


def _has_snapshot(files: RunFiles, asked: FilmRecord) -> bool:
    if not (files.collected.exists() and files.collect_report.exists()):
        return False
    return bool(asked.items() <= read_json(files.collect_report).items())


def main(argv: list[str] | None = None) -> int:
    """Collect from the command line."""
    arguments = step_parser(__doc__).parse_args(argv)
    return run(lambda: collect(past_or_today(arguments.date or today()), pipeline_settings()))


if __name__ == "__main__":
    raise SystemExit(main())
