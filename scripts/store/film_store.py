"""The film store: one current record a film and how its votes went, as a folder of parquet files.

A file is written whole, under a name that holds a digest of its content, and never changed. A film
may stand in several files: its newest record counts, and its votes are those of all of them. So
writers only add files, any number of them at once, readers need no lock, and whoever dies in
between leaves what was there. `compact` folds files into fewer, and removes them after that.
"""

import hashlib
import json
import logging
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from datetime import date, datetime
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlparse

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from cloudpathlib.exceptions import NoStatError

from movierating.errors import ExplainedError
from movierating.settings import PipelineSettings
from scripts.runtime.storage import DataPath, data_folder, reading, write_bytes, writing
from scripts.store.index import Index, Ints, ints, is_last
from scripts.store.schema import FACTS, SCHEMA
from scripts.store.vote_history import NO_VOTES, merge_votes, vote_rows, votes_as_of

logger = logging.getLogger(__name__)

SMALL_FILES: Final = 64  # so many are folded into one
_FILE_BYTES: Final = 8_000_000  # of a file in memory, where several copies of it meet
_SMALL_BYTES: Final = 500_000  # of a file on disk
_LONGEST_WRITE_SECONDS: Final = 3600
_SUPERSEDED_SHARE: Final = 0.25  # of the rows, before all files are folded
_INDEX: Final = ("id", "fetched_at", "run_date", "release_date")


class StoreCorruptError(ExplainedError, ValueError):
    """A file of the store is not what was written."""

    def __init__(self, path: DataPath) -> None:
        """Say which, and how its films come back."""
        super().__init__(
            f"{path} is damaged; move it away, and the next backfill collects its films again"
        )


class FilmStore:
    """The films of one source in one folder."""

    def __init__(self, folder: DataPath) -> None:
        """Use a folder; it is made with the first films."""
        self.folder = folder
        self._written: list[DataPath] = []

    def add(self, films: pa.Table) -> None:
        """Keep films, in columns as `records.SCHEMA`; they are on disk when this returns.

        Raises:
            DataFileError: The folder cannot be written.
        """
        if films.num_rows == 0:
            return
        self._written.append(self._write(films))
        if len(self._written) >= SMALL_FILES:
            self.settle()

    def settle(self) -> None:
        """Fold the files that this object has written since it last did so."""
        if len(self._written) > 1:
            self._fold(self._written)
        self._written = []

    def index(self) -> Index:
        """What is known of each film.

        Raises:
            StoreCorruptError: A file is damaged.
        """
        rows = self._scan(_INDEX)
        ids, at = ints(rows, "id"), ints(rows, "fetched_at")
        order = np.lexsort((at, ids))
        newest = order[is_last(ids[order])]
        return Index(
            ids[newest],
            at[newest],
            ints(rows, "run_date", -1)[newest],
            ints(rows, "release_date", Index.UNDATED)[newest],
        )

    def films(self, run_date: date | None = None) -> Iterator[pa.Table]:
        """One row a film, with all its votes, in tables of some thousand rows; each film once.

        Films that are added meanwhile may be missing.

        Args:
            run_date: Only the films that the daily run of that date brought in.

        Raises:
            StoreCorruptError: A file is damaged.
        """
        seen: list[Ints] = []
        while True:
            earlier = np.concatenate([np.empty(0, np.int64), *seen])
            try:
                for table in _folded(self._files(), run_date):
                    fresh = table.filter(~np.isin(ints(table, "id"), earlier))
                    yield fresh
                    seen.append(ints(fresh, "id"))
            except FileNotFoundError:  # folded meanwhile: its films stand in another file now
                continue
            return

    def as_of(self, day: date) -> Iterator[pa.Table]:
        """`films`, their rating and votes as they were known on a day; null where they were not."""
        for table in self.films():
            yield votes_as_of(table, day)

    def compact(self) -> None:
        """Fold small files into large ones; all of them once many rows are out of date."""
        self._sweep()
        files, ids = self._files(), ints(self._scan(["id"]), "id")
        small = [path for path in files if _size(path) < _SMALL_BYTES]
        if len(ids) - len(np.unique(ids)) > _SUPERSEDED_SHARE * len(ids):
            self._fold(files)
        elif len(small) > 1:
            self._fold(small)

    def purge(self, before: datetime) -> int:
        """Remove the records fetched before a moment, also those that newer ones superseded.

        Returns:
            How many films are gone with them.
        """
        moment, files = int(before.timestamp() * 1000), self._files()
        if not (ints(self._scan(["fetched_at"]), "fetched_at") < moment).any():
            return 0
        gone = int((self.index().fetched_at < moment).sum())
        self._fold(files, keep=pc.field("fetched_at") >= pa.scalar(before, _AT))
        logger.info("%s films were not refreshed since %s and are gone", gone, before.date())
        return gone

    def digest(self) -> str:
        """A hash of what is said of the films, whenever and in whichever order they came."""
        hashes: dict[int, bytes] = {}
        for table in self.films():
            for row in table.select(FACTS).to_pylist():
                text = json.dumps(row, sort_keys=True, default=str).encode()
                hashes[row["id"]] = hashlib.sha256(text).digest()
        return hashlib.sha256(b"".join(hashes[film] for film in sorted(hashes))).hexdigest()

    def _files(self) -> list[DataPath]:
        """The files there are. A listing is no snapshot: it counts once it comes out twice."""
        before, files = None, self._listed()
        while files != before:
            before, files = files, self._listed()
        return files

    def _listed(self) -> list[DataPath]:
        with reading(self.folder):
            if not self.folder.exists():
                return []
            return sorted(self.folder.glob("*.parquet"), key=lambda path: path.name)

    def _sweep(self) -> None:
        """Remove what writers that were killed left half-written; it may be content of TMDB."""
        if not isinstance(self.folder, Path):
            return  # in S3 nothing is ever half there
        for path in self.folder.glob(".*.partial"):
            with suppress(FileNotFoundError):  # a writer at work has finished
                if time.time() - path.stat().st_mtime > _LONGEST_WRITE_SECONDS:
                    path.unlink()

    def is_empty(self) -> bool:
        """Whether there is no film."""
        return not self._files()

    def _scan(self, names: Sequence[str]) -> pa.Table:
        """Some columns of all rows, also of those that newer ones superseded."""
        while True:
            try:
                parts = [_columns(path, names) for path in self._files()]
                return pa.concat_tables([_NO_FILMS.select(names), *parts])
            except FileNotFoundError:  # folded meanwhile: its films stand in another file now
                continue

    def _write(self, films: pa.Table) -> DataPath:
        sink = pa.BufferOutputStream()
        pq.write_table(films.sort_by("id"), sink, compression="zstd", write_page_checksum=True)
        raw = sink.getvalue().to_pybytes()
        path: DataPath = self.folder / f"{time.time_ns():020}-{_mark(raw)}.parquet"
        write_bytes(path, raw)
        return path

    def _fold(self, files: list[DataPath], keep: pc.Expression | None = None) -> None:
        try:
            films = _folded(files)
            kept = films if keep is None else (table.filter(keep) for table in films)
            for table in _in_sizes(kept, _FILE_BYTES):
                self._write(table)
        except FileNotFoundError:
            logger.info("another run is folding %s; leaving it to that", self.folder)
            return
        with writing(self.folder):
            for path in files:
                path.unlink(missing_ok=True)


