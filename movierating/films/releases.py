"""Find the day of a film's first release, from TMDB's release dates in all countries.

TMDB's `release_date` is usually the opening in the cinemas of one country. Before it, a film may
already be shown at a festival or in another country, and get its first votes. So this project uses
a film's earliest release of any type in any country. If `release_date` is earlier, or is the only
date that TMDB has, it is used instead.

People type these dates, so one country's date may have a wrong year. Such a mistake would move a
film from the films to come to the films of the past. So a date long before `release_date` counts
only if a second date confirms it.
"""

from collections.abc import Iterator
from datetime import date, timedelta
from enum import IntEnum
from itertools import pairwise
from typing import Any, Final, NamedTuple

# A film waits for its opening in cinemas for one festival season or two, hardly ever for longer.
LARGEST_LEAD: Final = timedelta(2 * 366)
FIRST_FILM: Final = date(1874, 1, 1)  # the release of TMDB's oldest film; older dates are mistakes
_DAY_LENGTH: Final = len("2026-11-23")  # TMDB's dates of releases continue with "T00:00:00.000Z"


class ReleaseType(IntEnum):
    """TMDB's codes for the types of release, such as a premiere or a release in cinemas."""

    PREMIERE = 1  # mostly at a festival
    LIMITED = 2  # in few cinemas
    THEATRICAL = 3
    DIGITAL = 4
    PHYSICAL = 5
    TV = 6


_TYPES: Final = frozenset(map(int, ReleaseType))


class Release(NamedTuple):
    """One release of a film.

    Attributes:
        day: The date.
        type: How the film is released; None if TMDB only has the film's `release_date`.
        country: ISO 3166-1 code; empty if unknown.
    """

    day: date
    type: ReleaseType | None
    country: str


def first_release(release_date: date | None, release_dates: Any) -> Release | None:
    """Find a film's first release. On the same day, a premiere comes before other types.

    A date that lies more than `LARGEST_LEAD` before the next date of the film, at the latest
    `release_date`, is taken for a mistake.

    Args:
        release_date: The field `release_date` of TMDB's answer; None if unknown.
        release_dates: The part `release_dates` of TMDB's answer; None if unknown.

    Returns:
        The release; None if TMDB has no date for the film.
    """
    found = sorted(_releases(release_dates))
    if release_date is None:
        return found[0] if found else None
    known = [each for each in found if each.day <= release_date]
    known.append(Release(release_date, None, ""))
    confirmed = (each for each, later in pairwise(known) if later.day - each.day <= LARGEST_LEAD)
    return next(confirmed, known[-1])


def _releases(release_dates: Any) -> Iterator[Release]:
    """Read from TMDB's JSON the releases that have a possible date and a known type."""
    for country in _objects(release_dates, "results"):
        code = country.get("iso_3166_1")
        for each in _objects(country, "release_dates"):
            day, type_ = _day(each.get("release_date")), _type(each.get("type"))
            if day and type_:
                yield Release(day, type_, code if isinstance(code, str) else "")


def _objects(value: Any, name: str) -> Iterator[dict[str, Any]]:
    listed = value.get(name) if isinstance(value, dict) else None
    if isinstance(listed, list):
        yield from (each for each in listed if isinstance(each, dict))


def _day(text: Any) -> date | None:
    try:
        day = date.fromisoformat(text[:_DAY_LENGTH])
    except (TypeError, ValueError):
        return None
    return day if day >= FIRST_FILM else None


def _type(code: Any) -> ReleaseType | None:
    is_code = isinstance(code, int) and not isinstance(code, bool) and code in _TYPES
    return ReleaseType(code) if is_code else None
