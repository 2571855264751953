"""Update the film store from TMDB, and write the fetched films to `movies_{date}.csv`."""

import logging
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

from movierating.errors import ExplainedError
from movierating.films.source import describe
from movierating.settings import PipelineSettings, pipeline_settings
from scripts.runtime.cli import run, step_parser
from scripts.runtime.clock import past_or_today, today
from scripts.runtime.progress import progress
from scripts.runtime.retention import delete_expired_films
from scripts.runtime.run_files import RunFiles
from scripts.runtime.storage import DataPath, check_writable, data_folder, read_json, write_json
from scripts.store.film_csv import write_films
from scripts.store.film_store import FilmStore, film_store, other_sources
from scripts.store.index import Index, days_since_1970
from scripts.store.people import PeopleStore
from scripts.tmdb.client import Tmdb
from scripts.tmdb.failures import FailingFilms, named
from scripts.tmdb.ingest import Ingestion
from scripts.tmdb.refresh import FIRST_FILMS, KEEP_DAYS, due, first_films
from scripts.tmdb.source import film_source

logger = logging.getLogger(__name__)

LONGEST_CACHE: Final = timedelta(days=KEEP_DAYS)
_LONGEST_REREADING: Final = timedelta(days=14)  # of changes on pages that TMDB cannot send
_CHANGES: Final = "changes.json"  # in the store's folder: until when TMDB's change lists were read


class NothingCollectedError(ExplainedError, RuntimeError):
    """The store is empty after collecting, so there are no films to train on."""


def collect(run_date: date, settings: PipelineSettings) -> DataPath:
    """Update the film store from TMDB, and write the films that this run fetched to a CSV file.

    If this step was already completed for the run date with films of the same source, this function
    does nothing. TMDB gives only today's ratings. So if the run date is before yesterday, no film
    is requested. The CSV file then contains the films that an earlier run for this date has stored,
    if there was one. Films of different sources, such as TMDB and a local imitation of TMDB, are in
    different stores.

    Returns:
        The path of the CSV file: one row per film, with nested fields as JSON text.

    Raises:
        TmdbError: TMDB refuses the requests or is unavailable. The films that were fetched before
            are stored.
        SettingsError: TMDB_CATALOGUE is set, and TMDB_BASE_URL serves other films.
        BadAnswersError: Too many records are bad.
        TooManyFailuresError: TMDB cannot send too many of the films.
        TooManyFailedPagesError: TMDB cannot send too many pages of its lists.
        TooManyDeletedError: TMDB says of too many films of the store that they do not exist.
        NothingCollectedError: The store has no films.
        DataFileError: The folder cannot be written.
        StoreCorruptError: A file of the store is damaged.
    """
    files = RunFiles(data_folder(settings), run_date)
    check_writable(files.folder)
    source = film_source(settings)
    origin = {"source": source, "max_films": settings.collect_max_films}
    if _is_complete(files, origin):
        logger.info("keeping %s, which exists already", files.collected)
        return files.collected
    store = film_store(settings, source)
    failing, odd_lists = FailingFilms(store.folder), _odd_lists()
    ingestion = Ingestion(
        store, run_date, run_date, settings.collect_max_bad_share, known_failing=failing.ids
    )
    if today() - run_date <= timedelta(days=1):  # or yesterday: a run may continue after midnight
        with Tmdb(settings, workers=settings.collect_workers, source=source) as tmdb:
            _log_source(store, source, settings)
            _delete_expired(settings, tmdb.server_time(), source)
            refresh_store(tmdb, ingestion, failing, run_date, settings.collect_max_films)
            odd_lists = _odd_lists(tmdb)
        store.compact()
    if store.is_empty():
        raise NothingCollectedError(
            f"there is no film for {run_date}; check TMDB_BASE_URL, or run for today first"
        )
    # An existing report would mark the run as complete, so delete it before replacing the CSV file.
    files.collect_report.unlink(missing_ok=True)
    fetched = (row for films in store.films(run_date) for row in films.to_pylist())
    count = write_films(files.collected, fetched)
    result = {"films": count, "failing": failing.as_json()} | odd_lists
    write_json(files.collect_report, origin | result | ingestion.as_json())
    logger.info("%s films in %s; bad: %s", count, files.collected, ingestion.report.bad)
    if parts := ingestion.report.missing_parts:
        logger.warning("TMDB left out parts of films, which keep their known ones: %s", dict(parts))
    return files.collected


