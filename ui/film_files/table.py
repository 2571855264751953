"""A table as a file has it: lines of cells, before anything is read as a fact about a film."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, time, timedelta
from typing import Final

MAX_MB: Final = 5  # 1,000 films with long plots; also in .streamlit/config.toml
MAX_BYTES: Final = MAX_MB * 1024 * 1024


@dataclass(frozen=True)
class Unreadable:
    """A cell of a workbook without a usable value.

    Attributes:
        kind: The reason: `formula` (its value is not stored), or `error` (such as #REF!).
        text: What the cell shows.
    """

    kind: str
    text: str


# A cell of a CSV file is always text. A workbook has typed cells.
Cell = str | int | float | bool | date | time | timedelta | Unreadable


@dataclass(frozen=True)
class Line:
    """One row of the file.

    Attributes:
        number: The row's number, as a spreadsheet shows it.
        cells: The cells. Text is without spaces around it; an empty cell is an empty text.
        problem: Why the row cannot be read, as a key of the section `[csv]` in `en.toml`; None for
            a readable row.
    """

    number: int
    cells: list[Cell]
    problem: str | None = None

    @property
    def is_empty(self) -> bool:
        """Whether the row has nothing in its cells."""
        return self.problem is None and all(cell == "" for cell in self.cells)


@dataclass(frozen=True)
class Table:
    """The rows of a file, and what kind of file it is.

    Attributes:
        lines: The rows, read one after the other, so that no long list is in memory.
        encoding: The encoding of a text file; None for a workbook.
        delimiter: The character between the cells of a text file; None for a workbook.
        sheet: The name of the sheet that is read; None for a text file.
        other_sheets: The names of the workbook's other sheets.
    """

    lines: Iterable[Line]
    encoding: str | None = None
    delimiter: str | None = None
    sheet: str | None = None
    other_sheets: tuple[str, ...] = ()


def text_of(cell: Cell) -> str:
    """Return a cell as a person reads it."""
    if isinstance(cell, Unreadable):
        return cell.text
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return str(cell)
