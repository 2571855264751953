"""Read numbers, running times and budgets as people write them.

A cell can be ambiguous: `1.500` is one and a half or fifteen hundred. Such a cell is read only if
its file says which sign separates decimals: another cell in the column does, or the delimiter does.
"""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import time, timedelta
from typing import Final

from ui.film_files.table import Cell

POINT, COMMA = ".", ","  # the two signs before decimals
_DIGITS: Final = r"[1-9]\d{0,2}(?:%s\d{3})+|\d+"
_SPACES: Final = "[ \u00a0\u202f']"
_NUMBER_WITH: Final = {
    POINT: re.compile(rf"[+-]?(?:{_DIGITS % ','}|{_DIGITS % _SPACES})(?:\.\d+)?"),
    COMMA: re.compile(rf"[+-]?(?:{_DIGITS % '[.]'}|{_DIGITS % _SPACES})(?:,\d+)?"),
}
_THOUSANDS: Final = {POINT: re.compile(f",|{_SPACES}"), COMMA: re.compile(f"[.]|{_SPACES}")}
_LONE_COMMA: Final = re.compile(r"[+-]?\d+,\d+")
_NUMBER: Final = r"[+-]?\d[\d.,'\u00a0\u202f ]*"
NOTHING: Final = frozenset(
    {"-", "–", "—", "?", "n/a", "na", "nan", "nat", "none", "null", "tbd", "tba", "tbc", "unknown"}
    | {"\\n", "미정", "미상", "없음", "모름", "해당없음"}
)


class UnclearError(ValueError):
    """A cell could mean two things."""


def is_nothing(text: str) -> bool:
    """Return whether a cell says that the value is not known, such as `N/A` or `미정`."""
    return text.casefold().replace(" ", "") in NOTHING


def usual(text: str) -> str:
    """Return a text with digits and signs in their usual width, and single spaces."""
    return " ".join(unicodedata.normalize("NFKC", text).replace("−", "-").split())


def decimal_signs(text: str) -> set[str]:
    """Return the signs before decimals with which a number can be read."""
    return {sign for sign, pattern in _NUMBER_WITH.items() if pattern.fullmatch(text)}


def decimal_sign_of(cells: Iterable[Cell], delimiter: str | None) -> str | None:
    """Return the sign before decimals that a column uses; None if the file does not tell.

    Args:
        cells: All cells of the column.
        delimiter: The delimiter of the file. A program that writes decimals with a comma does not
            separate cells with commas, and only such a program separates them with semicolons.
    """
    texts = (usual(cell) for cell in cells if isinstance(cell, str))
    found = [number.strip() for text in texts for number in re.findall(_NUMBER, text)]
    told: set[str] = set()
    for number in found:
        signs = decimal_signs(number)
        is_typing_error = delimiter == "," and _LONE_COMMA.fullmatch(number)
        if len(signs) == 1 and not is_typing_error:
            told |= signs
    if len(told) == 1:
        return told.pop()
    return None if told else {",": POINT, ";": COMMA}.get(delimiter or "")


def read_number(text: str, sign: str | None) -> float:
    """Read a number.

    Args:
        text: The number, with or without signs between thousands.
        sign: The sign before decimals in this file; None if it is not known.

    Raises:
        UnclearError: The text can be read as two numbers.
        ValueError: The text is no number.
    """
    signs = decimal_signs(text)
    if not signs or (sign and sign not in signs):
        raise ValueError(text)
    values = {each: _value(text, each) for each in signs}
    if len(set(values.values())) == 1:
        return next(iter(values.values()))
    # Three decimals are rare, so the file's sign counts only where it makes thousands of them.
    if sign and values[sign] == max(values.values(), key=abs):
        return values[sign]
    raise UnclearError(text)


def _value(text: str, sign: str) -> float:
    return float(_THOUSANDS[sign].sub("", text).replace(",", "."))


