"""The errors of the TMDB client; each message names the setting to check."""

from collections.abc import Mapping
from datetime import datetime
from typing import ClassVar

from movierating.errors import ExplainedError
from movierating.films.source import describe


class TmdbError(ExplainedError, RuntimeError):
    """TMDB cannot be used; the message names the setting to check."""


class TmdbUnavailableError(TmdbError):
    """TMDB did not send a usable response; a later attempt may succeed."""

    retryable: ClassVar[bool] = True

    def __init__(
        self,
        problem: str,
        wait_seconds: float | None = None,
        remedy: str = "; check TMDB_BASE_URL and the network",
    ) -> None:
        """Create the error.

        Args:
            problem: What TMDB did.
            wait_seconds: The wait that TMDB requested with `Retry-After`.
            remedy: What to change, if `problem` does not say it.
        """
        super().__init__(f"TMDB {problem}{remedy}")
        self.wait_seconds = wait_seconds


class PageFailedError(TmdbUnavailableError):
    """TMDB cannot send one page of a list in several attempts, although it answers others.

    Attributes:
        page: The page, such as `page 2 of /movie/popular`.
        problem: What TMDB did, as text.
    """

    def __init__(self, page: str, problem: str) -> None:
        """Create the error; its message has the problem and the page."""
        super().__init__(f"{problem.removeprefix('TMDB ')}, in each request for {page}")
        self.page = page
        self.problem = problem


class TooManyFailedPagesError(TmdbError):
    """TMDB cannot send so many pages of its lists that it may have changed their format."""

    retryable: ClassVar[bool] = True

    def __init__(self, failed: Mapping[str, str], asked: int) -> None:
        """Create the error from the pages that failed, and the number of requested pages."""
        problem = next(iter(failed.values()))
        super().__init__(
            f"{len(failed)} of {asked} pages of lists failed, such as with '{problem}': "
            f"{', '.join(failed)}; try again later, or raise COLLECT_MAX_BAD_SHARE"
        )


class NotFoundError(TmdbError, LookupError):
    """TMDB says that it has no such film or list.

    Attributes:
        at: When TMDB said so.
    """

    def __init__(self, at: datetime) -> None:
        super().__init__("TMDB has no such film or list; check TMDB_BASE_URL")
        self.at = at


class OtherFilmsError(TmdbError):
    """TMDB_BASE_URL serves the films of another source than at the start of the run or backfill."""

    def __init__(self, expected: str, found: str) -> None:
        """Create the error; its message describes the expected and the found source of films."""
        super().__init__(
            f"TMDB_BASE_URL now serves {describe(found)} instead of {describe(expected)}, and the "
            "two must not be mixed; start the run or the backfill again"
        )


class ClockError(TmdbError):
    """This machine's clock is wrong, so the dates of its records and runs would be wrong."""

    def __init__(self, here: datetime, there: datetime) -> None:
        """Create the error; its message has this machine's time (`here`) and TMDB's (`there`)."""
        super().__init__(
            f"this machine's clock says {here:%Y-%m-%d %H:%M} and TMDB's {there:%Y-%m-%d %H:%M} "
            "UTC; set the clock"
        )
