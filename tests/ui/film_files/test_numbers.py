from datetime import time, timedelta
from typing import Any

import pytest

from ui.film_files.numbers import (
    COMMA,
    POINT,
    Money,
    UnclearError,
    decimal_sign_of,
    is_nothing,
    read_minutes,
    read_money,
    read_number,
    unit_of_money,
    usual,
)

DOLLARS, WON, UNKNOWN = Money(1, "USD"), Money(1, "KRW"), Money(1, "")
HUNDRED_MILLION_WON = Money(10**8, "KRW")


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("112", 112),
        ("1,500,000", 1_500_000),
        ("1.500.000", 1_500_000),
        ("1.500.000,00", 1_500_000),
        ("1,500,000.00", 1_500_000),
        ("1 500 000", 1_500_000),
        ("1\u202f500\u00a0000,5", 1_500_000.5),
        ("1'500'000", 1_500_000),
        ("1,112.5", 1112.5),
        ("1.112,5", 1112.5),
        ("7.5", 7.5),
        ("7,5", 7.5),
        ("0.125", 0.125),
        ("-5", -5),
        ("１１２", 112),
    ],
)
def test_number_with_one_meaning_is_read(text: str, number: float):
    assert read_number(usual(text), None) == number


@pytest.mark.parametrize("text", ["1.500", "1,500", "12.500", "999,999"])
def test_number_with_two_meanings_is_unclear(text: str):
    with pytest.raises(UnclearError):
        read_number(text, None)


@pytest.mark.parametrize(
    ("text", "sign", "number"), [("1.500", COMMA, 1500), ("1,500", POINT, 1500)]
)
def test_sign_of_the_file_tells_thousands(text: str, sign: str, number: float):
    assert read_number(text, sign) == number


@pytest.mark.parametrize(("text", "sign"), [("1.500", POINT), ("1,500", COMMA)])
def test_sign_of_the_file_makes_no_decimals_of_three_digits(text: str, sign: str):
    with pytest.raises(UnclearError):
        read_number(text, sign)


@pytest.mark.parametrize(
    "text",
    ["", "abc", "1_12", "1e2", "0x70", "nan", "--1", "1,12,3", "1.2.3", "12 5", "1 5000"],
)
def test_text_that_is_no_number_is_refused(text: str):
    with pytest.raises(ValueError, match=r".*"):
        read_number(text, None)


@pytest.mark.parametrize(
    ("cells", "delimiter", "sign"),
    [
        (["1.500.000,00", "1.500"], "\t", COMMA),
        (["1,500,000.00", "1,500"], "\t", POINT),
        (["$12.5M", "$1,500"], ";", POINT),
        (["1.500", "2.000"], "\t", None),
        (["7,5", "7.5"], "\t", None),
        (["112"], ",", POINT),
        (["112"], ";", COMMA),
        (["112"], None, None),
        (["1,12"], ",", POINT),
        (["1,12"], "\t", COMMA),
    ],
)
def test_column_tells_the_sign_before_decimals(
    cells: list[Any], delimiter: str | None, sign: str | None
):
    assert decimal_sign_of(cells, delimiter) == sign


@pytest.mark.parametrize(
    ("cell", "minutes"),
    [
        ("112", 112),
        (112, 112),
        (112.0, 112),
        ("120분", 120),
        ("120 분", 120),
        ("120 min", 120),
        ("120 mins.", 120),
        ("112'", 112),
        ("2시간 5분", 125),
        ("2시간5분", 125),
        ("2시간", 120),
        ("2h 5m", 125),
        ("2h5m", 125),
        ("2 hours 5 minutes", 125),
        ("1h 52min", 112),
        ("1.5h", 90),
        ("2:05:00", 125),
        ("PT2H5M", 125),
        (time(2, 5), 125),
        (timedelta(hours=2, minutes=5), 125),
    ],
)
def test_running_time_is_read(cell: Any, minutes: float):
    assert read_minutes(cell, POINT) == minutes


@pytest.mark.parametrize(
    "cell", ["long", "2:05", "약 120분", "90~100", "90-100분", "120 s", "h", "PT", True, "2h 5x"]
)
def test_unclear_running_time_is_refused(cell: Any):
    with pytest.raises(ValueError, match=r".*"):
        read_minutes(cell, POINT)


