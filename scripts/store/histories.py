"""Columns with a list of values over time: convert them to one row per value, and back."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from scripts.store.index import Ints, ints
from scripts.store.schema import HISTORIES, SCHEMA


def no_entries(name: str) -> pa.Table:
    """Return an empty table with the columns of `entries_of`."""
    return pa.schema([SCHEMA.field("id"), *HISTORIES[name]]).empty_table()


def entries_of(films: pa.Table, name: str) -> pa.Table:
    """Unpack a history into a table with one row per film and value.

    Args:
        films: A table with the columns `id` and `name`, one row per film.
        name: The history, a key of `schema.HISTORIES`.

    Returns:
        The film's id, and the fields of the history's values.
    """
    lists = films[name].combine_chunks()
    ids = films["id"].combine_chunks().take(pc.list_parent_indices(lists))
    values = pc.list_flatten(lists)
    columns = [pc.struct_field(values, field.name) for field in HISTORIES[name]]
    return pa.table([ids, *columns], schema=no_entries(name).schema)


def with_entries(films: pa.Table, name: str, entries: pa.Table) -> pa.Table:
    """Replace a history of the films; the result is sorted by film id.

    Args:
        films: A table with the columns of `schema.SCHEMA`, one row per film.
        name: The history, a key of `schema.HISTORIES`.
        entries: The columns of `entries_of`, sorted by film id. All ids are in `films`.
    """
    films = films.take(np.argsort(ints(films, "id")))
    starts = np.searchsorted(ints(entries, "id"), ints(films, "id"))
    lists = _listed(entries, name, np.append(starts, len(entries)))
    column = films.schema.get_field_index(name)
    return films.set_column(column, SCHEMA.field(name), lists)


def _listed(entries: pa.Table, name: str, offsets: Ints) -> pa.ListArray:
    """Group consecutive entries into one list per film, from each offset to the next."""
    fields = list(HISTORIES[name])
    values = [entries[field.name].combine_chunks() for field in fields]
    structs = pa.StructArray.from_arrays(values, fields=fields)
    column = SCHEMA.field(name).type
    return pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), structs, type=column)
