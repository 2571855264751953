"""The film store: the newest record and the vote history of each film, in parquet files.

A vote history holds a film's rating and number of votes on each day that the film was fetched.

Each file is written in one atomic step and never changed; its name contains a checksum of its
content. A film may be in several files: readers then use the newest record and merge the vote
histories. So several processes can add files at the same time, readers need no lock, and a killed
process cannot damage the films in the store. `compact` merges the files into fewer ones and then
deletes the old files.
"""

import hashlib
import json
import logging
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from cloudpathlib.exceptions import NoStatError

from movierating.errors import ExplainedError
from movierating.settings import PipelineSettings
from scripts.runtime.storage import DataPath, data_folder, reading, write_bytes, writing
from scripts.store.index import Index, Ints, ints, is_last
from scripts.store.kept_parts import (
    NO_PART,
    drop_expired_parts,
    fill_part,
    find_parts,
    without_deleted,
)
from scripts.store.releases import with_first_releases
from scripts.store.schema import FACTS, PART_TIMES, PARTS, SCHEMA, tombstone
from scripts.store.vote_history import NO_VOTES, merge_votes, vote_rows, votes_as_of

logger = logging.getLogger(__name__)

SMALL_FILES: Final = 64  # when `add` has written this many files, it merges them into one
# Size in memory of a merged file. It is small, because a merge holds several copies in memory.
_FILE_BYTES: Final = 8_000_000
_SMALL_BYTES: Final = 500_000  # `compact` merges files that are smaller than this on disk
_LONGEST_WRITE_SECONDS: Final = 3600  # the process that wrote an older partial file was killed
_SUPERSEDED_SHARE: Final = 0.25  # `compact` rewrites all files if more of the rows are outdated
_MOST_KEPT_PARTS: Final = 10_000  # parts of older records that are held in memory together
_INDEX: Final = ("id", "fetched_at", "run_date", "release_date", "deleted")


class StoreCorruptError(ExplainedError, ValueError):
    """A file of the film store does not match its checksum, or cannot be parsed."""

    def __init__(self, path: DataPath) -> None:
        """Create the error; its message names the damaged file and how to restore its films."""
        super().__init__(
            f"{path} is damaged; move it away, and the next backfill fetches its films again"
        )


