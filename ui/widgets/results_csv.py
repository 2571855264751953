"""Write CSV files: the results of a comparison, and an example that visitors can fill in."""

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from ui.client.predictions import Forecast
from ui.film_files.names import SEPARATOR
from ui.film_files.rows import Row
from ui.i18n.words import Words
from ui.widgets import notices

# A spreadsheet would run a cell with such a first character as a formula. Some also read the wide
# forms of these characters, which Korean and Japanese keyboards type.
_FORMULA: Final = ("=", "+", "-", "@", "＝", "＋", "－", "＠", "\t", "\r", "\n")
_FORECAST_COLUMNS: Final = (
    "rating",
    "low",
    "high",
    "average",
    "mood",
    "warnings",
    "missing",
    "ignored",
    "read_as",
    "version",
)
_COLUMNS: Final = ("number", "title", *_FORECAST_COLUMNS, "notes", "problem", "file_row")


@dataclass(frozen=True)
class FilmResult:
    """The result for one film on the comparison page: its forecast, or the reason why it has none.

    Attributes:
        number: The film's number in the comparison.
        row: The film.
        forecast: The forecast; None if there is none.
        problem: The reason why there is no forecast, as a sentence; None if there is one.
    """

    number: int
    row: Row
    forecast: Forecast | None = None
    problem: str | None = None


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
    heads = [words(f"csv.{name}") for name in _COLUMNS]
    return _csv([heads, *(_cells(each, words) for each in results)])


def _cells(result: FilmResult, words: Words) -> list[str]:
    row = result.row
    return [
        str(result.number),
        row.title or "",
        *_forecast_cells(result.forecast, words),
        " ".join(row.remarks),
        result.problem or "",
        str(row.line or ""),
    ]


def _forecast_cells(forecast: Forecast | None, words: Words) -> list[str]:
    if forecast is None:
        return [""] * len(_FORECAST_COLUMNS)
    ratings = (forecast.rating, forecast.low, forecast.high, forecast.average)
    return [
        *(f"{rating:.2f}" for rating in ratings),
        words.name("moods", forecast.mood[0] if forecast.mood else "unknown"),
        SEPARATOR.join(words.name("fields", name) for name in forecast.warnings),
        SEPARATOR.join(words.name("fields", name) for name in forecast.missing),
        SEPARATOR.join(notices.ignored_values(words, forecast).values()),
        SEPARATOR.join(notices.changed_values(words, forecast)),
        forecast.version,
    ]


def _csv(rows: Iterable[Sequence[str]]) -> bytes:
    stream = io.StringIO(newline="")
    writer = csv.writer(stream)
    for row in rows:
        writer.writerow([f"'{cell}" if cell.startswith(_FORMULA) else cell for cell in row])
    # With a byte order mark, or else Excel would not read the file as UTF-8.
    return stream.getvalue().encode("utf-8-sig")