def _odd_lists(tmdb: Tmdb | None = None) -> dict[str, Any]:
    """Return, for the report, what a run could not read in TMDB's lists."""
    return {
        "unusable_entries": tmdb.unusable_entries if tmdb else 0,
        "failed_pages": tmdb.failed_pages.problems if tmdb else {},
    }


def _log_source(store: FilmStore, source: str, settings: PipelineSettings) -> None:
    """Log the source of the films; if its store is empty, also log which others have a store."""
    others = other_sources(settings, source) if store.is_empty() else []
    logger.info("collecting %s", describe(source))
    for other in others:
        logger.info("%s stay in the film store, and no step mixes them with these", describe(other))


def _delete_expired(settings: PipelineSettings, now: datetime, source: str) -> None:
    """Delete what TMDB's terms no longer allow keeping: CSV files, and films and people of others.

    "Others" are all sources but `source`, whose old films are first requested from TMDB again.
    """
    delete_expired_films(data_folder(settings), now, LONGEST_CACHE)
    for other in other_sources(settings, source):
        store = film_store(settings, other)
        store.purge(now - LONGEST_CACHE)
        PeopleStore(store.folder).purge(now - LONGEST_CACHE)


def refresh_store(
    tmdb: Tmdb,
    ingestion: Ingestion,
    failing: FailingFilms,
    run_date: date,
    max_films: int | None,
) -> None:
    """Fetch the films that the store needs, such as new and changed ones; delete expired records.

    These are popular, new and changed films, and films whose stored record is old. A record expires
    when TMDB's terms no longer allow keeping it. Raises the same errors as `collect`.

    Args:
        tmdb: The TMDB client.
        ingestion: Validates the fetched films and adds them to the store.
        failing: The films that TMDB could not send in earlier runs. The films that fail in this run
            are added.
        run_date: The date of the run.
        max_films: The largest number of films to fetch; None for no limit.
    """
    now, store = tmdb.server_time(), ingestion.store
    index = store.index()
    # An earlier attempt of this run may have fetched some films already.
    done = set(index.ids[index.run_day == days_since_1970(run_date)].tolist())
    if len(index) == len(done):
        waiting = failing.waiting(now.date())
        first = first_films(tmdb, run_date, max_films or FIRST_FILMS, waiting)
        wanted = [film_id for film_id in first if film_id not in done]
    else:
        wanted = due(tmdb, index, _changes_known_until(store, index), now, failing)
    del index  # frees its memory (large for a million films) for the purge
    chosen = wanted if max_films is None else wanted[: max(0, max_films - len(done))]
    try:
        with progress(len(chosen)) as bar, closing(tmdb.details(chosen)) as answers:
            for kept in ingestion.add(answers):
                bar.update(len(kept))
    finally:
        # Delete after fetching, because fetching renews records that are about to expire. Delete
        # even if fetching failed, because TMDB's terms make no exception.
        store.purge(now - LONGEST_CACHE)
    ingestion.bury_deleted()
    failing.update(ingestion.failed, ingestion.recovered, now.date())
    if ingestion.failed:
        logger.warning("films that fail are left for a later day: %s", named(ingestion.failed))
    if left := len(wanted) - len(chosen):
        logger.warning("%s films wait for the next run; raise COLLECT_MAX_FILMS", left)
    else:
        # A cache may have sent the changes as they were hours ago. Later ones are read next time.
        read_until = min(now, tmdb.changes_made_at or now).date()
        if tmdb.unread_changes:
            # These days are read again next time, but not for ever.
            read_until = max(tmdb.unread_changes, read_until - _LONGEST_REREADING)
        write_json(store.folder / _CHANGES, {"known_until": read_until.isoformat()})


def _changes_known_until(store: FilmStore, index: Index) -> date:
    """Return the first day whose changes at TMDB have not been read yet.

    If no changes were read yet, this is the day on which the store's oldest record was fetched.
    """
    path = store.folder / _CHANGES
    if path.exists():
        return date.fromisoformat(read_json(path)["known_until"])
    return datetime.fromtimestamp(int(index.fetched_at.min()) / 1000, UTC).date()


def _is_complete(files: RunFiles, origin: dict[str, Any]) -> bool:
    """Whether this run's files already exist, with the same source of films and the same limit."""
    if not (files.collected.exists() and files.collect_report.exists()):
        return False
    return bool(origin.items() <= read_json(files.collect_report).items())


def main(argv: list[str] | None = None) -> int:
    """Run the step `collect` from the command line; return the exit status."""
    arguments = step_parser(__doc__).parse_args(argv)
    return run(lambda: collect(past_or_today(arguments.date or today()), pipeline_settings()))


if __name__ == "__main__":
    raise SystemExit(main())
