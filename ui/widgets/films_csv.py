"""Films in a CSV file: a row for each, under the API's names of the facts or the page's."""

import csv
import io
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from ui.client.api import Facts, finite
from ui.client.predictions import Forecast
from ui.i18n.words import LANGUAGES, Words
from ui.widgets.form_state import FIELDS, LISTS

MOST_ROWS: Final = 200
SEPARATOR: Final = ";"  # between the names of one cell
# In which spreadsheets save CSV: with and without a byte order mark, and Korean Excel's own.
_ENCODINGS: Final = ("utf-8-sig", "cp949")
# What a spreadsheet would take for a formula.
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
RESULTS: Final = ("rating", "low", "high", "average", "mood", "missing", "ignored", "version")


class FileError(Exception):
    """The file as a whole cannot be read.

    Attributes:
        kind: The key of the texts' section `csv` that says why.
    """

    def __init__(self, kind: str) -> None:
        super().__init__(kind)
        self.kind = kind


@dataclass(frozen=True)
class Row:
    """A film of the file.

    Attributes:
        line: Its number, as a spreadsheet counts rows; the first film is in the second.
        problem: What is wrong with it, in words; None where nothing is.
    """

    line: int
    facts: Facts
    problem: str | None = None

    @property
    def title(self) -> str | None:
        """The film's title, where it has one."""
        return self.facts.get("title")


@dataclass(frozen=True)
class Outcome:
    """What came of a film: a forecast or a problem."""

    row: Row
    forecast: Forecast | None = None
    problem: str | None = None


def read(raw: bytes, words: Words) -> list[Row]:
    """The films of a file.

    Raises:
        FileError: There are none, too many, or no column has a known name.
    """
    lines = csv.reader(io.StringIO(_text(raw), newline=""))
    try:
        rows = [[cell.strip() for cell in row] for row in lines]
    except csv.Error:
        raise FileError("unreadable") from None
    if not rows:
        raise FileError("empty")
    columns = [_field(head) for head in rows[0]]
    if not any(columns):
        raise FileError("no_columns")
    films = [_row(at, columns, row, words) for at, row in enumerate(rows[1:], 2) if any(row)]
    if not films:
        raise FileError("empty")
    if len(films) > MOST_ROWS:
        raise FileError("too_many")
    return films


def example(words: Words) -> bytes:
    """A file to fill in, with one film."""
    heads = ("title", "overview", "genres", "language", "runtime", "release_date", "directors")
    film = {
        "title": words("samples.lighthouse_title"),
        "overview": words("samples.lighthouse_plot"),
        "genres": SEPARATOR.join(words.name("genres", name) for name in ("Drama", "Mystery")),
        "language": words.language(words.code),
        "runtime": "112",
        "release_date": "2027-05-01",
    }
    return _csv([[words.name("fields", name) for name in heads], [film.get(n, "") for n in heads]])


def results(outcomes: Iterable[Outcome], words: Words) -> bytes:
    """A file with a row for each film: what it got, or why it got nothing."""
    heads = ["row", "title", *RESULTS, "problem"]
    return _csv(
        [[words(f"csv.{name}") for name in heads], *(_cells(each, words) for each in outcomes)]
    )


def _cells(outcome: Outcome, words: Words) -> list[str]:
    begin = [str(outcome.row.line), outcome.row.title or ""]
    found = outcome.forecast
    if found is None:
        return [*begin, *("" for _ in RESULTS), outcome.problem or ""]
    ratings = (found.rating, found.low, found.high, found.average)
    return [
        *begin,
        *(f"{rating:.2f}" for rating in ratings),
        words.name("moods", found.mood[0] if found.mood else "unknown"),
        SEPARATOR.join(words.name("fields", name) for name in found.missing),
        SEPARATOR.join(words.name("fields", name) for name in found.ignored),
        found.version,
        "",
    ]


def _csv(rows: Iterable[Sequence[str]]) -> bytes:
    stream = io.StringIO(newline="")
    writer = csv.writer(stream)
    for row in rows:
        writer.writerow([f"'{cell}" if cell.startswith(_FORMULA) else cell for cell in row])
    return stream.getvalue().encode("utf-8-sig")


def _text(raw: bytes) -> str:
    if b"\0" in raw:  # a workbook, a picture: no text has it
        raise FileError("unreadable")
    for encoding in _ENCODINGS:
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise FileError("unreadable")


def _field(head: str) -> str | None:
    """The field that a column is for, by any of its names."""
    wanted = head.casefold().strip()
    for name in FIELDS:
        known = {name, *(Words(code).name("fields", name) for code in LANGUAGES)}
        if wanted in {each.casefold() for each in known}:
            return name
    return None


def _row(line: int, columns: Sequence[str | None], cells: Sequence[str], words: Words) -> Row:
    facts: dict[str, Any] = {}
    problem = None
    for name, cell in zip(columns, cells, strict=False):
        if name and cell:
            try:
                facts[name] = _READ.get(name, str)(cell)
            except ValueError:
                told = {"name": words.name("fields", name), "cell": cell[:40]}
                problem = problem or words(f"csv.bad_{name}", **told)
    if problem is None and not (facts.get("overview") or facts.get("genres")):
        problem = words("faults.body")
    return Row(line, facts, problem)


def _names(cell: str) -> list[str]:
    return [each.strip() for each in cell.split(SEPARATOR) if each.strip()]


def _number(cell: str) -> float:
    return finite(cell.replace(",", ""))


def _day(cell: str) -> str:
    """A date with year, month and day in this order, however they are kept apart."""
    year, month, day = (int(part) for part in re.findall(r"\d+", cell))
    return date(year, month, day).isoformat()


def _genres(cell: str) -> list[str]:
    return [_original("genres", name) for name in _names(cell)]


def _original(section: str, name: str) -> str:
    """TMDB's own name of what may be called by one of the page's names."""
    for code in LANGUAGES:
        for original, called in Words(code).section(section).items():
            if name.casefold() in (called.casefold(), original.casefold()):
                return original
    return name


def _language(cell: str) -> str:
    for code in LANGUAGES:
        for iso, name in Words(code).locale.languages.items():
            if cell.casefold() == name.casefold():
                return str(iso)
    return cell.lower()


_READ: Final[dict[str, Callable[[str], Any]]] = {
    **dict.fromkeys(LISTS, _names),
    "genres": _genres,
    "language": _language,
    "runtime": _number,
    "budget": _number,
    "release_date": _day,
}
