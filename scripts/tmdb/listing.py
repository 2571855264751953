"""Read a list of TMDB page by page, and notice changes of the list and pages that TMDB cannot send.

TMDB may change a list while its pages are read. If it removes a film from a page that was read
already, all later films move up by one place. The first film of the next page then moves to the
page before it, and is never read. So a list is read again until it stayed the same during one
reading.
"""

from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from scripts.tmdb.errors import PageFailedError, TooManyFailedPagesError

FilmJson = dict[str, Any]

_PAGES_TO_JUDGE: Final = 50  # the share of failed pages is taken of at least this many pages
MAX_READINGS: Final = 3  # a list that changed in each of them is used as it is


@dataclass
class FailedPages:
    """The pages of lists that TMDB could not send in one run.

    Attributes:
        max_share: The run ends if a larger fraction of the pages fails.
        problems: The problem of each failed page, such as `page 2 of /movie/popular`.
    """

    max_share: float
    problems: dict[str, str] = field(default_factory=dict)
    _read: int = 0

    def __len__(self) -> int:
        """Return the number of pages that failed."""
        return len(self.problems)

    def count_read(self) -> None:
        """Count a page that TMDB has sent."""
        self._read += 1

    def add(self, error: PageFailedError) -> None:
        """Add a page that failed.

        Raises:
            TooManyFailedPagesError: Too many pages have failed.
        """
        self.problems[error.page] = error.problem
        asked = self._read + len(self.problems)
        if len(self.problems) > self.max_share * max(asked, _PAGES_TO_JUDGE):
            raise TooManyFailedPagesError(self.problems, asked)


class Listing(NamedTuple):
    """One page of a list.

    Attributes:
        films: The entries with a film id, as TMDB sent them.
        pages: The number of pages.
        total: The number of entries on all pages.
        unusable: The number of entries on this page without a film id; TMDB sends some.
        number: The number of the page.
    """

    films: list[FilmJson]
    pages: int
    total: int
    unusable: int
    number: int = 1


@dataclass
class ListReading:
    """One reading of a list, from one page to the last.

    Attributes:
        first_page: The first page that is read.
        ids: The ids of the films on the pages read so far.
        unusable: The number of entries without a film id on these pages.
        total: The number of entries on all pages, as TMDB said last.
    """

    first_page: int = 1
    ids: set[int] = field(default_factory=set)
    unusable: int = 0
    total: int = 0
    _totals: set[int] = field(default_factory=set)
    _total_fell: bool = False
    _repeated: bool = False

    def add(self, page: Listing) -> list[FilmJson]:
        """Add a page; return its films, except the ones that an earlier page had."""
        new = {film["id"]: film for film in page.films if film["id"] not in self.ids}
        self._repeated |= len(new) < len(page.films)
        self.ids |= new.keys()
        self.unusable += page.unusable
        self._total_fell |= page.total < self.total
        self.total = page.total
        self._totals.add(page.total)
        return list(new.values())

    @property
    def is_steady(self) -> bool:
        """Whether no film is likely to be missed on the pages read so far.

        If a film moved to a page that was read already, another film is on two pages, or TMDB has
        removed one. Films that TMDB adds to the end of the list do no harm.
        """
        return not self._total_fell and not self._repeated

    @property
    def is_complete(self) -> bool:
        """Whether the whole list was read, and stayed the same meanwhile.

        A list that changes while it is read shows this by one of three signs: TMDB's number of
        entries changes between two pages, a film is on two pages, or fewer entries are read than
        TMDB counts.
        """
        counts_match = self._totals == {len(self.ids) + self.unusable}
        return self.first_page == 1 and counts_match and not self._repeated
