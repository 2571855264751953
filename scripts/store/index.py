"""The index of the film store (ids and dates), and functions that convert columns to integers."""

from dataclasses import dataclass
from datetime import date
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

Ints = npt.NDArray[np.int64]

EPOCH: Final = date(1970, 1, 1)


@dataclass(frozen=True)
class Index:
    """When each film in the store was fetched and released; one entry per film, sorted by id.

    Attributes:
        ids: TMDB's ids, shape (films,).
        fetched_at: When the newest record was fetched, in milliseconds since 1970; shape (films,).
        run_day: The date of the daily run that fetched it, in days since 1970; -1 if a backfill
            fetched it; shape (films,).
        release_day: The release date in days since 1970; `UNDATED` where unknown; shape (films,).
    """

    ids: Ints
    fetched_at: Ints
    run_day: Ints
    release_day: Ints

    UNDATED = np.iinfo(np.int64).min

    def fetched(self, film_id: int) -> int:
        """Return when a film's newest record was fetched, in milliseconds since 1970.

        The result is 0 if the film is not in the store.
        """
        at = np.searchsorted(self.ids, film_id)
        is_known = at < len(self.ids) and self.ids[at] == film_id
        return int(self.fetched_at[at]) if is_known else 0

    def __len__(self) -> int:
        """Return the number of films in the store."""
        return len(self.ids)


def days_since_1970(day: date) -> int:
    """Convert a date to days since 1970, as used in `Index`."""
    return (day - EPOCH).days


def ints(table: pa.Table, name: str, missing: int = 0) -> Ints:
    """Convert a column of an Arrow table to 64-bit integers, shape (rows,).

    Args:
        table: The table.
        name: The column's name. Its numbers stay as they are; times become milliseconds since
            1970, dates become days since 1970.
        missing: The integer that replaces null.
    """
    column = table[name].combine_chunks()
    if pa.types.is_date32(column.type):
        column = column.cast(pa.int32())  # Arrow has no direct cast from date32 to int64
    values: Ints = column.cast(pa.int64()).fill_null(missing).to_numpy()
    return values


def is_last(*keys: Ints) -> npt.NDArray[np.bool_]:
    """Mark the last row of each group of consecutive rows with equal values in all `keys`.

    Args:
        keys: Columns of shape (rows,), sorted so that rows with equal values are neighbours.

    Returns:
        Booleans, shape (rows,); true for the last row of a group.
    """
    last = np.ones(len(keys[0]), np.bool_)
    last[:-1] = np.any([key[1:] != key[:-1] for key in keys], axis=0)
    return last
