"""Parts of a film, such as its credits, that its newest record lacks and an older record has.

TMDB at times leaves a part out of its answer, for no known reason. The film then keeps the part
that was sent last. The part keeps its own time, so it expires when TMDB's terms require it.
"""

from datetime import datetime

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from scripts.store.index import Ints, is_last
from scripts.store.schema import PART_TIMES, SCHEMA

NO_PART = -1  # the time of a part that a row does not have


def find_parts(ids: Ints, times: Ints, newest: npt.NDArray[np.bool_]) -> tuple[Ints, Ints]:
    """Find the rows that have a part which the newest row of the same film lacks.

    Args:
        ids: The film of each row, shape (rows,).
        times: When TMDB sent the part, in milliseconds since 1970; `NO_PART` if the row has none.
        newest: Whether the row is a film's newest; shape (rows,).

    Returns:
        The positions of newest rows without the part, and of the rows to take it from.
    """
    having = np.flatnonzero(times != NO_PART)
    having = having[np.lexsort((times[having], ids[having]))]
    last = having[is_last(ids[having])]
    rows = np.flatnonzero(newest & np.isin(ids, ids[last]))
    sources = last[np.searchsorted(ids[last], ids[rows])]
    lacks = times[rows] < times[sources]
    return rows[lacks], sources[lacks]


def without_deleted(times: Ints, ids: Ints, fetched: Ints, deleted: npt.NDArray[np.bool_]) -> Ints:
    """Replace the times of parts from before a film was deleted by `NO_PART`.

    If TMDB brings a deleted film back, it starts without the parts that it had before.

    Args:
        times: When TMDB sent the part of each row, shape (rows,).
        ids: The film of each row.
        fetched: When each row was fetched.
        deleted: Whether the row is a tombstone.
    """
    buried = np.flatnonzero(deleted)
    buried = buried[np.lexsort((fetched[buried], ids[buried]))]
    last = buried[is_last(ids[buried])]
    at = np.minimum(np.searchsorted(ids[last], ids), len(last) - 1)
    if len(last) == 0:
        return times
    is_old = (ids[last][at] == ids) & (fetched <= fetched[last][at])
    return np.where(is_old, NO_PART, times)


def fill_part(films: pa.Table, part: str, kept: pa.Table) -> pa.Table:
    """Set one part of the films in `kept`, and the time at which TMDB sent it.

    Args:
        films: A table with the columns of `schema.SCHEMA`, one row per film.
        part: The name of the part.
        kept: The columns `id`, the part, and its time; one row per film that lacks the part.
    """
    if kept.num_rows == 0:
        return films
    at = pc.index_in(films["id"].combine_chunks(), value_set=kept["id"].combine_chunks())
    for name in (part, PART_TIMES[part]):
        filled = pc.if_else(at.is_valid(), kept[name].combine_chunks().take(at), films[name])
        films = _set(films, name, filled)
    return films


def drop_expired_parts(films: pa.Table, before: datetime) -> pa.Table:
    """Set parts to null that TMDB sent before a given time."""
    for part, time in PART_TIMES.items():
        fresh = pc.greater_equal(films[time], pa.scalar(before, SCHEMA.field(time).type))
        for name in (part, time):
            films = _set(films, name, pc.if_else(fresh, films[name], None))
    return films


def _set(films: pa.Table, name: str, values: pa.ChunkedArray) -> pa.Table:
    return films.set_column(films.schema.get_field_index(name), SCHEMA.field(name), values)
