"""Read films from a file: each row is a film, and each column a field of the form."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice
from typing import Final

from ui.film_files import delimited, headings, workbooks
from ui.film_files.encodings import decode
from ui.film_files.errors import FileError
from ui.film_files.headings import Column
from ui.film_files.rows import SHOWN_CHARACTERS, Answers, Row, RowReader
from ui.film_files.table import MAX_BYTES, MAX_MB, Line, Table, text_of
from ui.i18n.words import Words

MAX_ROWS: Final = 1_000
_HEAD_ROWS: Final = 25
_SHOWN_HEADINGS: Final = 200  # characters


@dataclass(frozen=True)
class FilmsFile:
    """What a file contains.

    Attributes:
        table: What kind of file it is.
        above: The texts of the rows above the headings.
        columns: The columns, as they were recognised.
        examples: By the index of a column: the beginning of its first value.
        rows: The films.
        short_rows: The number of rows with fewer cells than there are headings.
        questions: What only the visitor knows: `date_order`, `budget_unit`, `won_per_dollar`.
        date_order: The order of month and day that the file itself tells.
    """

    table: Table
    above: tuple[str, ...]
    columns: list[Column]
    examples: dict[int, str]
    rows: list[Row]
    short_rows: int = 0
    questions: frozenset[str] = frozenset()
    date_order: str | None = None


def read_films(raw: bytes, words: Words, answers: Answers | None = None) -> FilmsFile:
    """Read the films from a file that the visitor has uploaded.

    Args:
        raw: The content of the file.
        words: The texts in the visitor's language.
        answers: What the visitor has answered to the questions of an earlier reading.

    Raises:
        FileError: The file is too large, it is no table, it has no films or too many, or its
            columns cannot be told apart.
    """
    if len(raw) > MAX_BYTES:
        raise FileError("too_large", megabytes=str(MAX_MB))
    table = _open(raw)
    above, head = _heading(table.lines)
    listed = [text_of(cell) for cell in head.cells]
    columns = headings.columns_of(listed)
    if isinstance(table.lines, delimited.Rows):
        table.lines.expect(len(listed), head.number)
    films = _film_lines(line for line in table.lines if line.number > head.number)
    reader = RowReader(words, answers or Answers(), table, columns, films)
    return FilmsFile(
        table,
        above,
        columns,
        _examples(columns, films),
        [reader.row(line) for line in films],
        sum(len(line.cells) < len(listed) for line in films if not line.problem)
        if table.delimiter
        else 0,
        frozenset(reader.questions),
        reader.date_order if answers is None or answers.date_order is None else None,
    )


def _open(raw: bytes) -> Table:
    if workbooks.is_workbook(raw):
        return workbooks.read_workbook(raw, headings.count_known)
    decoded = decode(raw)
    lines = delimited.split_lines(decoded.text)
    delimiter = delimited.named_delimiter(lines) or delimited.likely_delimiter(
        lines, headings.count_known
    )
    return Table(delimited.Rows(lines, delimiter), decoded.encoding, delimiter)


def _heading(lines: Iterable[Line]) -> tuple[tuple[str, ...], Line]:
    """Find the row with the headings: of the first rows, the one with most known headings.

    Returns:
        The texts of the rows above; the row itself, without empty cells at its end.
    """
    first: list[Line] = []
    best, most = 0, 0
    for line in islice(lines, _HEAD_ROWS):
        first.append(line)
        count = headings.count_known(map(text_of, line.cells))
        if count > most:
            best, most = len(first) - 1, count
    filled = [_joined(line) for line in first if not line.is_empty]
    if not filled:
        raise FileError("empty")
    if not most:
        raise FileError("no_columns", found=filled[0][:_SHOWN_HEADINGS])
    above = tuple(_joined(line) for line in first[:best] if not line.is_empty)
    cells = list(first[best].cells)
    while cells[-1] == "":
        cells.pop()
    return above, Line(first[best].number, cells)


def _joined(line: Line) -> str:
    return ", ".join(text_of(cell) for cell in line.cells if cell != "")


def _film_lines(lines: Iterable[Line]) -> list[Line]:
    films = list(islice((line for line in lines if not line.is_empty), MAX_ROWS + 1))
    if len(films) > MAX_ROWS:
        raise FileError("too_many", most=str(MAX_ROWS))
    if not films:
        raise FileError("empty")
    return films


def _examples(columns: Iterable[Column], films: Iterable[Line]) -> dict[int, str]:
    """Return the beginning of the first value in each column."""
    found: dict[int, str] = {}
    for line in films:
        for at, cell in enumerate(line.cells):
            if cell != "" and at not in found:
                found[at] = " ".join(text_of(cell).split())[:SHOWN_CHARACTERS]
    return {column.at: found[column.at] for column in columns if column.at in found}
