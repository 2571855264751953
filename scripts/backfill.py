"""Fill the film store with the whole of TMDB, slice by slice of release dates.

A slice is small enough for TMDB's last page, and the unit that workers share. Within it pages are
listed and their films fetched in one stream. How far that has come is kept beside the store, so
that a run that was killed goes on where it stopped.
"""

import argparse
import logging
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final, Self

from movierating.settings import PipelineSettings, pipeline_settings
from scripts.runtime.cli import run
from scripts.runtime.clock import now, today
from scripts.runtime.progress import progress
from scripts.runtime.storage import DataPath, check_writable, read_json, write_json
from scripts.store.film_store import film_store
from scripts.store.index import Index, days_since_1970
from scripts.tmdb.client import MAX_PAGE, Tmdb
from scripts.tmdb.ingest import Ingestion

logger = logging.getLogger(__name__)

SLICE_FILMS: Final = 5_000  # half of what TMDB lists, since more films may come in meanwhile
FIRST_DAY: Final = date(1874, 1, 1)  # of the oldest film
YEARS_AHEAD: Final = 6
FRESH: Final = timedelta(days=7)  # a film fetched so shortly before the plan is not asked for again
_ROUNDS: Final = 3  # a list may shift while it is read
_PLAN: Final = "plan.json"
REPORT: Final = "backfill.json"

Outcome = dict[str, Any]


@dataclass(frozen=True)
class Slice:
    """The films that opened from one day to another.

    Attributes:
        films: How many TMDB counted when the plan was made.
        min_votes: Fewer votes leave a film out.
        planned_at: When the plan was made; films fetched since a week before are not asked again.
    """

    first: date
    last: date
    films: int
    min_votes: int
    planned_at: datetime

    @property
    def query(self) -> dict[str, str | int]:
        """What `/discover/movie` is asked; in an order that new films change only at its end."""
        return _query(self.first, self.last, self.min_votes)

    @property
    def marker_name(self) -> str:
        """The file beside the store that tells how far the slice has come."""
        stamp = f"{self.planned_at:%Y%m%dT%H%M%S}"
        return f"slice_{self.first}_{self.last}_{self.min_votes}_{stamp}.json"

    def as_json(self) -> dict[str, Any]:
        """The slice as plain values, which Airflow hands from task to task."""
        return {name: str(value) for name, value in asdict(self).items()}

    @classmethod
    def from_json(cls, raw: dict[str, Any]) -> Self:
        """The slice from plain values."""
        return cls(
            date.fromisoformat(raw["first"]),
            date.fromisoformat(raw["last"]),
            int(raw["films"]),
            int(raw["min_votes"]),
            datetime.fromisoformat(raw["planned_at"]),
        )


def plan(
    settings: PipelineSettings,
    first: date | None = None,
    last: date | None = None,
    min_votes: int = 0,
    slice_films: int = SLICE_FILMS,
) -> list[Slice]:
    """Cut the films that opened between two days, both included, into slices.

    Args:
        settings: Where TMDB is.
        first: The oldest film ever, unless told.
        last: Some years ahead, unless told.
        min_votes: Leave out films with fewer votes.
        slice_films: No slice has more, unless they opened on one day.

    Raises:
        TmdbError: TMDB refuses or stays away.
    """
    first = first or FIRST_DAY
    last = last or date(today().year + YEARS_AHEAD, 12, 31)
    with Tmdb(settings, workers=settings.collect_workers) as tmdb:
        planned_at = tmdb.server_time()
        slices = [
            Slice(begin, end, films, min_votes, planned_at)
            for begin, end, films in _cut(tmdb, first, last, min_votes, slice_films)
        ]
    films = sum(each.films for each in slices)
    logger.info("%s films from %s to %s in %s slices", films, first, last, len(slices))
    return slices


