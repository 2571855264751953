"""Read the rows of a text file with commas, semicolons or tabs between its cells."""

import csv
import io
import re
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Any, Final

from ui.film_files.errors import FileError
from ui.film_files.table import Line

DELIMITERS: Final = (",", ";", "\t")
# Of one row. A line of commas only would become a list of a million cells.
_MAX_CHARACTERS: Final = 200_000
_MAX_COLUMNS: Final = 1_000
_MAX_LINES: Final = 200  # of one row; a quotation mark that is never closed reaches further
_MAX_MALFORMED: Final = 1_000  # rows
_HEAD_ROWS: Final = 25
# Excel obeys such a first line: it names the delimiter, which may also be a bar.
_NAMED: Final = re.compile(r'"?sep=(?P<delimiter>[,;|\t])"?[,;\t]*\r?\n?', re.IGNORECASE)


def split_lines(text: str) -> list[str]:
    """Split a text after each line end: of Windows, of Unix, or of old Macs."""
    return list(io.StringIO(text, newline=""))


def named_delimiter(lines: list[str]) -> str | None:
    """Return the delimiter that the first line names, as in `sep=;`; None if it names none."""
    named = _NAMED.fullmatch(lines[0]) if lines else None
    return named["delimiter"] if named else None


def likely_delimiter(lines: list[str], known: Callable[[Iterable[str]], int]) -> str:
    """Return the delimiter with which most headings at the beginning are known.

    Args:
        lines: The lines of the file.
        known: A function that counts the known headings in a row.
    """

    def most(delimiter: str) -> int:
        rows = islice(Rows(lines, delimiter), _HEAD_ROWS)
        return max((known(map(str, row.cells)) for row in rows), default=0)

    counts = {delimiter: most(delimiter) for delimiter in DELIMITERS}
    return max(counts, key=counts.__getitem__)  # a comma if nothing is known


class Rows:
    """The rows of a text file, read one after the other.

    A quotation mark that is never closed would swallow the rows below it. So if a row is not well
    formed, only its first line is refused, and the next line begins a new row.

    """

    def __init__(self, lines: list[str], delimiter: str) -> None:
        self._width = 0
        self._heading = 0
        self._lines, self._delimiter, self._begun = lines, delimiter, 0
        # A comma with a letter behind it separates cells; one with a space is part of a sentence.
        self._separator = re.compile(re.escape(delimiter) + r"(?!\s)")

    def expect(self, width: int, heading: int) -> None:
        """Set the number of columns, and the number of the row with the headings."""
        self._width, self._heading = width, heading

    def __iter__(self) -> Iterator[Line]:
        """Yield the rows, also malformed ones."""
        at = number = 1 if named_delimiter(self._lines) else 0
        malformed = 0
        while at < len(self._lines):
            reader = csv.reader(self._from(at), delimiter=self._delimiter, strict=True)
            for cells, used in self._well_formed(reader, at, number):
                number += 1
                at += used
                yield Line(number, [cell.strip() for cell in cells])
            if at < len(self._lines):
                number += 1
                at += 1
                malformed += 1
                if malformed > _MAX_MALFORMED:
                    raise FileError("unreadable")
                yield Line(number, [], "quote")

    def _well_formed(self, reader: Any, at: int, number: int) -> Iterator[tuple[list[str], int]]:
        """Yield the cells and the number of lines of each row, up to a malformed one."""
        used = 0
        try:
            for cells in reader:
                begun, used = used, reader.line_num
                self._begun = used
                if len(cells) > _MAX_COLUMNS:
                    raise FileError("unreadable")
                number += 1
                below = self._lines[at + begun + 1 : at + used]
                if number > self._heading and self._has_swallowed(cells, below):
                    return
                yield cells, used - begun
        except csv.Error:
            return

    def _has_swallowed(self, cells: list[str], further_lines: list[str]) -> bool:
        """Return whether a row of several lines probably contains rows below it."""
        if not further_lines or not self._width:
            return False
        whole_rows = (len(self._separator.findall(line)) for line in further_lines)
        return len(cells) != self._width or self._width - 1 in whole_rows

    def _from(self, at: int) -> Iterator[str]:
        """Yield the lines of the rows from `at` on.

        Raises:
            csv.Error: A row has more than `_MAX_LINES` lines.
        """
        self._begun = 0  # lines up to the last whole row
        for used in range(len(self._lines) - at):
            if used - self._begun >= _MAX_LINES:
                raise csv.Error("a row of too many lines")
            line = self._lines[at + used]
            if len(line) > _MAX_CHARACTERS:
                raise FileError("unreadable")
            yield line
