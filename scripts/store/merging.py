"""Merge the films of several files of the store: the newest record of each, with its histories."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from movierating.films.tmdb import PARTS
from scripts.runtime.storage import DataPath
from scripts.store.fame import NO_FAME, merge_fame
from scripts.store.histories import entries_of
from scripts.store.index import Ints, ints, is_last
from scripts.store.kept_parts import NO_PART, fill_part, find_parts, without_deleted
from scripts.store.schema import HISTORIES, PART_TIMES
from scripts.store.store_files import NO_FILMS, read_columns, read_file
from scripts.store.vote_history import NO_VOTES, merge_votes

_MOST_KEPT_PARTS: Final = 10_000  # parts of older records that are held in memory together


def merged_films(files: list[DataPath], run_date: date | None = None) -> Iterator[pa.Table]:
    """Read the films in `files`, one row per film, with its votes and fame from all these files.

    A part that the newest record of a film lacks comes from an older record.

    Args:
        files: Files of the store.
        run_date: If given, only the films that this date's daily run fetched.
    """
    rows = _newest(files, run_date)
    for group in _groups(rows):
        kept = {part: _kept_parts(files, part, rows, group) for part in PARTS}
        for at in group:
            if len(rows.newest[at]):
                films = read_file(files[at]).take(rows.newest[at])
                films = merge_fame(merge_votes(films, rows.older_votes), rows.older_fame)
                for part in PARTS:
                    films = fill_part(films, part, kept[part])
                yield films


def in_sizes(tables: Iterable[pa.Table], size: int) -> Iterator[pa.Table]:
    """Join the rows of small tables into tables of about `size` bytes."""
    waiting: list[pa.Table] = []
    gathered = 0
    for table in filter(len, tables):
        waiting.append(table)
        gathered += table.nbytes
        if gathered >= size:
            yield pa.concat_tables(waiting)
            waiting, gathered = [], 0
    if waiting:
        yield pa.concat_tables(waiting)


@dataclass(frozen=True)
class _Rows:
    """Which rows of some files make up each film.

    Attributes:
        newest: For each file, the positions of the rows that are a film's newest.
        older_votes: The votes of all other rows, in the columns of `NO_VOTES`.
        older_fame: The fame of all other rows, in the columns of `NO_FAME`.
        lacking: By part, for each newest row that lacks the part: the number of the row's file.
        sources: By part, for each row in `lacking`: where to find the row that has the part, as the
            number of its file and its position in this file; shape (rows, 2).
    """

    newest: list[Ints]
    older_votes: pa.Table
    older_fame: pa.Table
    lacking: dict[str, Ints]
    sources: dict[str, Ints]


def _groups(rows: _Rows) -> Iterator[Ints]:
    """Divide the files into groups, so that the parts kept for one group fit into memory."""
    kept = np.zeros(len(rows.newest), np.int64)
    for lacking in rows.lacking.values():
        kept += np.bincount(lacking, minlength=len(kept))
    group_of = np.cumsum(kept) // _MOST_KEPT_PARTS
    return (np.flatnonzero(group_of == group) for group in np.unique(group_of))


def _kept_parts(files: list[DataPath], part: str, rows: _Rows, group: Ints) -> pa.Table:
    """Read one part from older records, for the films in a group of files that lack it."""
    names = ("id", part, PART_TIMES[part])
    sources = rows.sources[part][np.isin(rows.lacking[part], group)]
    tables = [
        read_columns(files[at], names).take(sources[sources[:, 0] == at, 1])
        for at in np.unique(sources[:, 0])
    ]
    return pa.concat_tables([NO_FILMS.select(names), *tables])


def _newest(files: list[DataPath], run_date: date | None) -> _Rows:
    """Find the newest row of each film in `files`, and older rows with the parts that it lacks.

    Args:
        files: Files of the store.
        run_date: If given, only the newest rows that this date's daily run fetched.
    """
    names = ("id", "fetched_at", "run_date", "deleted", *PART_TIMES.values())
    parts = [read_columns(path, names) for path in files]
    starts = np.cumsum([0, *map(len, parts)])[:-1]  # the number of each file's first row
    rows = pa.concat_tables([NO_FILMS.select(names), *parts])
    ids, at = ints(rows, "id"), ints(rows, "fetched_at")
    order = np.lexsort((at, ids))
    is_newest = np.zeros(len(ids), np.bool_)
    is_newest[order] = is_last(ids[order])
    older = [
        read_columns(path, ("id", *HISTORIES)).filter(~mask)
        for path, mask in zip(files, np.split(is_newest, starts[1:]), strict=False)
        if not mask.all()
    ]
    if run_date is not None:
        is_newest &= pc.equal(rows["run_date"], run_date).fill_null(False).to_numpy()
    lacking, sources = {}, {}
    for part, sent in PART_TIMES.items():
        times = without_deleted(ints(rows, sent, NO_PART), ids, at, is_deleted(rows))
        needy, having = find_parts(ids, times, is_newest)
        lacking[part] = _file_of(needy, starts)
        source = _file_of(having, starts)
        sources[part] = np.column_stack([source, having - starts[source]])
    newest = [np.flatnonzero(mask) for mask in np.split(is_newest, starts[1:])]
    votes = pa.concat_tables([NO_VOTES, *(entries_of(rows, "votes") for rows in older)])
    fame = pa.concat_tables([NO_FAME, *(entries_of(rows, "fame") for rows in older)])
    return _Rows(newest[: len(files)], votes, fame, lacking, sources)


def is_deleted(rows: pa.Table) -> npt.NDArray[np.bool_]:
    """Whether each row is a tombstone, shape (rows,)."""
    mask: npt.NDArray[np.bool_] = rows["deleted"].fill_null(False).to_numpy()
    return mask


def _file_of(rows: Ints, starts: Ints) -> Ints:
    return np.searchsorted(starts, rows, side="right") - 1
