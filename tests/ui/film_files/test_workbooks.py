import io
import re
import zipfile
from collections.abc import Callable
from datetime import date, datetime, time
from typing import Any

import openpyxl
import pytest
from openpyxl.workbook import Workbook

from ui.film_files import workbooks
from ui.film_files.errors import FileError
from ui.film_files.films import FilmsFile, read_films
from ui.i18n.words import Words

EN = Words("en")
HEADS = ["영화명", "장르", "러닝타임", "개봉일", "감독"]


def saved(book: Workbook) -> bytes:
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def book_of(*rows: list[Any], name: str = "Films") -> Workbook:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = name
    for row in rows:
        sheet.append(row)
    return book


def read(raw: bytes) -> FilmsFile:
    return read_films(raw, EN)


def changed(raw: bytes, change: Callable[[str, bytes], bytes | None]) -> bytes:
    """Return the workbook with some parts changed; None removes a part."""
    file = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(raw)) as old, zipfile.ZipFile(file, "w", 8) as new:
        for name in old.namelist():
            if (content := change(name, old.read(name))) is not None:
                new.writestr(name, content)
    return file.getvalue()


def test_typed_cells_are_read_as_they_are():
    film = ["등불", "드라마, SF", 112, datetime(2026, 12, 25), "김"]  # noqa: DTZ001 - Excel has none
    texts = [1984, "Drama", time(2, 5), "2026.12.25", None]
    (typed, other) = read(saved(book_of(HEADS, film, texts))).rows
    assert typed.facts == {
        "title": "등불",
        "genres": ["Drama", "Science Fiction"],
        "runtime": 112,
        "release_date": "2026-12-25",
        "directors": ["김"],
    }
    assert other.facts == {
        "title": "1984",
        "genres": ["Drama"],
        "runtime": 125,
        "release_date": "2026-12-25",
    }
    assert (typed.line, other.line) == (2, 3)


def test_rows_above_and_between_keep_the_numbers_of_excel():
    book = book_of(["라인업"], [], HEADS, ["등불", "드라마"], [], [], ["바다", "공포"])
    found = read(saved(book))
    assert found.above == ("라인업",)
    assert [(row.line, row.title) for row in found.rows] == [(4, "등불"), (7, "바다")]
    assert found.short_rows == 0


def test_first_visible_sheet_with_headings_is_read_and_others_are_named():
    book = book_of(["안내"], ["이 파일은 ..."], name="Notes")
    for name, state in (("Secret", "hidden"), ("Films", "visible"), ("Old", "visible")):
        sheet = book.create_sheet(name)
        sheet.sheet_state = state
        sheet.append(HEADS)
        sheet.append([name, "드라마"])
    found = read(saved(book))
    assert [row.title for row in found.rows] == ["Films"]
    assert (found.table.sheet, found.table.other_sheets) == ("Films", ("Notes", "Old", "Secret"))


def test_formula_counts_with_its_stored_value():
    raw = saved(book_of(HEADS, ["등불", "드라마", "=60+52"], ["바다", "드라마", 90]))
    without, other = read(raw).rows
    assert without.problem == EN("csv.bad_formula", name="running time")
    assert other.problem is None

    def store(_: str, content: bytes) -> bytes:
        return re.sub(rb"<v ?/>|<v></v>", b"<v>112</v>", content)

    (film, _) = read(changed(raw, store)).rows
    assert film.facts["runtime"] == 112


def test_error_value_is_refused_by_row():
    book = book_of(HEADS, ["등불", "드라마", "#REF!"], ["바다", "드라마", 90])
    sheet = book["Films"]
    sheet["C2"].data_type = "e"
    wrong, right = read(saved(book)).rows
    assert wrong.problem == EN("csv.bad_error", name="running time", cell="#REF!")
    assert right.problem is None


@pytest.mark.parametrize("title", [date(2026, 12, 12), True])
def test_title_that_excel_has_turned_into_a_date_is_refused(title: Any):
    (film,) = read(saved(book_of(HEADS, [title, "드라마"]))).rows
    assert "title must be a text" in (film.problem or "")


def test_columns_without_heading_are_named_and_not_used():
    found = read(saved(book_of(["영화명", None, "장르"], ["등불", "note", "드라마", "far"])))
    assert [column.reason for column in found.columns] == [None, "no_heading", None]
    assert found.rows[0].problem is None


def test_wrong_size_in_the_file_hides_no_film():
    raw = saved(book_of(HEADS, ["등불", "드라마"], ["바다", "공포"]))

    def shrink(_: str, content: bytes) -> bytes:
        return content.replace(b'ref="A1:E3"', b'ref="A1:A1"')

    assert len(read(changed(raw, shrink)).rows) == 2


