"""Read the rows of an Excel workbook (.xlsx)."""

import io
import re
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from datetime import date, time, timedelta
from itertools import islice, zip_longest
from typing import Any, Final

from ui.film_files.errors import FileError
from ui.film_files.table import Cell, Line, Table, Unreadable

_OLD_EXCEL: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"  # also a workbook with a password
_PASSWORD: Final = "EncryptedPackage".encode("utf-16-le")
_ZIP: Final = b"PK"
# A workbook is compressed. Its parts need as much memory as they have bytes, and more.
_MAX_UNPACKED_BYTES: Final = 30 * 1024 * 1024
_MAX_STYLES_BYTES: Final = 2 * 1024 * 1024
_MAX_PARTS: Final = 1_000
_MAX_CELLS: Final = 300_000  # openpyxl needs many times the memory of an empty cell's few bytes
_CELL: Final = re.compile(rb"<(?:\w+:)?(?:c|si)[\s/>]")
_LONGEST_TAG: Final = 64  # bytes of what `_CELL` matches; a piece may end inside of it
_PIECE_BYTES: Final = 1024 * 1024
_MAX_COLUMNS: Final = 1_000
_MAX_ROWS: Final = 20_000  # also empty ones
_HEAD_ROWS: Final = 25
# openpyxl raises all of these for damaged files.
_DAMAGED: Final = (
    AttributeError, EOFError, IndexError, KeyError, OSError, OverflowError, RuntimeError,
    SyntaxError, TypeError, ValueError, struct.error, zipfile.BadZipFile, zipfile.LargeZipFile,
    zlib.error,
)  # fmt: skip


def is_workbook(raw: bytes) -> bool:
    """Return whether a file is a workbook, or looks like one.

    Raises:
        FileError: It is a workbook of a kind that cannot be read.
    """
    if raw.startswith(_OLD_EXCEL):
        raise FileError("password" if _PASSWORD in raw else "old_excel")
    if raw[:512].lstrip().lower().startswith((b"<html", b"<!doctype html", b"<table", b"<?xml")):
        raise FileError("web_page")  # some sites send a web page under the name of a workbook
    return raw.startswith(_ZIP)


def read_workbook(raw: bytes, known: Callable[[Iterable[str]], int]) -> Table:
    """Read the visible sheet with the most known headings; of several such sheets, the first.

    Args:
        raw: The content of the file.
        known: A function that counts the known headings in a row.

    Raises:
        FileError: It is no workbook, or it is damaged, too large or empty.
    """
    _check(raw)
    try:
        values = _load(raw, data_only=True)
        names = [sheet.title for sheet in values.worksheets if sheet.sheet_state == "visible"]
        hidden = [sheet.title for sheet in values.worksheets if sheet.sheet_state != "visible"]
        if not names:
            raise FileError("empty")
        chosen = max(names, key=lambda name: _known_headings(values, name, known))
    except _DAMAGED:
        raise FileError("damaged") from None
    return Table(
        _Rows(raw, values, chosen),
        sheet=chosen,
        other_sheets=tuple(name for name in [*names, *hidden] if name != chosen),
    )


def _check(raw: bytes) -> None:
    """Refuse what is no workbook, and what needs too much memory, before anything is unpacked.

    The archive cannot hide the size of a part: `zipfile` unpacks no more bytes than it announces.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as archive:
            listed = archive.infolist()
            parts = {each.filename: each.file_size for each in listed}
            unpacked = [each for each in listed if not each.filename.startswith("xl/media/")]
            needed = sum(each.file_size for each in unpacked)
            if len(listed) > _MAX_PARTS or needed > _MAX_UNPACKED_BYTES:
                raise FileError("too_large_unpacked")
            cells = max((_cells_of(archive, each) for each in listed), default=0)
    except _DAMAGED:
        raise FileError("damaged") from None
    if "xl/workbook.xml" not in parts:
        raise FileError("not_excel")
    if cells > _MAX_CELLS or parts.get("xl/styles.xml", 0) > _MAX_STYLES_BYTES:
        raise FileError("too_large_unpacked")


def _cells_of(archive: zipfile.ZipFile, part: zipfile.ZipInfo) -> int:
    """Count the cells, or the shared texts, in one part of a workbook."""
    if not part.filename.endswith(".xml"):
        return 0
    count, before = 0, b""
    with archive.open(part) as stream:
        while piece := stream.read(_PIECE_BYTES):
            # What the end of the last piece has was counted with it; only a cut tag was not.
            text = before[-_LONGEST_TAG:] + piece
            count += len(_CELL.findall(text)) - len(_CELL.findall(before[-_LONGEST_TAG:]))
            before = piece
    return count


def _load(raw: bytes, *, data_only: bool) -> Any:
    """Open a workbook; `data_only` gives stored values in place of formulas."""
    import openpyxl  # with numpy, it needs 30 MB, and most visitors upload no workbook

    return openpyxl.load_workbook(io.BytesIO(raw), read_only=True, data_only=data_only)


def _known_headings(book: Any, name: str, known: Callable[[Iterable[str]], int]) -> int:
    rows = islice(_cells(book, name), _HEAD_ROWS)
    counts = (known(str(cell.value).strip() for cell in row if cell.value) for row in rows)
    return max(counts, default=0)


class _Rows:
    """The rows of one sheet, read one after the other."""

    def __init__(self, raw: bytes, values: Any, name: str) -> None:
        self._raw, self._values, self._name = raw, values, name

    def __iter__(self) -> Iterator[Line]:
        """Yield the rows.

        Raises:
            FileError: The workbook is damaged, or the sheet is too large.
        """
        try:
            yield from self._lines()
        except _DAMAGED:
            raise FileError("damaged") from None

    def _lines(self) -> Iterator[Line]:
        written = _formulas(self._raw, self._name)
        for number, row in enumerate(_cells(self._values, self._name), 1):
            if number > _MAX_ROWS or len(row) > _MAX_COLUMNS:
                raise FileError("too_large_unpacked")
            cells = zip_longest(row, islice(next(written, ()), len(row)))
            yield Line(number, [_cell(cell, other) for cell, other in cells])


def _formulas(raw: bytes, name: str) -> Iterator[Any]:
    """Yield the rows with formulas in place of their stored values.

    Excel stores the value of a formula; other programs often do not.
    """
    book = _load(raw, data_only=False)
    return _cells(book, name)


def _cells(book: Any, name: str) -> Iterator[Any]:
    sheet: Any = book[name]
    sheet.reset_dimensions()  # what a file says about its size can be wrong
    rows: Iterator[Any] = sheet.iter_rows()
    return rows


def _cell(cell: Any, written: Any) -> Cell:
    value = cell.value
    if value is None:
        is_formula = written is not None and written.data_type == "f"
        return Unreadable("formula", "=…") if is_formula else ""
    if cell.data_type == "e":
        return Unreadable("error", str(value))
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, bool | int | float | date | time | timedelta):
        return value
    raise FileError("unreadable")
