"""Divide the backfill (fetching all TMDB films) into slices, and fetch the films of one slice.

A slice is one range of release dates. It has so few films that TMDB lists all of them, because TMDB
gives at most 500 pages of a list. Different workers can fetch different slices. A file in the
store's folder records the progress of each slice. So if a process is killed, the next one continues
from there.
"""

import logging
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final, Self

from movierating.errors import ExplainedError
from movierating.settings import PipelineSettings
from scripts.runtime.clock import today
from scripts.runtime.storage import DataPath, read_json, write_json
from scripts.store.film_store import film_store
from scripts.store.index import Index, days_since_1970
from scripts.tmdb.client import MAX_PAGE, PAGE_SIZE, Tmdb
from scripts.tmdb.failures import FailingFilms
from scripts.tmdb.ingest import Ingestion
from scripts.tmdb.listing import MAX_READINGS, ListReading

logger = logging.getLogger(__name__)

SLICE_FILMS: Final = 5_000  # half of what TMDB lists, because it may add films meanwhile
# A film that was fetched less than this before the plan was made is not fetched again.
FRESH: Final = timedelta(days=7)
# The largest part of the films that TMDB lists which a slice may have when it is planned. TMDB may
# add films before the slice is filled.
_LARGEST_SHARE: Final = 0.9

PLAN_NAME: Final = "plan.json"  # the slices of a backfill that was started on the command line
_OF_SLICES: Final = "slice_*.json"

# How far the backfill of one slice has come (see `fill_slice`). It has only plain values, because
# it is stored as JSON, and Airflow passes it from task to task.
SliceProgress = dict[str, Any]


class OutdatedPlanError(ExplainedError, ValueError):
    """The plan of a backfill does not say which films it is for."""

    def __init__(self) -> None:
        """Write a message that says what to do."""
        super().__init__(
            "an older version of this code made the plan of this backfill, without the source of "
            "its films; start the backfill again"
        )


@dataclass(frozen=True)
class Slice:
    """One part of the backfill: the films released in one range of dates.

    Attributes:
        first: The first release date.
        last: The last release date, included.
        films: The number of films that TMDB had in this range when the plan was made.
        min_votes: Films with fewer votes are left out.
        planned_at: When the plan was made. Films fetched less than `FRESH` (seven days) before the
            plan are not fetched again.
        source: The name of the source of the films in the slice.
    """

    first: date
    last: date
    films: int
    min_votes: int
    planned_at: datetime
    source: str

    @property
    def query(self) -> dict[str, str | int]:
        """The query parameters that make TMDB's `/discover/movie` list this slice's films."""
        return slice_query(self.first, self.last, self.min_votes)

    @property
    def progress_name(self) -> str:
        """The name of the file in the store's folder that records the progress of this slice."""
        stamp = f"{self.planned_at:%Y%m%dT%H%M%S}"
        return f"slice_{self.first}_{self.last}_{self.min_votes}_{stamp}.json"

    def as_json(self) -> dict[str, Any]:
        """Convert the slice to plain text values, which Airflow can pass from task to task."""
        return {name: str(value) for name, value in asdict(self).items()}

    @classmethod
    def from_json(cls, raw: dict[str, Any]) -> Self:
        """Create a slice from the result of `as_json`.

        Raises:
            OutdatedPlanError: The plan names no source of films, because version 1.0.0 made it.
        """
        if "source" not in raw:
            raise OutdatedPlanError
        return cls(
            date.fromisoformat(raw["first"]),
            date.fromisoformat(raw["last"]),
            int(raw["films"]),
            int(raw["min_votes"]),
            datetime.fromisoformat(raw["planned_at"]),
            raw["source"],
        )


def slice_query(first: date, last: date, min_votes: int) -> dict[str, str | int]:
    """Return the `/discover/movie` query parameters for all films released between two days.

    The list is sorted by release date. Most films that TMDB adds meanwhile are new, so they appear
    at the end, and the other films stay on their pages.
    """
    return {
        "sort_by": "primary_release_date.asc",
        "primary_release_date.gte": first.isoformat(),
        "primary_release_date.lte": last.isoformat(),
        "vote_count.gte": min_votes,
    }


def cut_slices(
    tmdb: Tmdb, first: date, last: date, min_votes: int, slice_films: int
) -> Iterator[tuple[date, date, int]]:
    """Halve a range of release dates until each part has at most `slice_films` films.

    A part that is larger than what TMDB lists is divided too, whatever `slice_films` is. TMDB may
    say that it has as many films as it lists although it has more. A part of a single day is not
    divided further, even if it has more films.

    Yields:
        First day, last day and number of films of each part.
    """
    films = tmdb.page("/discover/movie", 1, **slice_query(first, last, min_votes)).total
    listed = MAX_PAGE * PAGE_SIZE
    if first == last and films >= listed:
        logger.warning("TMDB lists only %s of the films released on %s", listed, first)
    if films <= min(slice_films, _LARGEST_SHARE * listed) or first == last:
        yield first, last, films
        return
    middle = first + (last - first) // 2
    yield from cut_slices(tmdb, first, middle, min_votes, slice_films)
    yield from cut_slices(tmdb, middle + timedelta(days=1), last, min_votes, slice_films)