class FilmStore:
    """A folder of files with all films from one source: TMDB, or a local imitation of TMDB."""

    def __init__(self, folder: DataPath) -> None:
        """Use `folder` for the files; it is created when the first films are added."""
        self.folder = folder
        self._written: list[DataPath] = []

    def add(self, films: pa.Table) -> None:
        """Write films to a new file in the store; they are safely on disk when this returns.

        Args:
            films: A table with the columns of `schema.SCHEMA`, one row per film.

        Raises:
            DataFileError: The folder cannot be written.
        """
        if films.num_rows == 0:
            return
        self._written.append(self._write(films))
        if len(self._written) >= SMALL_FILES:
            self.merge_written()

    def bury(self, deleted: Mapping[int, datetime]) -> None:
        """Replace films by tombstones: readers no longer find them, unless a newer record comes.

        Args:
            deleted: By film id, when TMDB answered that it has no such film.

        Raises:
            DataFileError: The folder cannot be written.
        """
        rows = [tombstone(film_id, at) for film_id, at in deleted.items()]
        self.add(pa.Table.from_pylist(rows, schema=SCHEMA))

    def merge_written(self) -> None:
        """Merge files into larger ones: the files that this object wrote since its last merge."""
        if len(self._written) > 1:
            self._merge(self._written)
        self._written = []

    def index(self) -> Index:
        """Read each film's id and dates; this is fast because the large columns are not read.

        Raises:
            StoreCorruptError: A file is damaged.
        """
        rows = self._scan(_INDEX)
        ids, at = ints(rows, "id"), ints(rows, "fetched_at")
        order = np.lexsort((at, ids))
        newest = order[is_last(ids[order])]
        newest = newest[~_is_deleted(rows)[newest]]
        return Index(
            ids[newest],
            at[newest],
            ints(rows, "run_date", -1)[newest],
            ints(rows, "release_date", Index.UNDATED)[newest],
        )

    def films(self, run_date: date | None = None) -> Iterator[pa.Table]:
        """Read all films, one row per film, with their complete vote histories.

        Yields tables of some thousand films each. Films that another process adds meanwhile may be
        missing.

        Args:
            run_date: If given, only the films whose newest record comes from this date's daily run.

        Raises:
            StoreCorruptError: A file is damaged.
        """
        seen: list[Ints] = []
        while True:
            earlier = np.concatenate([np.empty(0, np.int64), *seen])
            try:
                for table in _merged(self._files(), run_date):
                    new = table.filter(~np.isin(ints(table, "id"), earlier))
                    yield new.filter(~_is_deleted(new))
                    seen.append(ints(new, "id"))
            except FileNotFoundError:  # another process merged this file into another one
                continue
            return

    def as_of(self, day: date) -> Iterator[pa.Table]:
        """Read all films as `films` does, but with the facts that training and forecasts use.

        The rating and the votes are those known on `day`, or null if none were known. The
        `release_date` is the day of the film's first release in any country (see `releases`).
        """
        for table in self.films():
            yield with_first_releases(votes_as_of(table, day))

    def compact(self) -> None:
        """Merge small files into large ones, or all files if many rows are outdated.

        A row is outdated if the store has a newer record of the same film. The limit is a quarter
        of the rows.
        """
        self._delete_partial_files()
        files, ids = self._files(), ints(self._scan(["id"]), "id")
        small = [path for path in files if _size(path) < _SMALL_BYTES]
        if len(ids) - len(np.unique(ids)) > _SUPERSEDED_SHARE * len(ids):
            self._merge(files)
        elif len(small) > 1:
            self._merge(small)

    def purge(self, before: datetime) -> int:
        """Delete all film records that were fetched before a given time.

        Returns:
            The number of films that this removed from the store.
        """
        moment, files = int(before.timestamp() * 1000), self._files()
        times = ("fetched_at", *PART_TIMES.values())
        rows = self._scan(times)
        if not any((ints(rows, name, moment) < moment).any() for name in times):
            return 0
        gone = int((self.index().fetched_at < moment).sum())
        fresh = pc.field("fetched_at") >= pa.scalar(before, _AT)
        self._merge(files, lambda films: drop_expired_parts(films.filter(fresh), before))
        logger.info("deleted %s films that were not refreshed since %s", gone, before.date())
        return gone

    def digest(self) -> str:
        """Calculate a SHA-256 hash of all films' facts; stores with equal films have equal hashes.

        The time and the order in which the films were added make no difference.
        """
        hashes: dict[int, bytes] = {}
        for table in self.films():
            for row in table.select(FACTS).to_pylist():
                text = json.dumps(row, sort_keys=True, default=str).encode()
                hashes[row["id"]] = hashlib.sha256(text).digest()
        return hashlib.sha256(b"".join(hashes[film] for film in sorted(hashes))).hexdigest()

    def _files(self) -> list[DataPath]:
        """List the files of the store.

        While another process merges files, one listing may miss both the old and the new file of a
        film. So the listing is repeated until two in a row are equal.
        """
        before, files = None, self._listed()
        while files != before:
            before, files = files, self._listed()
        return files

    def _listed(self) -> list[DataPath]:
        with reading(self.folder):
            if not self.folder.exists():
                return []
            return sorted(self.folder.glob("*.parquet"), key=lambda path: path.name)

    def _delete_partial_files(self) -> None:
        """Delete the incomplete files that killed processes left behind.

        They may contain TMDB's data, which its terms do not allow to be kept for long.
        """
        if not isinstance(self.folder, Path):
            return  # an upload to S3 is atomic and leaves no partial file
        for path in self.folder.glob(".*.partial"):
            with suppress(FileNotFoundError):  # its process is alive and has just finished writing
                if time.time() - path.stat().st_mtime > _LONGEST_WRITE_SECONDS:
                    path.unlink()

    def is_empty(self) -> bool:
        """Return whether the store has no films."""
        return not self._files()

    def _scan(self, names: Sequence[str]) -> pa.Table:
        """Read some columns of all rows, including outdated records of a film."""
        while True:
            try:
                parts = [_columns(path, names) for path in self._files()]
                return pa.concat_tables([_NO_FILMS.select(names), *parts])
            except FileNotFoundError:  # another process merged this file into another one
                continue

    def _write(self, films: pa.Table) -> DataPath:
        sink = pa.BufferOutputStream()
        pq.write_table(films.sort_by("id"), sink, compression="zstd", write_page_checksum=True)
        raw = sink.getvalue().to_pybytes()
        path: DataPath = self.folder / f"{time.time_ns():020}-{_checksum(raw)}.parquet"
        write_bytes(path, raw)
        return path

    def _merge(
        self, files: list[DataPath], change: Callable[[pa.Table], pa.Table] = lambda films: films
    ) -> None:
        try:
            kept = map(change, _merged(files))
            for table in _in_sizes(kept, _FILE_BYTES):
                self._write(table)
        except FileNotFoundError:
            logger.info("another process is merging the files of %s; nothing to do", self.folder)
            return
        # The old files are deleted last. If the process is killed before this, some films are
        # in the store twice, which readers can handle.
        with writing(self.folder):
            for path in files:
                path.unlink(missing_ok=True)