_HOURS: Final = r"(?P<hours>[\d.,]+)\s*(?:h|hr|hrs|hour|hours|시간)"
_MINUTES: Final = r"(?P<minutes>[\d.,]+)\s*(?:m|min|mins|minute|minutes|분|['′’])?[.]?"
_HOURS_AND_MINUTES: Final = re.compile(
    rf"{_HOURS}[.]?\s*(?:,|and)?\s*(?:{_MINUTES})?", re.IGNORECASE
)
_ONLY_MINUTES: Final = re.compile(
    rf"(?P<minutes>{_NUMBER}?)\s*(?:m|min|mins|minutes?|분|['′’])?[.]?", re.IGNORECASE
)
_CLOCK: Final = re.compile(r"(?P<hours>\d{1,2}):(?P<minutes>[0-5]\d):(?P<seconds>[0-5]\d)")
_ISO: Final = re.compile(r"PT(?=\d)(?:(?P<hours>\d+)H)?(?:(?P<minutes>\d+)M)?", re.IGNORECASE)
_MINUTE_UNITS: Final = frozenset(("", "min", "mins", "minutes", "minute", "m", "분"))
_HOUR_UNITS: Final = frozenset(("h", "hr", "hrs", "hour", "hours", "시간"))


def read_minutes(cell: Cell, sign: str | None, unit: str = "") -> float:
    """Read a running time, such as `120`, `120분`, `2h 5m`, `2시간 5분` or `2:05:00`.

    Args:
        cell: The cell.
        sign: The sign before decimals in this column; None if it is not known.
        unit: The unit in the heading.

    Raises:
        UnclearError: The cell can be read as two numbers.
        ValueError: The cell is no running time.
    """
    if isinstance(cell, timedelta):
        return cell.total_seconds() / 60
    if isinstance(cell, time):
        return cell.hour * 60 + cell.minute + cell.second / 60
    scale = 60 if unit.casefold() in _HOUR_UNITS else 1
    if scale == 1 and unit.casefold() not in _MINUTE_UNITS:
        raise ValueError(unit)
    if isinstance(cell, int | float) and not isinstance(cell, bool):
        return cell * scale
    if not isinstance(cell, str):
        raise ValueError(cell)  # noqa: TRY004 - all errors of a cell are of one kind
    text = usual(cell)
    if exact := _CLOCK.fullmatch(text) or _ISO.fullmatch(text):
        parts = exact.groupdict("0")
        return int(parts["hours"]) * 60 + int(parts["minutes"]) + int(parts.get("seconds", 0)) / 60
    if both := _HOURS_AND_MINUTES.fullmatch(text):
        return read_number(both["hours"], sign) * 60 + read_number(both["minutes"] or "0", sign)
    if alone := _ONLY_MINUTES.fullmatch(text):
        return read_number(alone["minutes"].strip(), sign) * (
            scale if alone["minutes"].strip() == text else 1
        )
    raise ValueError(cell)


@dataclass(frozen=True)
class Money:
    """A sum of money; the currency is `USD`, `KRW`, or empty if nothing names it."""

    amount: float
    currency: str


_SCALES: Final = {
    "": 1, "k": 10**3, "thousand": 10**3, "thousands": 10**3, "천": 10**3,
    "만": 10**4, "백만": 10**6, "m": 10**6, "mm": 10**6, "mn": 10**6, "mil": 10**6, "mio": 10**6,
    "million": 10**6, "millions": 10**6, "천만": 10**7, "억": 10**8,
    "b": 10**9, "bn": 10**9, "billion": 10**9, "billions": 10**9, "십억": 10**9, "조": 10**12,
}  # fmt: skip
_DOLLARS: Final = ("us$", "usd", "us dollars", "us dollar", "u.s. dollars", "dollars", "dollar",
                   "미국 달러", "미국달러", "달러", "불", "미불", "$")  # fmt: skip
