"""Find and delete old files, by age and by total size."""

import logging
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from scripts.runtime.storage import DataPath

logger = logging.getLogger(__name__)

# The files of runs in the working folder, and W&B's beside them. The film store is not among them.
_RUN_FILES: Final = (
    "movies_*",
    "preprocess_*.json",
    "codes_*.json",
    "bundle_*",
    "report_*.html",
    "tune_*.log",
    "tuned_*.json",
    "model_*.pkl",
    ".*.partial",
    "wandb/*run-*",
)
_IN_USE: Final = timedelta(days=3)  # a younger file may belong to a run that has not ended


@dataclass(frozen=True)
class Entry:
    """A file, or a folder with all its files.

    Attributes:
        path: Where it is.
        modified: When any of its files was last written, in seconds since 1970.
        size: Of all its files, in bytes.
    """

    path: DataPath
    modified: float
    size: int


def run_entries(folder: DataPath) -> Iterator[Entry]:
    """The files and folders that runs left in the working folder."""
    for pattern in _RUN_FILES:
        for path in folder.glob(pattern):
            files = (
                [path] if path.is_file() else [each for each in path.rglob("*") if each.is_file()]
            )
            yield _entry(path, files)


def log_entries(folder: Path) -> Iterator[Entry]:
    """The log files in a folder and its subfolders."""
    return (_entry(path, [path]) for path in folder.rglob("*.log"))


def expired(
    entries: Iterable[Entry], moment: datetime, keep_days: float, max_bytes: float
) -> Iterator[Entry]:
    """The entries to delete: those older than `keep_days`, then the oldest beyond `max_bytes`.

    Entries of the last three days are kept in any case.
    """
    # From the newest on, so that the newest files fill the allowed size and the others exceed it.
    room = max_bytes
    for entry in sorted(entries, key=lambda entry: entry.modified, reverse=True):
        age = timedelta(seconds=moment.timestamp() - entry.modified)
        room -= entry.size
        if age > _IN_USE and (age > timedelta(days=keep_days) or room < 0):
            yield entry


def delete(path: DataPath) -> None:
    """Delete a file, or a folder with all its files."""
    if path.is_file():
        path.unlink(missing_ok=True)
    elif isinstance(path, Path):
        shutil.rmtree(path)
    else:
        path.rmtree()
    logger.info("deleted %s", path)


def delete_expired_films(folder: DataPath, moment: datetime, longest: timedelta) -> None:
    """Delete the runs' CSV files of films that are older than TMDB's terms allow.

    Args:
        folder: The working folder.
        moment: The current time by TMDB's clock.
        longest: How long TMDB's content may be kept.
    """
    for path in [*folder.glob("movies_*"), *folder.glob(".movies_*")]:
        if moment.timestamp() - path.stat().st_mtime > longest.total_seconds():
            path.unlink(missing_ok=True)
            logger.info("deleted %s, which is over %s days old", path, longest.days)


def _entry(path: DataPath, files: Iterable[DataPath]) -> Entry:
    stats = [each.stat() for each in files]
    modified = max((each.st_mtime for each in stats), default=0.0)
    return Entry(path, modified, sum(each.st_size for each in stats))