def fill(part: Slice, settings: PipelineSettings) -> Outcome:
    """Bring the films of a slice into the store, those that it lacks; once done, it does nothing.

    Returns:
        How many films were `listed`, how many of those that TMDB counts were not (`missing`), how
        many were `gone` when asked for, and what the `validation` found.

    Raises:
        TmdbError: TMDB refuses or stays away. What had come until then is in the store.
        BadAnswersError: Too many answers are bad.
        DataFileError: The folder cannot be written.
        StoreCorruptError: A file of the store is damaged.
    """
    with progress(part.films, name=f"{part.first} to {part.last}") as bar:
        return _fill(part, settings, bar.update)


def finish(outcomes: list[Outcome], settings: PipelineSettings) -> Outcome:
    """Add up what all slices brought, fold the small files, and forget how far each slice had come.

    Raises:
        DataFileError: The folder cannot be written.
        StoreCorruptError: A file of the store is damaged.
    """
    store = film_store(settings)
    store.compact()
    total = {
        name: sum(outcome[name] for outcome in outcomes) for name in ("listed", "missing", "gone")
    }
    total["bad"] = sum(outcome["validation"]["bad"] for outcome in outcomes)
    faults = sum((Counter(outcome["validation"]["faults"]) for outcome in outcomes), Counter())
    write_json(store.folder / REPORT, total | {"faults": dict(sorted(faults.items()))})
    logger.info("the backfill is complete: %s", total)
    for outcome in outcomes:
        (store.folder / outcome["slice"]).unlink(missing_ok=True)
    return total


def backfill(
    settings: PipelineSettings, first: date | None, last: date | None, min_votes: int
) -> Outcome:
    """Plan, fill and finish in one process; a killed one goes on with its own plan.

    Raises as `plan`, `fill` and `finish`.
    """
    store = film_store(settings)
    check_writable(store.folder)
    slices = _kept_plan(store.folder / _PLAN, settings, first, last, min_votes)
    with progress(sum(part.films for part in slices)) as bar:
        outcomes = [_fill(part, settings, bar.update) for part in slices]
    total = finish(outcomes, settings)
    (store.folder / _PLAN).unlink(missing_ok=True)
    return total


def _kept_plan(
    path: DataPath,
    settings: PipelineSettings,
    first: date | None,
    last: date | None,
    min_votes: int,
) -> list[Slice]:
    asked = {"first": str(first), "last": str(last), "min_votes": min_votes}
    if path.exists() and asked.items() <= (kept := read_json(path)).items():
        slices = [Slice.from_json(each) for each in kept["slices"]]
        if now() - slices[0].planned_at < FRESH:
            return slices
    slices = plan(settings, first, last, min_votes)
    write_json(path, asked | {"slices": [part.as_json() for part in slices]})
    return slices


def _fill(part: Slice, settings: PipelineSettings, moved: Callable[[float], Any]) -> Outcome:
    store = film_store(settings)
    marker = store.folder / part.marker_name
    index = store.index()
    state = _state(marker, part, index)
    moved(min(part.films, state["seen"]))
    if "listed" in state:
        return state
    ingestion = Ingestion(store, today(), None, settings.collect_max_bad_share, gone=state["gone"])
    with Tmdb(settings, workers=settings.collect_workers) as tmdb:
        walk = _Walk(tmdb, part, index, state["page"], state["seen"])
        for _ in range(_ROUNDS):
            with closing(tmdb.details(walk.film_ids())) as answers:
                for kept in ingestion.add(answers):
                    walk.dealt_with(kept)
                    write_json(
                        marker, {"page": walk.page, "seen": walk.seen, "gone": ingestion.gone}
                    )
                    moved(len(kept))
            if not walk.missing:
                break
            walk.begin_again()  # the list has shifted while it was read
    if walk.missing:
        logger.warning("%s films that TMDB counts are on none of its pages", walk.missing)
    outcome = {
        "slice": marker.name,
        "page": walk.page,
        "seen": walk.listed,
        "listed": walk.listed,
        "missing": walk.missing,
        "gone": ingestion.gone,
        "validation": ingestion.report.as_json(),
    }
    store.merge_written()
    write_json(marker, outcome)
    return outcome