def film_store(settings: PipelineSettings, source: str) -> FilmStore:
    """Open the film store of a source of films, in the working folder.

    Each source has its own store, so that invented films never mix with real ones.

    Args:
        settings: Settings that name the working folder.
        source: The name of the source (see `movierating.films.source`).
    """
    return FilmStore(folder_of_stores(settings) / source)


def folder_of_stores(settings: PipelineSettings) -> DataPath:
    """Return the folder that has a film store for each source."""
    return data_folder(settings) / "films"


def other_sources(settings: PipelineSettings, source: str) -> list[str]:
    """Return the names of the other sources that have a film store in the working folder."""
    stores = folder_of_stores(settings)
    with reading(stores):
        found = [path.name for path in stores.iterdir()] if stores.exists() else []
    return sorted(name for name in found if name != source and not name.startswith("."))


_AT: Final = SCHEMA.field("fetched_at").type
_NO_FILMS: Final = SCHEMA.empty_table()


@dataclass(frozen=True)
class _Rows:
    """Which rows of some files make up each film.

    Attributes:
        newest: For each file, the positions of the rows that are a film's newest.
        older_votes: The votes of all other rows, in the columns of `NO_VOTES`.
        lacking: By part, for each newest row that lacks it: the number of the row's file.
        sources: By part, for each of these rows: the file, and the position in it, of the row from
            which to take the part; shape (rows, 2).
    """

    newest: list[Ints]
    older_votes: pa.Table
    lacking: dict[str, Ints]
    sources: dict[str, Ints]


