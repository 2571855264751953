"""Read films from a CSV file, and write their forecasts to another CSV file.

Each row is a film, and each column is a field of the form. A column may have the API's name for the
field or the name that the UI shows, in any language of the UI.
"""

import csv
import io
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from ui.client.api import Facts, finite
from ui.client.predictions import Forecast
from ui.i18n.words import LANGUAGES, Words
from ui.widgets import notices
from ui.widgets.form_state import FIELDS, LIST_FIELDS

MAX_ROWS: Final = 200
MAX_MB: Final = 2  # 200 films with plots of 10,000 characters; also in .streamlit/config.toml
_MAX_BYTES: Final = MAX_MB * 1024 * 1024
# Of one line. A line of commas only would become a list of a million cells.
_MAX_CHARACTERS: Final = 200_000
SEPARATOR: Final = ";"  # between the names of one cell
# Spreadsheets write UTF-8, with or without a byte order mark; Korean Excel writes CP949.
_ENCODINGS: Final = ("utf-8-sig", "cp949")
# A spreadsheet would run a cell with such a first character as a formula. Some also read the wide
# forms of these characters, which Korean and Japanese keyboards type.
_FORMULA: Final = ("=", "+", "-", "@", "＝", "＋", "－", "＠", "\t", "\r", "\n")
_NUMBER: Final = re.compile(r"[+-]?([0-9]+|[0-9]{1,3}(,[0-9]{3})+)(\.[0-9]+)?")
RESULT_COLUMNS: Final = (
    "rating",
    "low",
    "high",
    "average",
    "mood",
    "missing",
    "ignored",
    "read_as",
    "version",
)


class FileError(Exception):
    """The visitor's file cannot be used, for example because it is not a CSV file.

    Attributes:
        kind: The reason, such as "too_many". The section `[csv]` in `en.toml` has a text for it.
    """

    def __init__(self, kind: str) -> None:
        super().__init__(kind)
        self.kind = kind


@dataclass(frozen=True)
class Row:
    """One film from the CSV file or from the form.

    Attributes:
        line: The number of the film's row in the CSV file, in which row 1 has the column names. For
            a film from the form, its position in the list of these films.
        facts: The facts about the film, as the body of a request to the API.
        problem: A sentence that says what is wrong with the row; None for a valid row.
    """

    line: int
    facts: Facts
    problem: str | None = None

    @property
    def title(self) -> str | None:
        """The film's title; None if it is not known."""
        return self.facts.get("title")


@dataclass(frozen=True)
class FilmResult:
    """The result for one film on the comparison page: its forecast, or the reason why it has none.

    Attributes:
        row: The film.
        forecast: The forecast; None if there is none.
        problem: The reason why there is no forecast, as a sentence; None if there is one.
    """

    row: Row
    forecast: Forecast | None = None
    problem: str | None = None


def read_films(raw: bytes, words: Words) -> list[Row]:
    """Read the films from a CSV file that the visitor has uploaded.

    Args:
        raw: The content of the file.
        words: The texts in the visitor's language.

    Returns:
        One `Row` per film. If a row has an error, its attribute `problem` explains the error.

    Raises:
        FileError: The file is too large, it is not a CSV file, it has no films or too many, or no
            column has a known name.
    """
    if len(raw) > _MAX_BYTES:
        raise FileError("too_large")
    rows = _rows(_text(raw))
    head = next(rows, None)
    if head is None:
        raise FileError("empty")
    columns = [_field(name) for name in head]
    if not any(columns):
        raise FileError("no_columns")
    films: list[Row] = []
    for at, row in enumerate(rows, 2):
        if any(row):
            if len(films) == MAX_ROWS:
                raise FileError("too_many")
            films.append(_row(at, columns, row, words))
    if not films:
        raise FileError("empty")
    return films


def _rows(text: str) -> Iterator[list[str]]:
    """Yield the cells of one row after the other, so that only one row is in memory."""
    try:
        for row in csv.reader(_lines(text)):
            yield [cell.strip() for cell in row]
    except csv.Error:
        raise FileError("unreadable") from None


def _lines(text: str) -> Iterator[str]:
    lines = io.StringIO(text, newline="")
    while line := lines.readline(_MAX_CHARACTERS + 1):
        if len(line) > _MAX_CHARACTERS:
            raise FileError("unreadable")
        yield line


def example_file(words: Words) -> bytes:
    """Return the content of an example CSV file, which visitors can download and fill in.

    It contains one film.
    """
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