def _state(marker: DataPath, part: Slice, index: Index) -> Outcome:
    """How far a slice has come; from its beginning, if films are gone that it had brought in."""
    begun: Outcome = {"page": 0, "seen": 0, "gone": 0}
    if not marker.exists():
        return begun
    state: Outcome = read_json(marker)
    first, last = (days_since_1970(day) for day in (part.first, part.last))
    there = int(((index.release_day >= first) & (index.release_day <= last)).sum())
    return state if there >= state["seen"] - state["gone"] else begun


class _Walk:
    """The pages of a slice, and up to which of them all films are dealt with.

    Attributes:
        page: All films up to this page are dealt with.
    """

    def __init__(self, tmdb: Tmdb, part: Slice, index: Index, page: int, seen: int) -> None:
        self.page = page
        self._tmdb, self._query, self._index = tmdb, part.query, index
        self._fresh_since = (part.planned_at - FRESH).timestamp() * 1000
        self._before = seen  # films listed by an earlier process
        self._seen_until = {page: seen}  # films listed until a page
        self._total = part.films
        self._seen: set[int] = set()
        self._open: dict[int, int] = {}  # films asked for, and their pages
        self._read = page

    @property
    def listed(self) -> int:
        """How many films were found on the pages."""
        return self._before + len(self._seen)

    @property
    def seen(self) -> int:
        """How many films were found on the pages until `page`."""
        return self._seen_until[self.page]

    @property
    def missing(self) -> int:
        """How many films TMDB counts that were on none of the pages."""
        return max(0, self._total - self.listed)

    def film_ids(self) -> Iterator[int]:
        """The films that are not there yet, in the order of the list."""
        number = last = self.page + 1
        while number <= last:
            listing = self._tmdb.page("/discover/movie", number, **self._query)
            found = dict.fromkeys(film["id"] for film in listing.films)
            wanted = [each for each in found if each not in self._seen and not self._has(each)]
            self._seen |= found.keys()
            self._open |= dict.fromkeys(wanted, number)
            self._read, self._total = number, listing.total
            self._seen_until[number] = self.listed
            yield from wanted
            number, last = number + 1, min(listing.pages, MAX_PAGE)

    def _has(self, film_id: int) -> bool:
        return self._index.fetched(film_id) >= self._fresh_since

    def begin_again(self) -> None:
        """Go back to the first page; what was seen so far still counts."""
        self.page = self._before = 0
        self._seen_until = {0: 0}

    def dealt_with(self, film_ids: list[int]) -> None:
        """Move on past pages whose films are all there."""
        for film_id in film_ids:
            del self._open[film_id]
        self.page = min(self._open.values(), default=self._read + 1) - 1


def _cut(
    tmdb: Tmdb, first: date, last: date, min_votes: int, slice_films: int
) -> Iterator[tuple[date, date, int]]:
    films = tmdb.page("/discover/movie", 1, **_query(first, last, min_votes)).total
    if films <= slice_films or first == last:
        yield first, last, films
        return
    middle = first + (last - first) // 2
    yield from _cut(tmdb, first, middle, min_votes, slice_films)
    yield from _cut(tmdb, middle + timedelta(days=1), last, min_votes, slice_films)


def _query(first: date, last: date, min_votes: int) -> dict[str, str | int]:
    return {
        "sort_by": "primary_release_date.asc",
        "primary_release_date.gte": first.isoformat(),
        "primary_release_date.lte": last.isoformat(),
        "vote_count.gte": min_votes,
    }


_PARSER: Final = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
_PARSER.add_argument("--first", type=date.fromisoformat, help="oldest release date, YYYY-MM-DD")
_PARSER.add_argument("--last", type=date.fromisoformat, help="newest release date, YYYY-MM-DD")
_PARSER.add_argument("--min-votes", type=int, default=0, help="leave out films with fewer votes")


def main(argv: list[str] | None = None) -> int:
    """Fill the store from the command line."""
    arguments = _PARSER.parse_args(argv)
    return run(
        lambda: backfill(pipeline_settings(), arguments.first, arguments.last, arguments.min_votes)
    )


if __name__ == "__main__":
    raise SystemExit(main())
