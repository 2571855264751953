"""Divide the backfill (fetching all films) into slices, and fetch the films of one slice.

A slice is a range of release dates, with few enough films for TMDB to list all of them. Different
workers can fetch different slices. A file beside the store records the progress of each slice, so
after a kill the next process continues from there.
"""

import logging
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final, Self

from movierating.settings import PipelineSettings
from scripts.runtime.clock import today
from scripts.runtime.storage import DataPath, read_json, write_json
from scripts.store.film_store import film_store
from scripts.store.index import Index, days_since_1970
from scripts.tmdb.client import MAX_PAGE, Tmdb
from scripts.tmdb.ingest import Ingestion

logger = logging.getLogger(__name__)

SLICE_FILMS: Final = 5_000  # half of what TMDB lists, since films may be added while it is read
FRESH: Final = timedelta(days=7)  # a film fetched later than this before the plan is not refetched
_ROUNDS: Final = 3  # films may move between pages while a list is read, so it is read again

# How far the backfill of one slice has come; as plain values, since it is kept as JSON and Airflow
# passes it from task to task. See `fill_slice`.
SliceProgress = dict[str, Any]


@dataclass(frozen=True)
class Slice:
    """One part of the backfill: the films released in one range of dates.

    Attributes:
        first: The first release date.
        last: The last release date, included.
        films: How many films TMDB counted in the range when the plan was made.
        min_votes: Films with fewer votes are left out.
        planned_at: When the plan was made; films fetched within `FRESH` before are not refetched.
    """

    first: date
    last: date
    films: int
    min_votes: int
    planned_at: datetime

    @property
    def query(self) -> dict[str, str | int]:
        """The query for `/discover/movie`; see `slice_query`."""
        return slice_query(self.first, self.last, self.min_votes)

    @property
    def progress_name(self) -> str:
        """The name of the file beside the store that holds the progress of the slice."""
        stamp = f"{self.planned_at:%Y%m%dT%H%M%S}"
        return f"slice_{self.first}_{self.last}_{self.min_votes}_{stamp}.json"

    def as_json(self) -> dict[str, Any]:
        """Convert the slice to plain text values, which Airflow can pass from task to task."""
        return {name: str(value) for name, value in asdict(self).items()}

    @classmethod
    def from_json(cls, raw: dict[str, Any]) -> Self:
        """Create a slice from the result of `as_json`."""
        return cls(
            date.fromisoformat(raw["first"]),
            date.fromisoformat(raw["last"]),
            int(raw["films"]),
            int(raw["min_votes"]),
            datetime.fromisoformat(raw["planned_at"]),
        )