def test_workbook_that_unpacks_to_too_much_is_refused_before_it_is_unpacked(
    monkeypatch: pytest.MonkeyPatch,
):
    raw = saved(book_of(HEADS, ["등불", "드라마"]))

    def swell(name: str, content: bytes) -> bytes:
        padding = b" " * (workbooks._MAX_UNPACKED_BYTES if "sheet1" in name else 0)
        return content.replace(b"<sheetData>", padding + b"<sheetData>")

    monkeypatch.setattr(workbooks, "_load", lambda *_, **__: pytest.fail("was unpacked"))
    bomb = changed(raw, swell)
    assert len(bomb) < 100_000
    with pytest.raises(FileError) as caught:
        read(bomb)
    assert caught.value.kind == "too_large_unpacked"


@pytest.mark.parametrize(
    "cell", ['<c r="XFD1"><v>1</v></c>', '<c r="A1048576"><v>1</v></c>'], ids=["wide", "long"]
)
def test_cell_far_away_does_not_fill_the_memory(cell: str):
    raw = saved(book_of(HEADS, ["등불", "드라마"]))
    number = "1048576" if "1048576" in cell else "9"
    row = f'<row r="{number}">{cell.replace("XFD1", "XFD9")}</row></sheetData>'.encode()

    def add(_: str, content: bytes) -> bytes:
        return content.replace(b"</sheetData>", row)

    with pytest.raises(FileError) as caught:
        read(changed(raw, add))
    assert caught.value.kind == "too_large_unpacked"


def test_entities_in_a_part_are_not_expanded():
    raw = saved(book_of(HEADS, ["등불", "드라마"]))
    head = b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "' + b"ha" * 1000 + b'">'
    for name, inner in zip(b"bcdefg", b"abcdef", strict=True):
        head += b'<!ENTITY %c "%s">' % (name, b"&%c;" % inner * 20)

    def bomb(name: str, content: bytes) -> bytes:
        if "sheet1" not in name:
            return content
        body = content.partition(b"?>")[2] or content
        return head + b"]>" + body.replace(b"<sheetData>", b"<x>&g;</x><sheetData>")

    with pytest.raises(FileError) as caught:
        read(changed(raw, bomb))
    assert caught.value.kind == "damaged"


@pytest.mark.parametrize(
    ("part", "content", "kind"),
    [
        ("xl/workbook.xml", None, "not_excel"),
        ("xl/workbook.xml", b"<workbook/>", "empty"),
        ("xl/worksheets/sheet1.xml", b"<worksheet><sheetData><row", "damaged"),
        ("xl/worksheets/sheet1.xml", None, "empty"),
        ("xl/styles.xml", b"<styleSheet", "damaged"),
        ("[Content_Types].xml", None, "damaged"),
    ],
)
def test_damaged_workbook_is_refused(part: str, content: bytes | None, kind: str):
    raw = saved(book_of(HEADS, ["등불", "드라마"]))
    with pytest.raises(FileError) as caught:
        read(changed(raw, lambda name, old: content if name == part else old))
    assert caught.value.kind == kind


@pytest.mark.parametrize(
    ("raw", "kind"),
    [
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "old_excel"),
        (
            b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "EncryptedPackage".encode("utf-16-le"),
            "password",
        ),
        (b"PK\x03\x04 no archive", "damaged"),
        (b"PK\x05\x06" + bytes(18), "not_excel"),
    ],
)
def test_workbook_of_another_kind_is_refused(raw: bytes, kind: str):
    with pytest.raises(FileError) as caught:
        read(raw)
    assert caught.value.kind == kind
    assert EN(f"csv.{kind}")


def test_empty_workbook_is_refused():
    with pytest.raises(FileError) as caught:
        read(saved(openpyxl.Workbook()))
    assert caught.value.kind == "empty"


@pytest.mark.parametrize("tag", [b"<c/>", b"<x:c >", b"<si/>"])
def test_workbook_of_very_many_cells_is_refused_before_they_are_read(tag: bytes):
    many = tag * (workbooks._MAX_CELLS + 1)
    raw = changed(
        saved(book_of(["title", "genres"], ["A", "Drama"])),
        lambda name, content: many if name == "xl/worksheets/sheet1.xml" else content,
    )
    with pytest.raises(FileError, match="too_large_unpacked"):
        read(raw)


def test_cells_are_counted_once_where_pieces_meet(monkeypatch: pytest.MonkeyPatch):
    raw = saved(book_of(["title", "genres"], *(["A", "Drama"] for _ in range(40))))
    with zipfile.ZipFile(io.BytesIO(raw)) as archive:
        part = archive.getinfo("xl/worksheets/sheet1.xml")
        whole = workbooks._cells_of(archive, part)
        assert whole == 82
        for size in (64, 100, 333):
            monkeypatch.setattr(workbooks, "_PIECE_BYTES", size)
            assert workbooks._cells_of(archive, part) == whole