def fill_slice(
    part: Slice, settings: PipelineSettings, advance: Callable[[float], Any]
) -> SliceProgress:
    """Fetch the films of a slice that the store lacks; do nothing if the slice is complete.

    Args:
        part: The slice.
        settings: TMDB's address and key, and the working folder.
        advance: Function to call with the number of films done since its last call.

    Returns:
        A dictionary with the keys below. It also has `page` and `seen`, from which an interrupted
        backfill continues.

        - `listed`: number of films on TMDB's pages;
        - `missing`: number of films that TMDB counts but that are on none of its pages;
        - `gone`: number of listed films that TMDB no longer had when they were requested;
        - `failed`: the films that TMDB could not send, by id, with the problem of each;
        - `unusable`: number of entries without a film id on TMDB's pages;
        - `failed_pages`: the pages that TMDB could not send, by name, with the problem of each;
        - `validation`: the numbers of records and faults;
        - `slice`: name of the file that records the progress;
        - `source`: the name of the source of the films.

    Raises:
        TmdbError: TMDB refuses the requests or is unavailable. The films that were fetched before
            are stored.
        OtherFilmsError: TMDB_BASE_URL serves the films of another source than the slice has.
        BadAnswersError: Too many records are bad.
        TooManyFailuresError: TMDB cannot send too many of the films.
        PageFailedError: TMDB cannot send the first two pages of the slice.
        TooManyFailedPagesError: TMDB cannot send too many pages of the slice.
        TooManyDeletedError: TMDB says of too many films of the store that they do not exist.
        DataFileError: The folder cannot be written.
        StoreCorruptError: A file of the store is damaged.
    """
    store = film_store(settings, part.source)
    path = store.folder / part.progress_name
    index = store.index()
    begun = _progress(path, part, index)
    advance(min(part.films, begun["seen"]))
    if "listed" in begun:
        return begun | {"source": part.source}
    failed_before = {int(film_id): problem for film_id, problem in begun["failed"].items()}
    ingestion = Ingestion(
        store,
        today(),
        None,
        settings.collect_max_bad_share,
        known_failing=FailingFilms(store.folder).ids.union(failed_before),
        gone=begun["gone"],
    )
    with Tmdb(settings, workers=settings.collect_workers, source=part.source) as tmdb:
        pages = _SlicePages(tmdb, part, index, begun["page"], begun["seen"])
        # What is left of an interrupted reading is no whole reading.
        for _ in range(MAX_READINGS + bool(begun["page"])):
            with closing(tmdb.details(pages.film_ids())) as answers:
                for kept in ingestion.add(answers):
                    pages.mark_done(kept)
                    so_far = {"page": pages.page, "seen": pages.seen, "gone": ingestion.gone}
                    write_json(path, so_far | {"failed": failed_before | ingestion.failed})
                    advance(len(kept))
            # Another reading would not find the films of a page that TMDB cannot send.
            if pages.are_complete or (tmdb.failed_pages and pages.began_with_the_first):
                break
            pages.restart()
        else:
            logger.warning(
                "TMDB's list of %s to %s changed while it was read", part.first, part.last
            )
    if pages.missing:
        logger.warning("%s films that TMDB counts are on none of its pages", pages.missing)
    ingestion.bury_deleted()
    progress = {
        "slice": path.name,
        "source": part.source,
        "page": pages.page,
        "seen": pages.listed,
        "listed": pages.listed,
        "missing": pages.missing,
        "gone": ingestion.gone,
        "failed": failed_before | ingestion.failed,
        "unusable": pages.unusable,
        "failed_pages": tmdb.failed_pages.problems,
        "validation": ingestion.report.as_json(),
    }
    store.merge_written()
    write_json(path, progress)
    return progress


def _progress(path: DataPath, part: Slice, index: Index) -> SliceProgress:
    """Read the stored progress of a slice, or return the state of a slice that has not begun.

    If someone has moved a damaged file out of the store, the store lacks films that the progress
    file reports as fetched. The slice then starts from the beginning again.
    """
    not_begun: SliceProgress = {
        "page": 0,
        "seen": 0,
        "gone": 0,
        "failed": {},
        "failed_pages": {},
    }
    if not path.exists():
        return not_begun
    progress: SliceProgress = not_begun | read_json(path)
    first, last = (days_since_1970(day) for day in (part.first, part.last))
    stored = int(((index.release_day >= first) & (index.release_day <= last)).sum())
    without_record = progress["gone"] + len(progress["failed"])
    return progress if stored >= progress["seen"] - without_record else not_begun