def slice_query(first: date, last: date, min_votes: int) -> dict[str, str | int]:
    """The query for `/discover/movie` that lists the films released between two days.

    Sorted by release date, because most films that are added meanwhile are new, and so appear at
    the end without moving the others to other pages.
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
    """Halve a range of release dates until each part has at most `slice_films` films, or one day.

    Yields:
        First day, last day, and the number of films TMDB counts.
    """
    films = tmdb.page("/discover/movie", 1, **slice_query(first, last, min_votes)).total
    if films <= slice_films or first == last:
        yield first, last, films
        return
    middle = first + (last - first) // 2
    yield from cut_slices(tmdb, first, middle, min_votes, slice_films)
    yield from cut_slices(tmdb, middle + timedelta(days=1), last, min_votes, slice_films)


def fill_slice(
    part: Slice, settings: PipelineSettings, advance: Callable[[float], Any]
) -> SliceProgress:
    """Fetch the films of a slice that the store lacks; does nothing if the slice is complete.

    Args:
        part: The slice.
        settings: TMDB and the working folder.
        advance: Called with the number of films done since the last call.

    Returns:
        How many films were `listed`, how many that TMDB counts were not (`missing`), how many were
        `gone` when they were requested, and the `validation` report; besides, the name of the file
        with the progress (`slice`).

    Raises:
        TmdbError: TMDB refuses or is unavailable. The films fetched until then are in the store.
        BadAnswersError: Too many records are bad.
        DataFileError: The folder cannot be written.
        StoreCorruptError: A file of the store is damaged.
    """
    store = film_store(settings)
    path = store.folder / part.progress_name
    index = store.index()
    begun = _progress(path, part, index)
    advance(min(part.films, begun["seen"]))
    if "listed" in begun:
        return begun
    ingestion = Ingestion(store, today(), None, settings.collect_max_bad_share, gone=begun["gone"])
    with Tmdb(settings, workers=settings.collect_workers) as tmdb:
        pages = _SlicePages(tmdb, part, index, begun["page"], begun["seen"])
        for _ in range(_ROUNDS):
            with closing(tmdb.details(pages.film_ids())) as answers:
                for kept in ingestion.add(answers):
                    pages.mark_done(kept)
                    so_far = {"page": pages.page, "seen": pages.seen, "gone": ingestion.gone}
                    write_json(path, so_far)
                    advance(len(kept))
            if not pages.missing:
                break
            pages.restart()
    if pages.missing:
        logger.warning("%s films that TMDB counts are on none of its pages", pages.missing)
    progress = {
        "slice": path.name,
        "page": pages.page,
        "seen": pages.listed,
        "listed": pages.listed,
        "missing": pages.missing,
        "gone": ingestion.gone,
        "validation": ingestion.report.as_json(),
    }
    store.merge_written()
    write_json(path, progress)
    return progress


def _progress(path: DataPath, part: Slice, index: Index) -> SliceProgress:
    """Read the stored progress of a slice; without a progress file, it starts at page 0.

    If someone has moved a damaged file out of the store, films of the slice are missing. The slice
    then starts from page 0 again.
    """
    not_begun: SliceProgress = {"page": 0, "seen": 0, "gone": 0}
    if not path.exists():
        return not_begun
    progress: SliceProgress = read_json(path)
    first, last = (days_since_1970(day) for day in (part.first, part.last))
    stored = int(((index.release_day >= first) & (index.release_day <= last)).sum())
    return progress if stored >= progress["seen"] - progress["gone"] else not_begun


class _SlicePages:
    """The pages of TMDB's list of a slice, and how many of them are done.

    Films may arrive in a different order than requested. So a page is done only when all films on
    it and on earlier pages have arrived.

    Attributes:
        page: All films up to this page are done.
    """

    def __init__(self, tmdb: Tmdb, part: Slice, index: Index, page: int, seen: int) -> None:
        self.page = page
        self._tmdb, self._query, self._index = tmdb, part.query, index
        self._fresh_since = (part.planned_at - FRESH).timestamp() * 1000
        self._before = seen  # films listed by an earlier process
        self._seen_until = {page: seen}  # films listed up to a page
        self._total = part.films
        self._seen: set[int] = set()
        self._pending: dict[int, int] = {}  # films requested, and their pages
        self._read = page

    @property
    def listed(self) -> int:
        """How many films were found on the pages."""
        return self._before + len(self._seen)

    @property
    def seen(self) -> int:
        """How many films were found on the pages up to `page`."""
        return self._seen_until[self.page]

    @property
    def missing(self) -> int:
        """How many films that TMDB counts were on none of the pages."""
        return max(0, self._total - self.listed)

    def film_ids(self) -> Iterator[int]:
        """Yield ids of films to fetch, in the list's order; requests each page when needed."""
        number = last = self.page + 1
        while number <= last:
            listing = self._tmdb.page("/discover/movie", number, **self._query)
            found = dict.fromkeys(film["id"] for film in listing.films)
            wanted = [each for each in found if each not in self._seen and not self._is_fresh(each)]
            self._seen |= found.keys()
            self._pending |= dict.fromkeys(wanted, number)
            self._read, self._total = number, listing.total
            self._seen_until[number] = self.listed
            yield from wanted
            number, last = number + 1, min(listing.pages, MAX_PAGE)

    def _is_fresh(self, film_id: int) -> bool:
        return self._index.fetched(film_id) >= self._fresh_since

    def restart(self) -> None:
        """Go back to the first page; films seen so far are not requested again."""
        self.page = self._before = 0
        self._seen_until = {0: 0}

    def mark_done(self, film_ids: list[int]) -> None:
        """Mark films as stored; pages without films still to fetch then become done."""
        for film_id in film_ids:
            del self._pending[film_id]
        self.page = min(self._pending.values(), default=self._read + 1) - 1
