"""Update the film store from TMDB, and write the films fetched to `movies_{date}.csv`."""

import logging
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

from movierating.errors import ExplainedError
from movierating.settings import PipelineSettings, pipeline_settings
from scripts.runtime.cli import run, step_parser
from scripts.runtime.clock import past_or_today, today
from scripts.runtime.progress import progress
from scripts.runtime.retention import delete_expired_films
from scripts.runtime.run_files import RunFiles
from scripts.runtime.storage import DataPath, check_writable, data_folder, read_json, write_json
from scripts.store.film_csv import write_films
from scripts.store.film_store import FilmStore, film_source, film_store
from scripts.store.index import Index, days_since_1970
from scripts.tmdb.client import Tmdb
from scripts.tmdb.ingest import Ingestion
from scripts.tmdb.refresh import FIRST_FILMS, KEEP_DAYS, due, first_films

logger = logging.getLogger(__name__)

LONGEST_CACHE: Final = timedelta(days=KEEP_DAYS)
_CHANGES: Final = "changes.json"  # beside the store: the day up to which changes were read


class NothingCollectedError(ExplainedError, RuntimeError):
    """Neither TMDB nor the store has a film."""


def collect(run_date: date, settings: PipelineSettings) -> DataPath:
    """Update the store, and write the films fetched by this run; a complete run is not repeated.

    TMDB only knows the present. So a run for a day before yesterday sends no request, and works
    with the films in the store, which may have been fetched on that day.

    Returns:
        The CSV file, one row per film, with nested fields as JSON text.

    Raises:
        TmdbError: TMDB refuses or is unavailable. The films fetched until then are in the store.
        BadAnswersError: Too many records are bad.
        NothingCollectedError: The store has no films.
        DataFileError: The folder cannot be written.
        StoreCorruptError: A file of the store is damaged.
    """
    files = RunFiles(data_folder(settings), run_date)
    origin = {"source": film_source(settings), "max_films": settings.collect_max_films}
    if _is_complete(files, origin):
        logger.info("keeping %s, which exists already", files.collected)
        return files.collected
    check_writable(files.folder)
    store = film_store(settings)
    ingestion = Ingestion(store, run_date, run_date, settings.collect_max_bad_share)
    if today() - run_date <= timedelta(days=1):  # yesterday too: a run may go on past midnight
        with Tmdb(settings, workers=settings.collect_workers) as tmdb:
            delete_expired_films(files.folder, tmdb.server_time(), LONGEST_CACHE)
            refresh_store(tmdb, ingestion, run_date, settings.collect_max_films)
        store.compact()
    if store.is_empty():
        raise NothingCollectedError(
            f"there is no film for {run_date}; check TMDB_BASE_URL, or run for today first"
        )
    # The report marks the run as complete, so an old one goes before the films are replaced.
    files.collect_report.unlink(missing_ok=True)
    fetched = (row for films in store.films(run_date) for row in films.to_pylist())
    count = write_films(files.collected, fetched)
    result = {"films": count, "gone": ingestion.gone, "validation": ingestion.report.as_json()}
    write_json(files.collect_report, origin | result)
    logger.info("%s films in %s; bad: %s", count, files.collected, ingestion.report.bad)
    return files.collected


def refresh_store(tmdb: Tmdb, ingestion: Ingestion, run_date: date, max_films: int | None) -> None:
    """Fetch the films that are due, and delete the films that TMDB's terms do not allow to keep.

    Raises as `collect`.
    """
    now, store = tmdb.server_time(), ingestion.store
    index = store.index()
    # An earlier attempt of this run may have fetched some films.
    done = set(index.ids[index.run_day == days_since_1970(run_date)].tolist())
    if len(index) == len(done):
        first = first_films(tmdb, run_date, max_films or FIRST_FILMS)
        wanted = [film_id for film_id in first if film_id not in done]
    else:
        wanted = due(tmdb, index, _changes_known_until(store, index), now)
    del index  # frees its memory (large for a million films) for the purge
    chosen = wanted if max_films is None else wanted[: max(0, max_films - len(done))]
    try:
        with progress(len(chosen)) as bar, closing(tmdb.details(chosen)) as answers:
            for kept in ingestion.add(answers):
                bar.update(len(kept))
    finally:
        # After the refresh, which saves films that are about to expire; also if it failed, because
        # TMDB's terms make no exception.
        store.purge(now - LONGEST_CACHE)
    if waiting := len(wanted) - len(chosen):
        logger.warning("%s films wait for the next run; raise COLLECT_MAX_FILMS", waiting)
    else:
        write_json(store.folder / _CHANGES, {"known_until": now.date().isoformat()})


def _changes_known_until(store: FilmStore, index: Index) -> date:
    """The day up to which TMDB's changes were read; at first that of the oldest record."""
    path = store.folder / _CHANGES
    if path.exists():
        return date.fromisoformat(read_json(path)["known_until"])
    return datetime.fromtimestamp(int(index.fetched_at.min()) / 1000, UTC).date()


def _is_complete(files: RunFiles, origin: dict[str, Any]) -> bool:
    """Whether the run has ended before, with the same source and limit."""
    if not (files.collected.exists() and files.collect_report.exists()):
        return False
    return bool(origin.items() <= read_json(files.collect_report).items())


def main(argv: list[str] | None = None) -> int:
    """Collect from the command line."""
    arguments = step_parser(__doc__).parse_args(argv)
    return run(lambda: collect(past_or_today(arguments.date or today()), pipeline_settings()))


if __name__ == "__main__":
    raise SystemExit(main())
