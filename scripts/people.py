"""Fetch the other names and the photos of the film store's people from TMDB.

TMDB's films name each person in one way only. `/person/{id}` has the names in other scripts and
orders. A run asks for a limited number of people, those with the most films first, so it takes a
few minutes; the next runs complete the rest. If the process is killed, the next run continues.
"""

import logging
from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from itertools import islice
from typing import Final

from movierating.settings import PipelineSettings, pipeline_settings
from scripts.catalogue.build import in_catalogue
from scripts.runtime.cli import run, step_parser
from scripts.runtime.clock import today
from scripts.runtime.storage import check_writable
from scripts.store.credits import Credited, count_credits
from scripts.store.film_store import FilmStore, film_store
from scripts.store.people import PeopleStore, PersonRecord
from scripts.tmdb.client import Tmdb
from scripts.tmdb.people import due_people, fetch_people
from scripts.tmdb.refresh import KEEP_DAYS
from scripts.tmdb.source import film_source

logger = logging.getLogger(__name__)

_BATCH: Final = 1_000  # people that are stored at a time


def collect_people(run_date: date, settings: PipelineSettings, *, everybody: bool = False) -> int:
    """Request the people of the film store whose names are unknown or old, and store them.

    Args:
        run_date: The day; it decides which films matter.
        settings: TMDB's address, the key, the rate limit and COLLECT_MAX_PEOPLE.
        everybody: Whether to request all these people, however many there are.

    Returns:
        The number of people that were stored.

    Raises:
        TmdbError: TMDB refuses the requests or is unavailable. The people that were fetched before
            are stored.
        DataFileError: The folder cannot be written.
        StoreCorruptError: A file of the store is damaged.
    """
    source = film_source(settings)
    store = film_store(settings, source)
    credited = credited_people(store, run_date)
    if not credited:
        return 0
    check_writable(store.folder)
    people, stored = PeopleStore(store.folder), 0
    with Tmdb(settings, workers=settings.collect_workers, source=source) as tmdb:
        now = tmdb.server_time()
        kept = people.purge(now - timedelta(KEEP_DAYS))
        wanted = due_people(credited, kept, now)
        chosen = wanted if everybody else wanted[: settings.collect_max_people]
        for batch in _batches(fetch_people(tmdb, chosen)):
            people.add(batch)
            stored += len(batch)
    logger.info("%s people stored; %s wait for the next run", stored, len(wanted) - len(chosen))
    return stored


def credited_people(store: FilmStore, day: date) -> dict[int, Credited]:
    """Count the films of the directors, writers and leads of a day's film catalogue."""
    tables = (films.filter(in_catalogue(day)).select(["credits"]) for films in store.as_of(day))
    return count_credits(tables)


def _batches(people: Iterable[PersonRecord]) -> Iterator[list[PersonRecord]]:
    found = iter(people)
    while batch := list(islice(found, _BATCH)):
        yield batch


_PARSER: Final = step_parser(__doc__)
_PARSER.add_argument(
    "--everybody", action="store_true", help="request all people, not only COLLECT_MAX_PEOPLE"
)


def main(argv: list[str] | None = None) -> int:
    """Run the step `people` from the command line; return the exit status."""
    arguments = _PARSER.parse_args(argv)
    day, everybody = arguments.date or today(), arguments.everybody
    return run(lambda: collect_people(day, pipeline_settings(), everybody=everybody))


if __name__ == "__main__":
    raise SystemExit(main())
