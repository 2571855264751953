"""Write films to a CSV file, which shows what a run fetched and opens in spreadsheets."""

import csv
from collections.abc import Iterable

from scripts.runtime.storage import DataPath, atomic_write
from scripts.store.schema import FIELDS, FilmRecord


def write_films(path: DataPath, films: Iterable[FilmRecord]) -> int:
    """Write films to a CSV file, in UTF-8 with the byte order mark that spreadsheets need.

    Args:
        path: The file to write; it is replaced in one atomic step.
        films: Rows of the film store, as dictionaries; only the columns in `FIELDS` are written.

    Returns:
        The number of films written.
    """
    with (
        atomic_write(path) as partial,
        partial.open("w", encoding="utf-8-sig", newline="") as stream,
    ):
        # Text is quoted; otherwise a carriage return within a plot would be read as the row's end.
        writer = csv.DictWriter(
            stream, FIELDS, extrasaction="ignore", quoting=csv.QUOTE_NONNUMERIC, lineterminator="\n"
        )
        writer.writeheader()
        return sum(1 for film in films if writer.writerow(film))
