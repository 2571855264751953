"""Judge TMDB's answers: whether they are usable, when they were made, and which error they mean."""

import re
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any, Final, NamedTuple

import requests

from movierating.tmdb_access import NOT_FOUND_CODE
from scripts.runtime.clock import now
from scripts.tmdb.errors import ClockError, NotFoundError, TmdbError, TmdbUnavailableError
from scripts.tmdb.listing import FilmJson, Listing

_ENTRIES_TO_JUDGE: Final = 6  # a page with fewer entries may be without any film id
_LARGEST_ID: Final = 2**63 - 1  # of the store's column
_CLOCK_TOLERANCE: Final = timedelta(days=1)  # a cached response may carry a date some hours old
# A longer age is a mistake of a cache; with it, the records would seem to be expired.
_LONGEST_AGE: Final = timedelta(days=30)
_SECONDS: Final = re.compile(r"[0-9]{1,9}")


class Times(NamedTuple):
    """When TMDB sent an answer (its header `Date`), and when TMDB made the answer's content."""

    sent_at: datetime
    made_at: datetime


def times_of(answer: requests.Response) -> Times:
    """Return when TMDB sent an answer, and when it made the content, by TMDB's clock.

    If TMDB sent no date, the answer counts as sent now, by this machine's clock.

    Raises:
        ClockError: The two clocks differ by more than a day.
    """
    here, age = now(), _content_age(answer)
    try:
        there = parsedate_to_datetime(answer.headers["Date"]).astimezone(UTC)
    except (KeyError, ValueError):
        there = here
    if abs(here - there) > _CLOCK_TOLERANCE:
        there += age  # perhaps a cache has kept the answer with its first date
    if abs(here - there) > _CLOCK_TOLERANCE:
        raise ClockError(here, there)
    return Times(there, there - age)


def _content_age(answer: requests.Response) -> timedelta:
    """Return how long caches have held the content of an answer.

    TMDB has two caches, one behind the other, and each sends an age of its own. If the second cache
    has kept the answer's first date, its age is subtracted twice. The content then seems older than
    it is, and is only requested again sooner; the opposite mistake would lose changes.
    """
    ages = (answer.headers.get(name, "") for name in ("Age", "X-Memc-Age"))
    seconds = sum(int(age) for age in ages if _SECONDS.fullmatch(age.strip()))
    return min(timedelta(seconds=seconds), _LONGEST_AGE)


def listing_of(content: Any) -> Listing:
    """Parse one page of a list, and leave out its entries without a film id.

    Raises:
        TmdbUnavailableError: The page, or each of its entries, has an unknown format.
    """
    try:
        entries = list(content["results"])
        films = [entry for entry in entries if _has_id(entry)]
        unusable = len(entries) - len(films)
        if films or unusable < _ENTRIES_TO_JUDGE:
            pages, total = int(content["total_pages"]), int(content["total_results"])
            return Listing(films, pages, total, unusable)
    except (KeyError, TypeError, ValueError):
        pass
    raise TmdbUnavailableError("sent a list of films in an unknown format")


def _has_id(entry: Any) -> bool:
    film_id = entry.get("id") if isinstance(entry, dict) else None
    # `type`, because a boolean is an instance of int.
    return type(film_id) is int and 0 < film_id <= _LARGEST_ID


def object_of(content: Any, number: int, kind: str) -> FilmJson:
    """Return TMDB's answer to the request for a film or a person.

    Args:
        content: The answer.
        number: The requested id.
        kind: What was requested, for the message.

    Raises:
        TmdbUnavailableError: The answer is no object of TMDB, or it has another id.
    """
    if not isinstance(content, dict):
        raise TmdbUnavailableError(f"sent a {kind} in an unknown format")
    if content.get("id") != number:
        raise TmdbUnavailableError(f"sent a {kind} without its id, or another {kind}")
    return content


def refusal(answer: requests.Response) -> Exception:
    """Return the error that an answer with an HTTP status of 400 or more means."""
    status = answer.status_code
    if status == requests.codes.not_found and _status_code(answer) == NOT_FOUND_CODE:
        return NotFoundError(times_of(answer).made_at)
    if status in {requests.codes.unauthorized, requests.codes.forbidden}:
        return TmdbError(f"TMDB refuses the key (HTTP {status}); check TMDB_API_KEY")
    if status in {404, 429} or status >= requests.codes.server_error:
        return TmdbUnavailableError(f"answered HTTP {status}", _retry_after(answer))
    return TmdbError(f"TMDB answered HTTP {status} to a valid request")


def _status_code(answer: requests.Response) -> int | None:
    """Return the status code that TMDB writes into its JSON.

    The result is None if the response has none, for example a 404 response from a proxy.
    """
    try:
        code: int | None = answer.json()["status_code"]
    except (ValueError, KeyError, TypeError):
        return None
    return code


def _retry_after(answer: requests.Response) -> float | None:
    value = answer.headers.get("Retry-After", "")
    return float(value) if value.isdigit() else None