def results_file(results: Iterable[FilmResult], words: Words) -> bytes:
    """Return the content of a CSV file with the results: one row per film.

    A row has the film's forecast, or the reason why it has none.
    """
    heads = ["row", "title", *RESULT_COLUMNS, "problem"]
    return _csv(
        [[words(f"csv.{name}") for name in heads], *(_cells(each, words) for each in results)]
    )


def _cells(result: FilmResult, words: Words) -> list[str]:
    begin = [str(result.row.line), result.row.title or ""]
    forecast = result.forecast
    if forecast is None:
        return [*begin, *("" for _ in RESULT_COLUMNS), result.problem or ""]
    ratings = (forecast.rating, forecast.low, forecast.high, forecast.average)
    return [
        *begin,
        *(f"{rating:.2f}" for rating in ratings),
        words.name("moods", forecast.mood[0] if forecast.mood else "unknown"),
        SEPARATOR.join(words.name("fields", name) for name in forecast.missing),
        SEPARATOR.join(notices.ignored_values(words, forecast).values()),
        SEPARATOR.join(notices.changed_values(words, forecast)),
        forecast.version,
        "",
    ]


def _csv(rows: Iterable[Sequence[str]]) -> bytes:
    stream = io.StringIO(newline="")
    writer = csv.writer(stream)
    for row in rows:
        writer.writerow([f"'{cell}" if cell.startswith(_FORMULA) else cell for cell in row])
    # With a byte order mark, or else Excel would not read the file as UTF-8.
    return stream.getvalue().encode("utf-8-sig")


def _text(raw: bytes) -> str:
    if b"\0" in raw:  # a workbook or a picture; text files have no zero bytes
        raise FileError("unreadable")
    for encoding in _ENCODINGS:
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise FileError("unreadable")


def _field(head: str) -> str | None:
    """Return the API's name for a field, given the name of a column; None if it is unknown."""
    key = head.casefold().strip()
    for name in FIELDS:
        known = {name, *(Words(code).name("fields", name) for code in LANGUAGES)}
        if key in {each.casefold() for each in known}:
            return name
    return None


def _row(line: int, columns: Sequence[str | None], cells: Sequence[str], words: Words) -> Row:
    facts: dict[str, Any] = {}
    problem = None
    # Not strict: a row may have fewer cells than there are columns.
    for name, cell in zip(columns, cells, strict=False):
        if name and cell:
            try:
                facts[name] = _PARSERS.get(name, str)(cell)
            except ValueError:
                values = {"name": words.name("fields", name), "cell": cell[:40]}
                problem = problem or words(f"csv.bad_{name}", **values)
    if problem is None and not (facts.get("overview") or facts.get("genres")):
        problem = words("faults.body")
    return Row(line, facts, problem)


def _names(cell: str) -> list[str]:
    return [each.strip() for each in cell.split(SEPARATOR) if each.strip()]


def _number(cell: str) -> float:
    """Parse a number in which commas may separate thousands; `1,12` and `1_12` are refused."""
    text = unicodedata.normalize("NFKC", cell)
    if not _NUMBER.fullmatch(text):
        raise ValueError(text)
    return finite(text.replace(",", ""))


def _day(cell: str) -> str:
    """Parse a date with year, month and day in this order, such as 2027-05-01 or 2027. 5. 1.

    Returns:
        The date in ISO 8601.
    """
    year, month, day = (int(part) for part in re.findall(r"\d+", cell))
    return date(year, month, day).isoformat()


def _genres(cell: str) -> list[str]:
    return [_untranslated("genres", name) for name in _names(cell)]


def _untranslated(section: str, name: str) -> str:
    """Translate a name that the UI shows back to TMDB's name.

    The name may be in any language of the UI. An unknown name is returned unchanged.

    Args:
        section: The section of the TOML files with the translations, such as `genres`.
        name: The name to translate.
    """
    for code in LANGUAGES:
        for original, translation in Words(code).section(section).items():
            if name.casefold() in (translation.casefold(), original.casefold()):
                return original
    return name


def _language(cell: str) -> str:
    for code in LANGUAGES:
        for iso, name in Words(code).locale.languages.items():
            if cell.casefold() == name.casefold():
                return str(iso)
    return cell.lower()  # it may be a code; the API checks it


_PARSERS: Final[dict[str, Callable[[str], Any]]] = {
    **dict.fromkeys(LIST_FIELDS, _names),
    "genres": _genres,
    "language": _language,
    "runtime": _number,
    "budget": _number,
    "release_date": _day,
}
