"""Read dates as people write them. A date that could be two days is refused, or asked about."""

import re
from collections.abc import Iterable
from datetime import date, datetime
from functools import cache
from typing import Final

from babel import Locale

from ui.film_files.numbers import UnclearError, usual
from ui.film_files.table import Cell

MONTH_FIRST, DAY_FIRST = "month", "day"
_END: Final = r"(?:[T ]\d{1,2}:\d{2}.*|\s*[(\[][^)\]]{1,9}[)\]]|\s*[월화수목금토일]요일)?"
_YEAR_FIRST: Final = re.compile(
    r"(?P<year>\d{4})(?:\s*[-./]\s*|\s*년\s*)(?P<month>\d{1,2})(?:\s*[-./]\s*|\s*월\s*)"
    r"(?P<day>\d{1,2})\s*[.일]?" + _END
)
_COMPACT: Final = re.compile(r"(?P<year>(?:18|19|20)\d{2})(?P<month>\d{2})(?P<day>\d{2})")
_YEAR_LAST: Final = re.compile(
    r"(?P<first>\d{1,2})\s*[-./]\s*(?P<second>\d{1,2})\s*[-./]\s*(?P<year>\d{4})[.]?" + _END
)
_NAMED: Final = re.compile(
    r"(?:\w+day,? )?(?:(?P<day1>\d{1,2})(?:st|nd|rd|th)?[ -](?:of )?(?P<month1>[^\W\d]+)[.,]?"
    r"|(?P<month2>[^\W\d]+)[.]?[ -](?P<day2>\d{1,2})(?:st|nd|rd|th)?),?[ -](?P<year>\d{4})",
    re.IGNORECASE,
)


def date_order_of(cells: Iterable[Cell]) -> str | None:
    """Return whether the dates of a column begin with the month or the day.

    Returns:
        `MONTH_FIRST` or `DAY_FIRST`; None if no date tells, or if two dates contradict each other.
    """
    told = set()
    for cell in cells:
        found = _YEAR_LAST.fullmatch(usual(cell)) if isinstance(cell, str) else None
        if found:
            days = _days(found)
            told |= set(days) if len(days) == 1 else set()
    return told.pop() if len(told) == 1 else None


def is_unclear(cell: Cell) -> bool:
    """Return whether a date could be two different days."""
    found = _YEAR_LAST.fullmatch(usual(cell)) if isinstance(cell, str) else None
    return found is not None and len(set(_days(found).values())) > 1


def read_day(cell: Cell, order: str | None) -> str:
    """Read a date.

    Args:
        cell: The cell.
        order: Whether dates such as 03/04/2026 begin with the month or the day; None if that is
            not known.

    Returns:
        The date in ISO 8601.

    Raises:
        UnclearError: The cell could be two different days.
        ValueError: The cell is no date.
    """
    if isinstance(cell, datetime):
        return cell.date().isoformat()
    if isinstance(cell, date):
        return cell.isoformat()
    text = usual(_whole_number(cell))
    if found := _YEAR_FIRST.fullmatch(text) or _COMPACT.fullmatch(text):
        return date(int(found["year"]), int(found["month"]), int(found["day"])).isoformat()
    if found := _NAMED.fullmatch(text):
        month = _months().get((found["month1"] or found["month2"]).casefold(), 0)
        return date(int(found["year"]), month, int(found["day1"] or found["day2"])).isoformat()
    if found := _YEAR_LAST.fullmatch(text):
        return _year_last(_days(found), order)
    raise ValueError(cell)


def _whole_number(cell: Cell) -> str:
    """Return a cell as text: a spreadsheet stores 20261225 as a number."""
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    if isinstance(cell, str) or (isinstance(cell, int) and not isinstance(cell, bool)):
        return str(cell)
    raise ValueError(cell)


def _year_last(days: dict[str, date], order: str | None) -> str:
    if len(set(days.values())) == 1:
        return next(iter(days.values())).isoformat()
    if not days:
        raise ValueError("no such day")
    if order is None:
        raise UnclearError("the month or the day may be first")
    return days[order].isoformat()


def _days(found: re.Match[str]) -> dict[str, date]:
    """Return the days that a date with its year at the end can be, by the order of its parts."""
    year, first, second = (int(found[name]) for name in ("year", "first", "second"))
    days = {}
    for order, month, day in ((MONTH_FIRST, first, second), (DAY_FIRST, second, first)):
        try:
            days[order] = date(year, month, day)
        except ValueError:
            continue
    return days


@cache
def _months() -> dict[str, int]:
    names = Locale("en").months["format"]
    return {
        str(name).casefold(): number
        for width in ("wide", "abbreviated")
        for number, name in names[width].items()
    } | {"sept": 9}
