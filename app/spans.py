"""Spans of days, as callers name them: `last_week`, `2026-11`, `2026-11-01..2026-11-15`."""

import re
from calendar import monthrange
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final, Self

MAX_DAYS: Final = 92  # a quarter; a longer list of films would take too long to sort
_DAY: Final = timedelta(days=1)
_WEEK: Final = timedelta(weeks=1)
# This sentence ends the message about a value that is none of these.
FORMS: Final = (
    "send today, yesterday, tomorrow, this_week, last_week, next_week, this_month, last_month, "
    "next_month, last_7_days, next_30_days, a day (2026-11-27), a week (2026-W48), a month "
    f"(2026-11), or two days (2026-11-01..2026-11-15); a span has at most {MAX_DAYS} days"
)


@dataclass(frozen=True)
class Span:
    """Days from `first` to `last`, both included."""

    first: date
    last: date

    def __contains__(self, day: date) -> bool:
        """Return whether a day is in the span."""
        return self.first <= day <= self.last

    @classmethod
    def week(cls, day: date) -> Self:
        """Return the week with this day, Monday to Sunday (ISO 8601)."""
        monday = day - day.weekday() * _DAY
        return cls(monday, monday + _WEEK - _DAY)

    @classmethod
    def month(cls, day: date) -> Self:
        """Return the calendar month with this day."""
        return cls(day.replace(day=1), day.replace(day=monthrange(day.year, day.month)[1]))


_NAMED: Final[Mapping[str, Callable[[date], Span]]] = {
    "today": lambda day: Span(day, day),
    "yesterday": lambda day: Span(day - _DAY, day - _DAY),
    "tomorrow": lambda day: Span(day + _DAY, day + _DAY),
    "this_week": Span.week,
    "last_week": lambda day: Span.week(day - _WEEK),
    "next_week": lambda day: Span.week(day + _WEEK),
    "this_month": Span.month,
    "last_month": lambda day: Span.month(Span.month(day).first - _DAY),
    "next_month": lambda day: Span.month(Span.month(day).last + _DAY),
}


def span_of(text: str, today: date) -> Span:
    """Return the span that a caller means. Case does not matter; space and `-` stand for `_`.

    Args:
        text: The name of a span, or its days.
        today: The day from which named spans are counted.

    Raises:
        ValueError: The text is none of the forms, or the span is too long; the message says so.
    """
    try:
        span = _read(text.strip(), today)
    except (ValueError, OverflowError):  # such as 2026-02-30
        span = None
    if span is None or span.first > span.last or (span.last - span.first).days >= MAX_DAYS:
        raise ValueError(FORMS)
    return span


def _read(text: str, today: date) -> Span | None:
    name = re.sub(r"[\s-]+", "_", text.lower())
    if name in _NAMED:
        return _NAMED[name](today)
    if counted := re.fullmatch(r"(last|next)_(\d{1,3})_days?", name):
        others = (int(counted[2]) - 1) * _DAY  # today is one of the days
        last = counted[1] == "last"
        return Span(today - others, today) if last else Span(today, today + others)
    if week := re.fullmatch(r"(\d{4})-?W(\d{2})", text, re.IGNORECASE):
        return Span.week(date.fromisocalendar(int(week[1]), int(week[2]), 1))
    if re.fullmatch(r"\d{4}-\d{2}", text):
        return Span.month(date.fromisoformat(f"{text}-01"))
    days = re.fullmatch(r"(\d{4}-\d{2}-\d{2})(?:\s*(?:\.\.|/)\s*(\d{4}-\d{2}-\d{2}))?", text)
    if days is None:
        return None
    return Span(date.fromisoformat(days[1]), date.fromisoformat(days[2] or days[1]))
