from datetime import date, datetime
from typing import Any

import pytest

from ui.film_files.dates import DAY_FIRST, MONTH_FIRST, date_order_of, is_unclear, read_day
from ui.film_files.numbers import UnclearError

CHRISTMAS = "2026-12-25"


@pytest.mark.parametrize(
    "cell",
    [
        "2026-12-25",
        "2026.12.25",
        "2026/12/25",
        "2026. 12. 25.",
        "2026.12.25(금)",
        "2026.12.25 (금)",
        "2026년 12월 25일",
        "2026년12월25일",
        "2026년 12월 25일 금요일",
        "２０２６．１２．２５",
        "20261225",
        20261225,
        20261225.0,
        "2026-12-25T00:00:00Z",
        "2026-12-25 00:00:00",
        "12/25/2026",
        "25/12/2026",
        "25.12.2026",
        "25-12-2026",
        "December 25, 2026",
        "Dec. 25, 2026",
        "Dec 25 2026",
        "25 December 2026",
        "25-Dec-2026",
        "25th of December 2026",
        "Friday, December 25, 2026",
        date(2026, 12, 25),
        datetime(2026, 12, 25),  # noqa: DTZ001 - workbooks know no time zones
    ],
)
def test_date_with_one_meaning_is_read(cell: Any):
    assert read_day(cell, None) == CHRISTMAS


@pytest.mark.parametrize("cell", ["03/04/2026", "3.4.2026", "03-04-2026", "1/12/2026"])
def test_date_with_two_meanings_is_unclear(cell: str):
    assert is_unclear(cell)
    with pytest.raises(UnclearError):
        read_day(cell, None)


@pytest.mark.parametrize(("order", "day"), [(MONTH_FIRST, "2026-03-04"), (DAY_FIRST, "2026-04-03")])
def test_known_order_makes_the_date_clear(order: str, day: str):
    assert read_day("03/04/2026", order) == day
    assert read_day("04/04/2026", None) == "2026-04-04"


@pytest.mark.parametrize(
    "cell",
    [
        "soon", "2026", "2026.12", "2026년 12월", "26.12.25", "12/25/26", "13/13/2026",
        "2026-02-30",
        "25 Foo 2026", "46381", 46381, 46381.5, "2026-12-25 or later", "30/02/2026", True, "",
    ],
)  # fmt: skip
def test_text_that_is_no_whole_date_is_refused(cell: Any):
    with pytest.raises(ValueError, match=r".*"):
        read_day(cell, MONTH_FIRST)


@pytest.mark.parametrize(
    ("cells", "order"),
    [
        (["03/04/2026", "12/25/2026"], MONTH_FIRST),
        (["03/04/2026", "25/12/2026"], DAY_FIRST),
        (["03/04/2026", "04/04/2026"], None),
        (["25/12/2026", "12/25/2026"], None),
        ([date(2026, 1, 2), "2026-01-02", "x"], None),
    ],
)
def test_other_dates_of_the_column_tell_the_order(cells: list[Any], order: str | None):
    assert date_order_of(cells) == order