@pytest.mark.parametrize(
    ("unit", "minutes"), [("분", 2), ("min", 2), ("hours", 120), ("시간", 120)]
)
def test_heading_tells_the_unit_of_running_times(unit: str, minutes: float):
    assert read_minutes("2", POINT, unit) == minutes


def test_running_time_in_another_unit_is_refused():
    with pytest.raises(ValueError, match="초"):
        read_minutes("7200", POINT, "초")


@pytest.mark.parametrize(
    ("cell", "unit", "money"),
    [
        ("20000000", DOLLARS, Money(20_000_000, "USD")),
        (20_000_000.0, DOLLARS, Money(20_000_000, "USD")),
        ("$12.5M", UNKNOWN, Money(12_500_000, "USD")),
        ("$12.5M", DOLLARS, Money(12_500_000, "USD")),
        ("US$ 12,500,000", UNKNOWN, Money(12_500_000, "USD")),
        ("12.5 million USD", UNKNOWN, Money(12_500_000, "USD")),
        ("$1.2bn", UNKNOWN, Money(1_200_000_000, "USD")),
        ("500만 달러", UNKNOWN, Money(5_000_000, "USD")),
        ("50억", UNKNOWN, Money(5_000_000_000, "KRW")),
        ("50억 원", DOLLARS, Money(5_000_000_000, "KRW")),
        ("12억 5천만 원", UNKNOWN, Money(1_250_000_000, "KRW")),
        ("5,000,000,000원", UNKNOWN, Money(5_000_000_000, "KRW")),
        ("₩5,000,000,000", UNKNOWN, Money(5_000_000_000, "KRW")),
        ("50", HUNDRED_MILLION_WON, Money(5_000_000_000, "KRW")),
        (50, HUNDRED_MILLION_WON, Money(5_000_000_000, "KRW")),
        ("50억", HUNDRED_MILLION_WON, Money(5_000_000_000, "KRW")),
        ("120.5", HUNDRED_MILLION_WON, Money(12_050_000_000, "KRW")),
        ("50", UNKNOWN, Money(50, "")),
        ("1.500.000,00", UNKNOWN, Money(1_500_000, "")),
    ],
)
def test_budget_is_read_with_its_currency(cell: Any, unit: Money, money: Money):
    assert read_money(cell, None, unit) == money


@pytest.mark.parametrize(
    "cell",
    ["much", "€5M", "5 EUR", "A$5M", "C$5M", "£5m", "¥500", "5-6억", "약 50억", "억", "$", True],
)
def test_sum_in_another_currency_and_words_are_refused(cell: Any):
    with pytest.raises(ValueError, match=r".*"):
        read_money(cell, POINT, DOLLARS)


@pytest.mark.parametrize(
    ("cell", "unit"),
    [
        ("$5", HUNDRED_MILLION_WON),
        ("5,000,000원", DOLLARS),
        ("$5 원", UNKNOWN),
        ("5억 5억", UNKNOWN),
    ],
)
def test_sum_that_contradicts_its_heading_is_refused(cell: str, unit: Money):
    with pytest.raises(ValueError, match=r".*"):
        read_money(cell, POINT, unit)


@pytest.mark.parametrize(
    ("unit", "money"),
    [
        ("억원", HUNDRED_MILLION_WON),
        ("억", HUNDRED_MILLION_WON),
        ("단위: 억원", HUNDRED_MILLION_WON),
        ("만원", Money(10**4, "KRW")),
        ("원", WON),
        ("백만원", Money(10**6, "KRW")),
        ("미국 달러", DOLLARS),
        ("US dollars", DOLLARS),
        ("USD", DOLLARS),
        ("$", DOLLARS),
        ("$M", Money(10**6, "USD")),
        ("USD million", Money(10**6, "USD")),
        ("in millions", Money(10**6, "")),
        ("만 달러", Money(10**4, "USD")),
        ("", UNKNOWN),
        ("EUR", None),
    ],
)
def test_heading_tells_the_unit_of_budgets(unit: str, money: Money | None):
    assert unit_of_money(unit) == money


@pytest.mark.parametrize("text", ["N/A", "미정", "-", "TBD", "\\N", "NaN", "해당 없음"])
def test_word_for_nothing_is_recognised(text: str):
    assert is_nothing(text)


@pytest.mark.parametrize("cell", ["1억 5천", "12억5천", "1조 5천", "1억 5천 원"])
def test_korean_sum_that_people_shorten_is_unclear(cell: str):
    with pytest.raises(UnclearError):
        read_money(cell, None, Money(1, "KRW"))
