"""Write and read the files of the film store; checksums show whether a file is damaged."""

import hashlib
import time
from collections.abc import Iterable
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from cloudpathlib.exceptions import NoStatError

from movierating.errors import ExplainedError
from scripts.runtime.storage import DataPath, reading, write_bytes
from scripts.store.schema import PART_TIMES, SCHEMA

NO_FILMS: Final = SCHEMA.empty_table()


class StoreCorruptError(ExplainedError, ValueError):
    """A file of the film store does not match its checksum, or cannot be parsed."""

    def __init__(self, path: DataPath) -> None:
        """Create the error; its message names the damaged file and how to restore its films."""
        super().__init__(
            f"{path} is damaged; move it away, and the next backfill fetches its films again"
        )


def write_file(folder: DataPath, films: pa.Table) -> DataPath:
    """Write films to a new file in a folder; return the path of the file.

    Raises:
        DataFileError: The folder cannot be written.
    """
    sink = pa.BufferOutputStream()
    pq.write_table(films.sort_by("id"), sink, compression="zstd", write_page_checksum=True)
    raw = sink.getvalue().to_pybytes()
    path: DataPath = folder / f"{time.time_ns():020}-{checksum(raw)}.parquet"
    write_bytes(path, raw)
    return path


def read_file(path: DataPath) -> pa.Table:
    """Read all columns of a file, after comparing the file with the checksum in its name.

    Raises:
        StoreCorruptError: The file is damaged.
    """
    with reading(path):
        raw = path.read_bytes()
    if not path.stem.endswith(checksum(raw)):
        raise StoreCorruptError(path)
    return _parse(path, pa.BufferReader(raw), SCHEMA.names)


def read_columns(path: DataPath, names: Iterable[str]) -> pa.Table:
    """Read some columns of a file, without reading the others.

    Raises:
        StoreCorruptError: A column is damaged.
    """
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
    """Read some columns; derive columns that a file of version 1.0.0 lacks.

    Files of version 1.0.0 have no tombstones and no fame, and a part is as old as its record.
    """
    part_of = {time: part for part, time in PART_TIMES.items()}
    lacking = part_of.keys() - set(file.schema_arrow.names)
    derived = [name for name in names if name in lacking]
    sources = {"fetched_at", *(part_of[name] for name in derived)} if derived else set()
    table = file.read([*names, *sources - set(names)])
    if "fame" not in table.column_names:
        empty = pa.array([[]] * len(table), SCHEMA.field("fame").type)
        table = table.append_column("fame", empty)
    if "deleted" not in table.column_names:
        table = table.append_column("deleted", pa.nulls(len(table), pa.bool_()))
    for name in derived:
        time = pc.if_else(table[part_of[name]].is_valid(), table["fetched_at"], None)
        table = table.append_column(name, time)
    return table.select(names)


def file_size(path: DataPath) -> int:
    """Return the size of a file in bytes; 0 if it has been merged into another file."""
    try:
        with reading(path):
            return path.stat().st_size
    except (FileNotFoundError, NoStatError):  # another process merged it into another file
        return 0


def checksum(raw: bytes) -> str:
    """Return the checksum that is part of a file's name."""
    return hashlib.sha256(raw).hexdigest()[:16]