def film_source(settings: PipelineSettings) -> str:
    """The name of the source of films: TMDB's host, or the catalogue that imitates TMDB.

    Each source has its own store, so that invented films never mix with real ones.
    """
    if settings.tmdb_catalogue:
        return Path(settings.tmdb_catalogue).stem
    return urlparse(settings.tmdb_base_url).hostname or "unknown"


def film_store(settings: PipelineSettings) -> FilmStore:
    """The store for the settings' source of films."""
    return FilmStore(data_folder(settings) / "films" / film_source(settings))


_AT: Final = SCHEMA.field("fetched_at").type
_NO_FILMS: Final = SCHEMA.empty_table()


def _folded(files: list[DataPath], run_date: date | None = None) -> Iterator[pa.Table]:
    """One row a film among some files, or those of a run, with its votes of all of them."""
    newest, older = _newest(files, run_date)
    for path, rows in zip(files, newest, strict=True):
        if len(rows):
            yield merge_votes(_verified(path).take(rows), older)


def _newest(files: list[DataPath], run_date: date | None) -> tuple[list[Ints], pa.Table]:
    """The rows that count, file by file, and the votes of those that do not, as `NO_VOTES`."""
    parts = [_columns(path, ("id", "fetched_at", "run_date")) for path in files]
    rows = pa.concat_tables([_NO_FILMS.select(["id", "fetched_at", "run_date"]), *parts])
    ids, at = ints(rows, "id"), ints(rows, "fetched_at")
    order = np.lexsort((at, ids))
    counts = np.zeros(len(ids), np.bool_)
    counts[order] = is_last(ids[order])
    by_file = np.split(counts, np.cumsum([len(part) for part in parts])[:-1]) if files else []
    older = [
        vote_rows(_columns(path, ("id", "votes")).filter(~mask))
        for path, mask in zip(files, by_file, strict=True)
        if not mask.all()
    ]
    if run_date is not None:
        brought = [pc.equal(part["run_date"], run_date).fill_null(False) for part in parts]
        by_file = [mask & each.to_numpy() for mask, each in zip(by_file, brought, strict=True)]
    return [np.flatnonzero(mask) for mask in by_file], pa.concat_tables([NO_VOTES, *older])


def _in_sizes(tables: Iterable[pa.Table], size: int) -> Iterator[pa.Table]:
    """The same rows in tables of about so many bytes."""
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
    if not path.stem.endswith(_mark(raw)):
        raise StoreCorruptError(path)
    return _parsed(path, pa.BufferReader(raw), SCHEMA.names)


def _columns(path: DataPath, names: Iterable[str]) -> pa.Table:
    with reading(path), path.open("rb") as stream:
        return _parsed(path, stream, list(names))


def _parsed(path: DataPath, stream: Any, names: list[str]) -> pa.Table:
    """Some columns; each page of them is checked against its checksum."""
    try:
        table = pq.ParquetFile(stream, page_checksum_verification=True).read(names)
        return table.cast(pa.schema([SCHEMA.field(name) for name in names]))
    except (pa.ArrowException, KeyError, OverflowError, ValueError):
        raise StoreCorruptError(path) from None
    except OSError as error:
        if error.errno is not None:  # the machine's trouble, not the file's
            raise
        raise StoreCorruptError(path) from None


def _size(path: DataPath) -> int:
    try:
        with reading(path):
            return path.stat().st_size
    except (FileNotFoundError, NoStatError):  # folded meanwhile
        return 0


def _mark(raw: bytes) -> str:
    return hashlib.sha256(raw).hexdigest()[:16]
