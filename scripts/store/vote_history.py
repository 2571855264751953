"""Vote histories: a film's rating and number of votes on each day that it was fetched."""

from datetime import date
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from scripts.store.histories import entries_of, no_entries, with_entries
from scripts.store.index import ints, is_last
from scripts.store.schema import SCHEMA

NO_VOTES: Final = no_entries("votes")


def merge_votes(films: pa.Table, older: pa.Table) -> pa.Table:
    """Add older entries to the films' vote histories; each history remains sorted by date.

    If `films` and `older` both have an entry for a day, the entry in `films` is kept.

    Args:
        films: A table with the columns of `schema.SCHEMA`, one row per film.
        older: A table with the columns of `NO_VOTES`, one row per film and day. Rows of films that
            are not in `films` are ignored.
    """
    older = older.filter(np.isin(ints(older, "id"), ints(films, "id")))
    if older.num_rows == 0:
        return films
    votes = _one_a_day(pa.concat_tables([older, entries_of(films, "votes")]))
    return with_entries(films, "votes", votes)


def votes_as_of(films: pa.Table, day: date) -> pa.Table:
    """Set each film's rating and number of votes to those known on `day`; null if none were."""
    votes = entries_of(films, "votes")
    votes = votes.filter(pc.field("date") <= day)
    last = votes.filter(is_last(ints(votes, "id")))
    at = pc.index_in(films["id"].combine_chunks(), value_set=last["id"].combine_chunks())
    for name in ("vote_average", "vote_count"):
        column, values = films.schema.get_field_index(name), last[name].combine_chunks()
        films = films.set_column(column, SCHEMA.field(name), values.take(at))
    return films


def _one_a_day(votes: pa.Table) -> pa.Table:
    """Keep only the last row for each film and day; the result is sorted by id and date."""
    ids, days = ints(votes, "id"), ints(votes, "date")
    order = np.lexsort((np.arange(len(ids)), days, ids))
    return votes.take(order[is_last(ids[order], days[order])])