def _merged(files: list[DataPath], run_date: date | None = None) -> Iterator[pa.Table]:
    """Read the films in `files`, one row per film, with each film's votes from all of these files.

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
                films = _verified(files[at]).take(rows.newest[at])
                films = merge_votes(films, rows.older_votes)
                for part in PARTS:
                    films = fill_part(films, part, kept[part])
                yield films


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
        _columns(files[at], names).take(sources[sources[:, 0] == at, 1])
        for at in np.unique(sources[:, 0])
    ]
    return pa.concat_tables([_NO_FILMS.select(names), *tables])


def _newest(files: list[DataPath], run_date: date | None) -> _Rows:
    """Find the newest row of each film in `files`, and the rows with what that row lacks.

    Args:
        files: Files of the store.
        run_date: If given, only the newest rows that this date's daily run fetched.
    """
    names = ("id", "fetched_at", "run_date", "deleted", *PART_TIMES.values())
    parts = [_columns(path, names) for path in files]
    starts = np.cumsum([0, *map(len, parts)])[:-1]  # the number of each file's first row
    rows = pa.concat_tables([_NO_FILMS.select(names), *parts])
    ids, at = ints(rows, "id"), ints(rows, "fetched_at")
    order = np.lexsort((at, ids))
    is_newest = np.zeros(len(ids), np.bool_)
    is_newest[order] = is_last(ids[order])
    older = [
        vote_rows(_columns(path, ("id", "votes")).filter(~mask))
        for path, mask in zip(files, np.split(is_newest, starts[1:]), strict=False)
        if not mask.all()
    ]
    if run_date is not None:
        is_newest &= pc.equal(rows["run_date"], run_date).fill_null(False).to_numpy()
    lacking, sources = {}, {}
    for part, sent in PART_TIMES.items():
        times = without_deleted(ints(rows, sent, NO_PART), ids, at, _is_deleted(rows))
        needy, having = find_parts(ids, times, is_newest)
        lacking[part] = _file_of(needy, starts)
        source = _file_of(having, starts)
        sources[part] = np.column_stack([source, having - starts[source]])
    newest = [np.flatnonzero(mask) for mask in np.split(is_newest, starts[1:])]
    return _Rows(newest[: len(files)], pa.concat_tables([NO_VOTES, *older]), lacking, sources)


def _is_deleted(rows: pa.Table) -> npt.NDArray[np.bool_]:
    """Whether each row is a tombstone, shape (rows,)."""
    mask: npt.NDArray[np.bool_] = rows["deleted"].fill_null(False).to_numpy()
    return mask


def _file_of(rows: Ints, starts: Ints) -> Ints:
    return np.searchsorted(starts, rows, side="right") - 1


def _in_sizes(tables: Iterable[pa.Table], size: int) -> Iterator[pa.Table]:
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


def _verified(path: DataPath) -> pa.Table:
    with reading(path):
        raw = path.read_bytes()
    if not path.stem.endswith(_checksum(raw)):
        raise StoreCorruptError(path)
    return _parse(path, pa.BufferReader(raw), SCHEMA.names)


def _columns(path: DataPath, names: Iterable[str]) -> pa.Table:
    with reading(path), path.open("rb") as stream:
        return _parse(path, stream, list(names))


def _parse(path: DataPath, stream: Any, names: list[str]) -> pa.Table:
    """Read some columns of a parquet file, and verify the checksums inside the file."""
    try:
        table = _read(pq.ParquetFile(stream, page_checksum_verification=True), names)
        return table.cast(pa.schema([SCHEMA.field(name) for name in names]))
    except (pa.ArrowException, KeyError, OverflowError, ValueError):
        raise StoreCorruptError(path) from None
    except OSError as error:
        if error.errno is not None:  # an error from the operating system, so the file may be intact
            raise
        raise StoreCorruptError(path) from None


def _read(file: pq.ParquetFile, names: list[str]) -> pa.Table:
    """Read some columns; files of version 1.0.0 lack some, so derive these.

    They have no tombstones, and a part is as old as its record.
    """
    part_of = {time: part for part, time in PART_TIMES.items()}
    lacking = part_of.keys() - set(file.schema_arrow.names)
    derived = [name for name in names if name in lacking]
    sources = {"fetched_at", *(part_of[name] for name in derived)} if derived else set()
    table = file.read([*names, *sources - set(names)])
    if "deleted" not in table.column_names:
        table = table.append_column("deleted", pa.nulls(len(table), pa.bool_()))
    for name in derived:
        time = pc.if_else(table[part_of[name]].is_valid(), table["fetched_at"], None)
        table = table.append_column(name, time)
    return table.select(names)


def _size(path: DataPath) -> int:
    try:
        with reading(path):
            return path.stat().st_size
    except (FileNotFoundError, NoStatError):  # another process merged it into another file
        return 0


def _checksum(raw: bytes) -> str:
    return hashlib.sha256(raw).hexdigest()[:16]
