"""Read one row of a file: the facts of a film, and what is wrong with them."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from math import isfinite
from typing import Any, Final

from ui.client.api import Facts
from ui.film_files import dates, headings, names, numbers
from ui.film_files.headings import Column
from ui.film_files.numbers import Money, UnclearError
from ui.film_files.table import Cell, Line, Table, Unreadable, text_of
from ui.i18n.words import Words

SHOWN_CHARACTERS: Final = 40  # of a cell, in a message
_YEARS: Final = range(1870, 2101)
_YEAR: Final = re.compile(r"(\d{4})(?:\.0+)?\s*[년–-]*")  # pandas writes `2024.0`
_LARGEST_ID: Final = 10**12 - 1  # of TMDB's ids, as the service accepts them
_SHORT_FIELDS: Final = frozenset({"runtime", "release_date", "budget"})
# Some patterns for numbers and dates need a time that grows with the square of the length.
_LONGEST_NUMBER: Final = 100
_FILM_TYPES: Final = ("movie", "short", "video", "tvspecial", "film", "영화")
_NO_FILM_TYPES: Final = ("game", "musicvideo")


@dataclass(frozen=True)
class Answers:
    """What the visitor has answered to the page's questions about a file.

    Attributes:
        date_order: Whether dates such as 03/04/2026 begin with the month or the day.
        budget_unit: What a plain number in the budget column is, from `BUDGET_UNITS`.
        won_per_dollar: The exchange rate with which won become US dollars.
    """

    date_order: str | None = None
    budget_unit: str | None = None
    won_per_dollar: float | None = None


@dataclass(frozen=True)
class Row:
    """One film from a file or from the form.

    Attributes:
        line: The number of the film's row in the file; None for a film from the form.
        facts: The facts about the film, as the body of a request to the API.
        problem: A sentence that says what is wrong with the row; None for a valid row.
        tmdb_id: TMDB's id of the film; None if the file does not have it.
        year: The year of the film's release; None if the file does not have it.
        remarks: Sentences about values that are not used.
        is_listed: Whether the file is a list of films, which the catalogue knows better.
    """

    line: int | None
    facts: Facts
    problem: str | None = None
    tmdb_id: int | None = None
    year: int | None = None
    remarks: tuple[str, ...] = ()
    is_listed: bool = False

    @property
    def title(self) -> str | None:
        """The film's title; None if it is not known."""
        return self.facts.get("title")


