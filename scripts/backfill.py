"""Fill the film store with all TMDB films, one range of release dates (slice) at a time.

If the process is killed, start the program again: it continues where it stopped.
"""

import argparse
import logging
from collections import Counter
from collections.abc import Iterable, Mapping
from contextlib import suppress
from datetime import date
from typing import Any, Final

from movierating.errors import ExplainedError
from movierating.films.releases import FIRST_FILM
from movierating.films.source import describe
from movierating.settings import PipelineSettings, pipeline_settings
from scripts.runtime.cli import not_negative, run
from scripts.runtime.clock import now, today
from scripts.runtime.progress import progress
from scripts.runtime.storage import DataPath, check_writable, data_folder, read_json, write_json
from scripts.store.film_store import film_store
from scripts.tmdb.client import Tmdb
from scripts.tmdb.failures import FailingFilms, named
from scripts.tmdb.slices import (
    FRESH,
    PLAN_NAME,
    SLICE_FILMS,
    OutdatedPlanError,
    Slice,
    SliceProgress,
    cut_slices,
    delete_progress,
    fill_slice,
)
from scripts.tmdb.source import film_source

logger = logging.getLogger(__name__)

YEARS_AHEAD: Final = 6  # TMDB lists announced films, too
REPORT: Final = "backfill.json"


class DateRangeError(ExplainedError, ValueError):
    """The first release date is after the last one, so there are no films to fetch."""

    def __init__(self, first: date, last: date) -> None:
        """Write a message with both dates."""
        super().__init__(
            f"the first release date {first} is after the last one {last}; exchange the two, or "
            "choose an earlier first date"
        )


def plan(
    settings: PipelineSettings,
    first: date | None = None,
    last: date | None = None,
    min_votes: int = 0,
    slice_films: int = SLICE_FILMS,
) -> list[Slice]:
    """Divide the films released between two days into slices (ranges of release dates).

    Args:
        settings: TMDB's address and key.
        first: The first release date; by default that of TMDB's oldest film.
        last: The last release date, included; by default 31 December, six years from now.
        min_votes: Leave out films with fewer votes.
        slice_films: Largest number of films in a slice; only a single day may have more.

    Raises:
        DateRangeError: `first` is after `last`.
        TmdbError: TMDB refuses the requests or is unavailable.
    """
    first, last = _range(first, last)
    with Tmdb(settings, workers=settings.collect_workers) as tmdb:
        planned_at, source = tmdb.server_time(), tmdb.film_source()
        slices = [
            Slice(begin, end, films, min_votes, planned_at, source)
            for begin, end, films in cut_slices(tmdb, first, last, min_votes, slice_films)
        ]
    films = sum(each.films for each in slices)
    logger.info(
        "%s films from %s to %s in %s slices: %s",
        films,
        first,
        last,
        len(slices),
        describe(source),
    )
    return slices


def _range(first: date | None, last: date | None) -> tuple[date, date]:
    """Replace missing ends of the range of release dates by the defaults, and check its order."""
    first = first or FIRST_FILM
    last = last or date(today().year + YEARS_AHEAD, 12, 31)
    if first > last:
        raise DateRangeError(first, last)
    return first, last


def fill(part: Slice, settings: PipelineSettings) -> SliceProgress:
    """Fetch the films of one slice (a range of release dates), and show the progress."""
    with progress(part.films, name=f"{part.first} to {part.last}") as bar:
        return fill_slice(part, settings, bar.update)


def finish(slices: list[SliceProgress], settings: PipelineSettings) -> dict[str, Any]:
    """Add up the results of all slices, merge the store's small files, delete the progress files.

    Args:
        slices: The result of `fill` for each slice.
        settings: Settings that name the working folder.

    Returns:
        Numbers over all slices: `listed` films are on TMDB's lists, `missing` films are counted by
        TMDB but on no list, `gone` films no longer existed when they were requested, and `failed`
        films could not be sent by TMDB in any attempt. `bad` is the number of records with a fault.

    Raises:
        DataFileError: The folder cannot be written.
        StoreCorruptError: A file of the store is damaged.
    """
    (source,) = {each["source"] for each in slices}
    store = film_store(settings, source)
    store.compact()
    total = {name: sum(each[name] for each in slices) for name in ("listed", "missing", "gone")}
    failed = {int(each): problem for part in slices for each, problem in part["failed"].items()}
    total["failed"] = len(failed)
    total["bad"] = sum(each["validation"]["bad"] for each in slices)
    faults = _total(each["validation"]["faults"] for each in slices)
    FailingFilms(store.folder).update(failed, (), today())
    parts = _total(each["validation"]["missing_parts"] for each in slices)
    pages = {page: problem for part in slices for page, problem in part["failed_pages"].items()}
    details = {
        "faults": dict(sorted(faults.items())),
        "missing_parts": dict(sorted(parts.items())),
        "failing": failed,
        "failed_pages": pages,
    }
    write_json(store.folder / REPORT, total | details)
    logger.info("the backfill is complete: %s", total)
    if failed:
        logger.warning("films that fail are left for a later day: %s", named(failed))
    delete_progress(store.folder, (each["slice"] for each in slices))
    return total


def _total(counts: Iterable[Mapping[str, int]]) -> Counter[str]:
    """Add the numbers of all slices, by name."""
    total: Counter[str] = Counter()
    for each in counts:
        total.update(each)
    return total


def backfill(
    settings: PipelineSettings, first: date | None, last: date | None, min_votes: int
) -> dict[str, Any]:
    """Run the whole backfill (plan, fill, finish) in one process; return the result of `finish`."""
    _range(first, last)  # before any request
    check_writable(data_folder(settings))
    store = film_store(settings, film_source(settings))
    slices = _resumed_plan(store.folder / PLAN_NAME, settings, first, last, min_votes)
    with progress(sum(part.films for part in slices)) as bar:
        filled = [fill_slice(part, settings, bar.update) for part in slices]
    total = finish(filled, settings)
    (store.folder / PLAN_NAME).unlink(missing_ok=True)
    return total


def _resumed_plan(
    path: DataPath,
    settings: PipelineSettings,
    first: date | None,
    last: date | None,
    min_votes: int,
) -> list[Slice]:
    """Read the stored plan of an unfinished backfill with the same arguments, or make a new plan.

    A plan older than `FRESH` (seven days) is not resumed, because the films that were fetched with
    it are outdated by now.
    """
    arguments = {"first": str(first), "last": str(last), "min_votes": min_votes}
    if path.exists() and arguments.items() <= (stored := read_json(path)).items():
        # A plan of version 1.0.0 names no source, so a new plan is made.
        with suppress(OutdatedPlanError):
            slices = [Slice.from_json(each) for each in stored["slices"]]
            if now() - slices[0].planned_at < FRESH:
                return slices
    slices = plan(settings, first, last, min_votes)
    write_json(path, arguments | {"slices": [part.as_json() for part in slices]})
    return slices


_PARSER: Final = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
_PARSER.add_argument("--first", type=date.fromisoformat, help="oldest release date, YYYY-MM-DD")
_PARSER.add_argument("--last", type=date.fromisoformat, help="newest release date, YYYY-MM-DD")
_PARSER.add_argument(
    "--min-votes", type=not_negative, default=0, help="leave out films with fewer votes"
)


def main(argv: list[str] | None = None) -> int:
    """Run the backfill from the command line; return the exit status."""
    arguments = _PARSER.parse_args(argv)
    return run(
        lambda: backfill(pipeline_settings(), arguments.first, arguments.last, arguments.min_votes)
    )


if __name__ == "__main__":
    raise SystemExit(main())
