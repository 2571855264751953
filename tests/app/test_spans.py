from datetime import date

import pytest

from app.spans import MAX_DAYS, span_of

TODAY = date(2026, 11, 30)  # a Monday


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("today", "2026-11-30", "2026-11-30"),
        ("yesterday", "2026-11-29", "2026-11-29"),
        ("tomorrow", "2026-12-01", "2026-12-01"),
        ("this_week", "2026-11-30", "2026-12-06"),
        ("last_week", "2026-11-23", "2026-11-29"),
        (" Last Week ", "2026-11-23", "2026-11-29"),
        ("last-week", "2026-11-23", "2026-11-29"),
        ("next_week", "2026-12-07", "2026-12-13"),
        ("this_month", "2026-11-01", "2026-11-30"),
        ("last_month", "2026-10-01", "2026-10-31"),
        ("next_month", "2026-12-01", "2026-12-31"),
        ("last_7_days", "2026-11-24", "2026-11-30"),
        ("next_30_days", "2026-11-30", "2026-12-29"),
        ("last_1_day", "2026-11-30", "2026-11-30"),
        ("2026-11-27", "2026-11-27", "2026-11-27"),
        ("2026-W53", "2026-12-28", "2027-01-03"),
        ("2026w01", "2025-12-29", "2026-01-04"),
        ("2028-02", "2028-02-01", "2028-02-29"),
        ("2026-11-01..2026-11-15", "2026-11-01", "2026-11-15"),
        ("2026-11-01/2026-11-15", "2026-11-01", "2026-11-15"),
        ("2026-09-01..2026-12-01", "2026-09-01", "2026-12-01"),
    ],
)
def test_span_has_the_days_that_a_caller_means(text: str, first: str, last: str):
    span = span_of(text, TODAY)
    assert (span.first.isoformat(), span.last.isoformat()) == (first, last)
    assert span.first in span
    assert span.last in span


def test_last_week_is_the_whole_week_before_on_every_day():
    weeks = {span_of("last_week", date(2026, 11, day)) for day in range(23, 30)}
    assert len(weeks) == 1


@pytest.mark.parametrize(
    "text",
    [
        "lately",
        "week",
        "2026",
        "2026-13",
        "2026-02-30",
        "2026-W54",
        "2026-W00",
        "last_0_days",
        "last_999_days",
        "2026-11-15..2026-11-01",
        "2026-09-01..2026-12-02",
        "0000-01",
        "9999-12-31..",
        "11/27/2026",
        "²026-11-27",
    ],
)
def test_other_value_is_refused_with_the_forms_that_are_allowed(text: str):
    with pytest.raises(ValueError, match=rf"send today, .* at most {MAX_DAYS} days"):
        span_of(text, TODAY)


@pytest.mark.parametrize("text", ["yesterday", "last_week", "last_month"])
def test_span_before_the_first_day_of_the_calendar_is_refused(text: str):
    with pytest.raises(ValueError, match="send today"):
        span_of(text, date.min)