class RowReader:
    """Reads the rows of one file, all in the same way.

    Attributes:
        questions: What the visitor has to answer, because the file does not tell.
        date_order: The order of month and day in this file; None if it is not known.
    """

    def __init__(
        self,
        words: Words,
        answers: Answers,
        table: Table,
        columns: list[Column],
        films: list[Line],
    ) -> None:
        self.questions: set[str] = set()
        self._words, self._answers, self._table = words, answers, table
        self._used = [column for column in columns if column.field]
        self._width = len(columns)
        by_field = {column.field: _cells_of(films, column) for column in self._used}
        self._signs = {
            name: numbers.decimal_sign_of(by_field.get(name, ()), table.delimiter)
            for name in headings.UNIT_FIELDS
        }
        days = by_field.get("release_date", [])
        told = dates.date_order_of(days)
        self.date_order = told
        if told is None and any(map(dates.is_unclear, days)):
            self.questions.add("date_order")
            self.date_order = answers.date_order
        fields = {column.field for column in columns}
        self._is_list = headings.is_list_of_films(columns) or (
            "tmdb_id" in fields and "overview" not in fields
        )

    def row(self, line: Line) -> Row:
        """Read one row."""
        if problem := self._broken(line):
            return Row(line.number, {}, problem)
        facts: dict[str, Any] = {}
        problems: list[str] = []
        remarks: list[str] = []
        for column in self._used:
            cell = line.cells[column.at] if column.at < len(line.cells) else ""
            if cell != "" and not _is_blank(column, cell):
                try:
                    value = self._value(column, cell, remarks)
                    if value not in (None, "", []):
                        facts[str(column.field)] = value
                except ValueError as error:
                    problems.append(self._problem(column, cell, error))
        finders = {name: facts.pop(name, None) for name in headings.FINDERS}
        row = Row(
            line.number,
            facts,
            tmdb_id=finders["tmdb_id"],
            year=finders["year"],
            remarks=tuple(remarks),
            is_listed=self._is_list,
        )
        if not problems and not _can_be_forecast(row):
            problems.append(self._words("faults.body"))
        return replace(row, problem=problems[0]) if problems else row

    def _broken(self, line: Line) -> str | None:
        if line.problem:
            return self._words(f"csv.{line.problem}")
        surplus = [cell for cell in line.cells[self._width :] if cell != ""]
        if surplus and self._table.delimiter:
            return self._words("csv.surplus", cells=str(len(line.cells)), columns=str(self._width))
        return None

    def _problem(self, column: Column, cell: Cell, error: ValueError) -> str:
        name = self._words.name("fields", str(column.field))
        shown = text_of(cell)[:SHOWN_CHARACTERS]
        kind = "bad_list" if column.field in _LISTS else f"bad_{column.field}"
        if isinstance(error, UnclearError):
            kind = f"unclear_{column.field}"
        if isinstance(cell, Unreadable):
            kind = f"bad_{cell.kind}"
        elif column.field in _TEXTS:
            kind = "bad_text"
        return self._words(f"csv.{kind}", name=name, cell=shown)

    def _value(self, column: Column, cell: Cell, remarks: list[str]) -> Any:
        """Read the cell of a column; add a remark if the value is not used as it is.

        Raises:
            ValueError: The cell is no value for this column, or an unclear one.
        """
        try:
            value = self._parsed(column, cell, remarks)
        except OverflowError as error:
            raise ValueError(cell) from error
        if isinstance(value, float) and not isfinite(value):
            raise ValueError(cell)
        return value

    def _parsed(self, column: Column, cell: Cell, remarks: list[str]) -> Any:
        if isinstance(cell, Unreadable):
            raise ValueError(cell.text)  # noqa: TRY004 - all errors of a cell are of one kind
        name = str(column.field)
        if name in _SHORT_FIELDS and len(text_of(cell)) > _LONGEST_NUMBER:
            raise ValueError(name)
        if name == "runtime":
            return numbers.read_minutes(cell, self._signs[name], column.unit)
        if name == "release_date":
            return dates.read_day(cell, self.date_order)
        if name == "budget":
            return self._budget(column, cell, remarks)
        return _PARSERS[name](cell)

    def _budget(self, column: Column, cell: Cell, remarks: list[str]) -> float | None:
        unit = numbers.unit_of_money(column.unit)
        if unit is None:
            raise ValueError(column.unit)
        plain = numbers.read_money(cell, self._signs["budget"], unit)
        money = plain if plain.currency else self._with_currency(column, plain)
        if money is None or (money.currency == "KRW" and not self._answers.won_per_dollar):
            self.questions.add("won_per_dollar" if money else "budget_unit")
            key = "no_rate" if money else "no_unit"
            remarks.append(self._words(f"csv.{key}", cell=text_of(cell)[:SHOWN_CHARACTERS]))
            return None
        if money.currency == "USD":
            return money.amount
        rate = self._answers.won_per_dollar or 1
        self.questions.add("won_per_dollar")
        dollars = round(money.amount / rate)
        remarks.append(
            self._words(
                "csv.converted",
                won=self._words.number(money.amount),
                dollars=self._words.number(dollars),
                rate=self._words.number(rate, "#,##0.##"),
            )
        )
        return dollars

    def _with_currency(self, column: Column, money: Money) -> Money | None:
        """Add the currency of a plain number; None if only the visitor knows it.

        An English heading without a currency means US dollars, as the API's field does. In Korea a
        budget without a currency can be in won, or in hundreds of millions of them.
        """
        if column.heading.isascii():
            return replace(money, currency="USD")
        self.questions.add("budget_unit")
        unit = numbers.BUDGET_UNITS.get(self._answers.budget_unit or "")
        if unit is None:
            return None
        return Money(money.amount * unit.amount, unit.currency)


def _can_be_forecast(row: Row) -> bool:
    """Return whether a row has enough facts, or names a film that the catalogue may have."""
    has_facts = bool(row.facts.get("overview") or row.facts.get("genres"))
    return has_facts or row.tmdb_id is not None or bool(row.title and row.year)


def _is_blank(column: Column, cell: Cell) -> bool:
    """Return whether a cell says that nothing is known. A title may be such a word."""
    return column.field not in _TEXTS and isinstance(cell, str) and numbers.is_nothing(cell)


def _year(cell: Cell) -> int:
    found = _YEAR.fullmatch(text_of(cell))
    if not found or int(found[1]) not in _YEARS:
        raise ValueError(cell)
    return int(found[1])


def _id(cell: Cell) -> int:
    number = int(text_of(cell))
    if not 1 <= number <= _LARGEST_ID:
        raise ValueError(number)
    return number


def _film_type(cell: Cell) -> None:
    """Refuse what is no film, such as a series or a game in a list of IMDb."""
    kind = text_of(cell).casefold().replace(" ", "")
    if any(each in kind for each in _NO_FILM_TYPES) or not any(
        each in kind for each in _FILM_TYPES
    ):
        raise ValueError(kind)


_TEXTS: Final = ("title", "overview")
_LISTS: Final = ("genres", "countries", "directors", "writers", "cast", "companies", "keywords")
_PARSERS: Final[dict[str, Callable[[Cell], Any]]] = {
    **dict.fromkeys(_TEXTS, names.read_text),
    **dict.fromkeys(_LISTS, names.read_names),
    "genres": names.read_genres,
    "countries": names.read_countries,
    "directors": names.read_directors,
    "language": names.read_language,
    "collection": names.read_name,
    "year": _year,
    "tmdb_id": _id,
    "title_type": _film_type,
    "imdb_id": text_of,
    "letterboxd": text_of,
    "address": text_of,
}


def _cells_of(films: Iterable[Line], column: Column) -> list[Cell]:
    return [line.cells[column.at] for line in films if column.at < len(line.cells)]
