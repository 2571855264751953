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

# Name patterns of the files that runs leave in the working folder, and of W&B's files there. The
# film store matches no pattern, so this module never deletes it.
_RUN_FILES: Final = (
    "movies_*",
    "preprocess_*.json",
    "codes_*.json",
    "bundle_*",
    "report_*.html",
    "tune_*.log",
    "tuned_*.json",
    "approval_*.json",
    "model_*.pkl",
    ".*.partial",
    "wandb/*run-*",
)
_IN_USE: Final = timedelta(days=3)  # a newer file may belong to a run that is still active


@dataclass(frozen=True)
class Entry:
    """A file, or a folder with all its files.

    Attributes:
        path: Path of the file or folder.
        modified: When the newest of its files was last written, in seconds since 1970.
        size: Total size of its files in bytes.
    """

    path: DataPath
    modified: float
    size: int


def run_entries(folder: DataPath) -> Iterator[Entry]:
    """Yield the files and folders that pipeline runs left in the working folder."""
    for pattern in _RUN_FILES:
        for path in folder.glob(pattern):
            files = (
                [path] if path.is_file() else [each for each in path.rglob("*") if each.is_file()]
            )
            yield _entry(path, files)


def log_entries(folder: Path) -> Iterator[Entry]:
    """Yield the log files in a folder and in its subfolders."""
    return (_entry(path, [path]) for path in folder.rglob("*.log"))


def expired(
    entries: Iterable[Entry], moment: datetime, keep_days: float, max_bytes: float
) -> Iterator[Entry]:
    """Select the files and folders to delete; none that were written in the last three days.

    Args:
        entries: All files and folders that may be deleted.
        moment: The current time.
        keep_days: Files and folders that are older than this are selected.
        max_bytes: The allowed total size. If it is exceeded, the oldest files and folders are
            selected until the others fit.
    """
    # The newest entry comes first and uses the allowed size first, so only the oldest exceed it.
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
    """Delete CSV files of fetched films once they are older than TMDB's terms allow.

    Args:
        folder: The working folder.
        moment: The current time by TMDB's clock.
        longest: The longest time for which TMDB's terms allow keeping its data.
    """
    for path in [*folder.glob("movies_*"), *folder.glob(".movies_*")]:
        if moment.timestamp() - path.stat().st_mtime > longest.total_seconds():
            path.unlink(missing_ok=True)
            logger.info("deleted %s, which is over %s days old", path, longest.days)


def _entry(path: DataPath, files: Iterable[DataPath]) -> Entry:
    stats = [each.stat() for each in files]
    modified = max((each.st_mtime for each in stats), default=0.0)
    return Entry(path, modified, sum(each.st_size for each in stats))