_WON: Final = ("krw", "won", "korean won", "원", "₩")
# What a plain number in a Korean column of budgets can be; the visitor is asked.
BUDGET_UNITS: Final = {
    "hundred_million_won": Money(10**8, "KRW"),
    "ten_thousand_won": Money(10**4, "KRW"),
    "won": Money(1, "KRW"),
    "dollars": Money(1, "USD"),
}
_CURRENCY: Final = "|".join(map(re.escape, sorted((*_DOLLARS, *_WON), key=len, reverse=True)))
_SCALE: Final = "|".join(sorted(filter(None, _SCALES), key=len, reverse=True))
_MONEY: Final = re.compile(
    rf"(?P<before>{_CURRENCY})?\s*(?P<number>{_NUMBER}?)\s*(?P<scale>{_SCALE})?[.]?"
    rf"\s*(?P<after>{_CURRENCY})?",
    re.IGNORECASE,
)
_UNIT: Final = re.compile(
    rf"(?:in\s+|단위\s*:\s*|unit\s*:\s*)?(?P<before>{_CURRENCY})?\s*(?:in\s+)?(?P<scale>{_SCALE})?\s*(?P<after>{_CURRENCY})?",
    re.IGNORECASE,
)
# A Korean number may have several parts, such as 12억 5천만.
_KOREAN_PARTS: Final = re.compile(r"(?<![\d,.])(\d[\d,.]*)\s*(조|억|천만|백만|만|천)")
# People say `1억 5천` for 1억 5천만, but written out, it is a sum of 100,005,000.
_UNCLEAR_ENDS: Final = (["억", "천"], ["조", "천"])
# Without a currency, these mean won. A million or a thousand is also said of dollars.
_KOREAN_SCALES: Final = frozenset(["조", "억", "천만", "만"])


def unit_of_money(unit: str) -> Money | None:
    """Read the unit in a heading, such as `억원` or `US$ million`; None if it is no unit."""
    found = _UNIT.fullmatch(unit.strip())
    if not found:
        return None
    scale = (found["scale"] or "").casefold()
    currency = _currency(found["before"], found["after"], scale)
    return Money(_SCALES[scale], currency)


def read_money(cell: Cell, sign: str | None, unit: Money) -> Money:
    """Read a budget, such as `$12.5M`, `1.500.000,00`, `50억` or a plain number.

    Args:
        cell: The cell.
        sign: The sign before decimals in this column; None if it is not known.
        unit: What the heading says about a plain number: its scale and its currency.

    Raises:
        UnclearError: The cell can be read as two sums.
        ValueError: The cell is no sum of dollars or won.
    """
    if isinstance(cell, int | float) and not isinstance(cell, bool):
        return Money(cell * unit.amount, unit.currency)
    if not isinstance(cell, str):
        raise ValueError(cell)  # noqa: TRY004 - all errors of a cell are of one kind
    text = usual(cell)
    if len(parts := _KOREAN_PARTS.findall(text)) > 1:
        return _korean_sum(text, parts)
    found = _MONEY.fullmatch(text)
    if not found or not found["number"]:
        raise ValueError(cell)
    scale = (found["scale"] or "").casefold()
    currency = _currency(found["before"], found["after"], scale)
    number = read_number(found["number"].strip(), sign)
    if scale:
        return Money(number * _SCALES[scale], currency or unit.currency)
    if currency and currency != unit.currency and unit.currency:
        raise UnclearError(cell)  # dollars in a column of won
    if currency and unit.amount != 1:
        raise UnclearError(cell)  # `$5` in a column of millions
    return Money(number * unit.amount, currency or unit.currency)


def _korean_sum(text: str, parts: list[tuple[str, str]]) -> Money:
    rest = _KOREAN_PARTS.sub("", text).strip()
    if [scale for _, scale in parts[-2:]] in _UNCLEAR_ENDS:
        raise UnclearError(text)
    scales = [_SCALES[scale] for _, scale in parts]
    if scales != sorted(set(scales), reverse=True):
        raise ValueError(text)
    amount = sum(read_number(number, POINT) * _SCALES[scale] for number, scale in parts)
    if rest.casefold() in _DOLLARS:
        return Money(amount, "USD")
    if rest.casefold() not in ("", *_WON):
        raise ValueError(text)
    return Money(amount, "KRW")


def _currency(before: str | None, after: str | None, scale: str) -> str:
    """Return the currency that the signs beside a number name, or its Korean scale."""
    signs = {sign.casefold() for sign in (before, after) if sign}
    currencies = {"USD" if sign in _DOLLARS else "KRW" for sign in signs}
    if len(currencies) > 1:
        raise UnclearError(" ".join(signs))
    if currencies:
        return currencies.pop()
    return "KRW" if scale in _KOREAN_SCALES else ""
