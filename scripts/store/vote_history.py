"""Vote histories: a film's rating and number of votes on each day that it was fetched."""

from datetime import date
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from scripts.store.index import Ints, ints, is_last
from scripts.store.schema import SCHEMA, VOTE

NO_VOTES: Final = pa.schema([SCHEMA.field("id"), *VOTE]).empty_table()


def vote_rows(films: pa.Table) -> pa.Table:
    """Unpack the films' vote histories into a table with one row per film and day.

    Args:
        films: A table with the columns of `schema.SCHEMA`, one row per film.

    Returns:
        The columns of `NO_VOTES`: id, date, rating and number of votes.
    """
    votes = films["votes"].combine_chunks()
    ids = films["id"].combine_chunks().take(pc.list_parent_indices(votes))
    entries = pc.list_flatten(votes)
    columns = [pc.struct_field(entries, field.name) for field in VOTE]
    return pa.table([ids, *columns], schema=NO_VOTES.schema)


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
    votes = _one_a_day(pa.concat_tables([older, vote_rows(films)]))
    rows = np.argsort(ints(films, "id"))
    films = films.take(rows)  # sorted by id, as `votes` is
    counts = np.diff(np.searchsorted(ints(votes, "id"), ints(films, "id")), append=len(votes))
    return _set(films, "votes", _listed(votes, counts))


def votes_as_of(films: pa.Table, day: date) -> pa.Table:
    """Set each film's rating and number of votes to those known on `day`; null if none were."""
    votes = vote_rows(films)
    votes = votes.filter(pc.field("date") <= day)
    last = votes.filter(is_last(ints(votes, "id")))
    at = pc.index_in(films["id"].combine_chunks(), value_set=last["id"].combine_chunks())
    for name in ("vote_average", "vote_count"):
        films = _set(films, name, last[name].combine_chunks().take(at))
    return films


def _one_a_day(votes: pa.Table) -> pa.Table:
    """Keep only the last row for each film and day; the result is sorted by id and date."""
    ids, days = ints(votes, "id"), ints(votes, "date")
    order = np.lexsort((np.arange(len(ids)), days, ids))
    return votes.take(order[is_last(ids[order], days[order])])


def _listed(votes: pa.Table, counts: Ints) -> pa.ListArray:
    """Group consecutive rows of votes into one list per film.

    Args:
        votes: Rows sorted by film.
        counts: The number of rows for each film.
    """
    offsets = pa.array(np.concatenate([[0], np.cumsum(counts)]), pa.int32())
    entries = [votes[field.name].combine_chunks() for field in VOTE]
    structs = pa.StructArray.from_arrays(entries, fields=list(VOTE))
    return pa.ListArray.from_arrays(offsets, structs, type=SCHEMA.field("votes").type)


def _set(films: pa.Table, name: str, values: pa.Array) -> pa.Table:
    return films.set_column(films.schema.get_field_index(name), SCHEMA.field(name), values)
