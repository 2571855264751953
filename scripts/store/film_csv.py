"""Write films as CSV, for the run's record of what it fetched and for spreadsheets."""

import csv
from collections.abc import Iterable

from scripts.runtime.storage import DataPath, atomic_write
from scripts.store.schema import FIELDS, FilmRecord


def write_films(path: DataPath, films: Iterable[FilmRecord]) -> int:
    """Write films as CSV in UTF-8 with a byte order mark, which spreadsheets need.

    Args:
        path: The file, written atomically.
        films: Rows of the store; columns other than `FIELDS` are left out.

    Returns:
        The number of films.
    """
    with (
        atomic_write(path) as partial,
        partial.open("w", encoding="utf-8-sig", newline="") as stream,
    ):
        # Text is quoted, because a bare carriage return in a plot would otherwise end its row.
        writer = csv.DictWriter(
            stream, FIELDS, extrasaction="ignore", quoting=csv.QUOTE_NONNUMERIC, lineterminator="\n"
        )
        writer.writeheader()
        return sum(1 for film in films if writer.writerow(film))