def delete_progress(folder: DataPath, names: Iterable[str]) -> None:
    """Delete the progress files of a complete backfill, and of all backfills planned before it.

    A backfill that ends deletes its own files. So earlier files are from cancelled backfills.

    Args:
        folder: The folder of the film store.
        names: The names of the complete backfill's files.
    """
    own = set(names)
    newest = max(map(_planned, own), default="")
    for path in folder.glob(_OF_SLICES):
        if path.name in own or _planned(path.name) < newest:
            path.unlink(missing_ok=True)


def _planned(name: str) -> str:
    """Return when a progress file's backfill was planned, as a text that sorts by time."""
    return name.rpartition("_")[2]


def delete_abandoned_progress(folder: DataPath, moment: datetime) -> int:
    """Delete the plan and the progress of backfills that nobody has continued for `FRESH`.

    A backfill deletes these files when it ends. If somebody cancels it, they stay. After seven days
    they are useless, because a backfill that starts again then makes a new plan.

    Args:
        folder: The folder with the film stores of all sources.
        moment: The current time.

    Returns:
        How many files were deleted.
    """
    old = [
        path
        for pattern in (_OF_SLICES, PLAN_NAME)
        for path in folder.rglob(pattern)
        if moment.timestamp() - path.stat().st_mtime > FRESH.total_seconds()
    ]
    for path in old:
        path.unlink(missing_ok=True)
    return len(old)


class _SlicePages:
    """Reads the pages of TMDB's list of a slice, and keeps track of the pages that are done.

    Films may arrive in a different order than requested. So a page is done only when all films on
    it and on earlier pages have arrived.

    Attributes:
        page: All films up to this page are done.
    """

    def __init__(self, tmdb: Tmdb, part: Slice, index: Index, page: int, seen: int) -> None:
        self.page = page
        self._tmdb, self._query, self._index = tmdb, part.query, index
        self._fresh_since = (part.planned_at - FRESH).timestamp() * 1000
        self._before = seen  # number of films that an earlier process found
        self._seen_until = {page: seen}  # by page: number of films found up to it
        self._reading = ListReading(page + 1)
        self._seen: set[int] = set()  # also in earlier readings of this process
        self._pending: dict[int, int] = {}  # by id of a requested film: its page
        self._read = page

    @property
    def listed(self) -> int:
        """How many films were found on the pages that were read."""
        return self._before + len(self._reading.ids)

    @property
    def seen(self) -> int:
        """How many films were found on the pages up to `page`."""
        # A page that TMDB could not send has no number of its own.
        return max(seen for number, seen in self._seen_until.items() if number <= self.page)

    @property
    def missing(self) -> int:
        """How many films that TMDB counts were on none of the pages."""
        return max(0, self._reading.total - self.listed - self.unusable)

    @property
    def unusable(self) -> int:
        """The number of entries without a film id on the pages that were read."""
        return self._reading.unusable

    @property
    def began_with_the_first(self) -> bool:
        """Whether the newest reading began with the list's first page."""
        return self._reading.first_page == 1

    @property
    def are_complete(self) -> bool:
        """Whether one reading found all films of the list."""
        return self._reading.is_complete

    def film_ids(self) -> Iterator[int]:
        """Yield the ids of the films to fetch; a page is requested only when its ids are needed."""
        if self.page >= MAX_PAGE:  # an earlier process has read the last page that TMDB gives
            self.restart()
        first = self.page + 1
        self._reading = ListReading(first)
        for listing in self._tmdb.listings("/discover/movie", self._query, first):
            number = listing.number
            found = [film["id"] for film in self._reading.add(listing)]
            wanted = [each for each in found if each not in self._seen and not self._is_fresh(each)]
            self._seen.update(found)
            self._pending |= dict.fromkeys(wanted, number)
            self._read = number
            self._seen_until[number] = self.listed
            yield from wanted

    def _is_fresh(self, film_id: int) -> bool:
        return self._index.fetched(film_id) >= self._fresh_since

    def restart(self) -> None:
        """Go back to the first page; films seen so far are not requested again."""
        self.page = self._before = 0
        self._seen_until = {0: 0}

    def mark_done(self, film_ids: list[int]) -> None:
        """Mark films as stored; a page becomes done when none of its films waits to be fetched."""
        for film_id in film_ids:
            del self._pending[film_id]
        self.page = min(self._pending.values(), default=self._read + 1) - 1
