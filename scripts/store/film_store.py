"""The film store: the newest record of each film, its votes and its fame, in parquet files.

A vote history holds a film's rating and number of votes on each day that the film was fetched. The
fame of a film is recorded only before its release (see `store.fame`).

Each file is written in one atomic step and never changed; its name contains a checksum of its
content. A film may be in several files: readers then use the newest record and merge the
histories. So several processes can add files at the same time, readers need no lock, and a killed
process cannot damage the films in the store. `compact` merges the files into fewer ones and then
deletes the old files.
"""

import hashlib
import json
import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import date, datetime
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from movierating.settings import PipelineSettings
from scripts.runtime.storage import DataPath, data_folder, reading, writing
from scripts.store.fame import fame_before_release
from scripts.store.histories import entries_of
from scripts.store.index import Index, Ints, ints, is_last
from scripts.store.kept_parts import (
    drop_expired_parts,
)
from scripts.store.merging import in_sizes, is_deleted, merged_films
from scripts.store.releases import with_first_releases
from scripts.store.schema import FACTS, PART_TIMES, SCHEMA, tombstone
from scripts.store.store_files import NO_FILMS, file_size, read_columns, write_file
from scripts.store.vote_history import votes_as_of

logger = logging.getLogger(__name__)

SMALL_FILES: Final = 64  # when `add` has written this many files, it merges them into one
# Size in memory of a merged file. It is small, because a merge holds several copies in memory.
_FILE_BYTES: Final = 8_000_000
_SMALL_BYTES: Final = 500_000  # `compact` merges files that are smaller than this on disk
_LONGEST_WRITE_SECONDS: Final = 3600  # the process that wrote an older partial file was killed
_SUPERSEDED_SHARE: Final = 0.25  # `compact` rewrites all files if more of the rows are outdated
_AT: Final = SCHEMA.field("fetched_at").type
_INDEX: Final = ("id", "fetched_at", "run_date", "release_date", "deleted")


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
        self._written.append(write_file(self.folder, films))
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
        newest = newest[~is_deleted(rows)[newest]]
        return Index(
            ids[newest],
            at[newest],
            ints(rows, "run_date", -1)[newest],
            ints(rows, "release_date", Index.UNDATED)[newest],
        )

    def films(self, run_date: date | None = None) -> Iterator[pa.Table]:
        """Read all films, one row per film, with their complete histories.

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
                for table in merged_films(self._files(), run_date):
                    new = table.filter(~np.isin(ints(table, "id"), earlier))
                    yield new.filter(~is_deleted(new))
                    seen.append(ints(new, "id"))
            except FileNotFoundError:  # another process merged this file into another one
                continue
            return

    def as_of(self, day: date) -> Iterator[pa.Table]:
        """Read all films as `films` does, but with the facts that training and forecasts use.

        The rating and the votes are those known on `day`, or null if none were known. The
        `release_date` is the day of the film's first release in any country (see `releases`). The
        fame is only from before that release, and from no later than `day`.
        """
        for table in self.films():
            yield fame_before_release(with_first_releases(votes_as_of(table, day)), day)

    def first_rated_on(self) -> date | None:
        """Return the first day for which the store has ratings; None if there are no ratings."""
        days = (pc.min(entries_of(table, "votes")["date"]).as_py() for table in self.films())
        return min((day for day in days if day), default=None)

    def compact(self) -> None:
        """Merge small files into large ones, or all files if many rows are outdated.

        A row is outdated if the store has a newer record of the same film. The limit is a quarter
        of the rows.
        """
        self._delete_partial_files()
        files, ids = self._files(), ints(self._scan(["id"]), "id")
        small = [path for path in files if file_size(path) < _SMALL_BYTES]
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
                parts = [read_columns(path, names) for path in self._files()]
                return pa.concat_tables([NO_FILMS.select(names), *parts])
            except FileNotFoundError:  # another process merged this file into another one
                continue

    def _merge(
        self, files: list[DataPath], change: Callable[[pa.Table], pa.Table] = lambda films: films
    ) -> None:
        try:
            kept = map(change, merged_films(files))
            for table in in_sizes(kept, _FILE_BYTES):
                write_file(self.folder, table)
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
