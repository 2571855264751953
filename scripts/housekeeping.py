"""Prune what the pipeline leaves behind, by age and size, so that the disk never fills."""

import argparse
import logging
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import chain
from pathlib import Path
from typing import Final

from movierating.settings import PipelineSettings, pipeline_settings
from scripts.runtime.cli import run
from scripts.runtime.clock import now
from scripts.runtime.storage import DataPath, data_folder, read_json, write_json

logger = logging.getLogger(__name__)

# What a run leaves in the working folder, and W&B beside it. The film store is not among it.
_LEFT_BEHIND: Final = (
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
_SPARED: Final = timedelta(days=3)  # whatever its size, this may still be at work
_LAST: Final = "housekeeping.json"


@dataclass(frozen=True)
class Entry:
    """A file, or a folder with all that is in it.

    Attributes:
        modified: When anything of it was written last, in seconds since 1970.
    """

    path: DataPath
    modified: float
    size: int


def prune(settings: PipelineSettings, log_folder: Path | None = None) -> int:
    """Delete what is older than KEEP_DAYS, then the oldest until the rest fits KEEP_MAX_GB.

    What was written in the last three days stays. After a leap of the clock nothing is pruned
    once: if the clock is right, the next day does it.

    Args:
        settings: The working folder, and the two limits.
        log_folder: Airflow's logs, pruned as well.

    Returns:
        How many bytes were freed.
    """
    folder, moment = data_folder(settings), now()
    if _has_leapt(folder / _LAST, moment, timedelta(days=settings.keep_days)):
        logger.warning("the clock has leapt since the last housekeeping; nothing is pruned today")
        return 0
    found = chain(_left_behind(folder), _logs(log_folder) if log_folder else ())
    gone = list(expired(found, moment, settings.keep_days, settings.keep_max_gb * 1e9))
    for entry in gone:
        _delete(entry.path)
    freed = sum(entry.size for entry in gone)
    logger.info("%s files and folders pruned, %.1f MB", len(gone), freed / 1e6)
    return freed


def expired(
    entries: Iterable[Entry], moment: datetime, keep_days: float, max_bytes: float
) -> Iterator[Entry]:
    """The entries to delete: the old ones, then of the others the oldest that are too much."""
    room = max_bytes
    for entry in sorted(entries, key=lambda entry: entry.modified, reverse=True):
        age = timedelta(seconds=moment.timestamp() - entry.modified)
        room -= entry.size
        if age > _SPARED and (age > timedelta(days=keep_days) or room < 0):
            yield entry


def clean_metadata(connection: str, keep_days: int) -> None:
    """Delete old runs from Airflow's database, by Airflow's own program.

    Tasks may not open that database, so this is a process of its own, told where it is.

    Raises:
        subprocess.CalledProcessError: The program failed; its output is in the log.
    """
    before = now() - timedelta(days=keep_days)
    command = ["-m", "airflow", "db", "clean", "--skip-archive", "--yes"]
    subprocess.run(
        [sys.executable, *command, "--clean-before-timestamp", before.isoformat()],
        env=os.environ | {"AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": connection},
        check=True,
    )


def _has_leapt(record: DataPath, moment: datetime, longest: timedelta) -> bool:
    last = datetime.fromisoformat(read_json(record)["at"]) if record.exists() else moment
    write_json(record, {"at": moment.isoformat()})
    return not timedelta(0) <= moment - last <= longest


def _left_behind(folder: DataPath) -> Iterator[Entry]:
    for pattern in _LEFT_BEHIND:
        for path in folder.glob(pattern):
            files = (
                [path] if path.is_file() else [each for each in path.rglob("*") if each.is_file()]
            )
            yield _entry(path, files)


def _logs(folder: Path) -> Iterator[Entry]:
    return (_entry(path, [path]) for path in folder.rglob("*.log"))


def _entry(path: DataPath, files: Iterable[DataPath]) -> Entry:
    stats = [each.stat() for each in files]
    modified = max((each.st_mtime for each in stats), default=0.0)
    return Entry(path, modified, sum(each.st_size for each in stats))


def _delete(path: DataPath) -> None:
    if path.is_file():
        path.unlink(missing_ok=True)
    elif isinstance(path, Path):
        shutil.rmtree(path)
    else:
        path.rmtree()
    logger.info("%s is pruned", path)


_PARSER: Final = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
_PARSER.add_argument("--logs", type=Path, help="Airflow's folder of logs, to be pruned as well")


def main(argv: list[str] | None = None) -> int:
    """Prune from the command line."""
    arguments = _PARSER.parse_args(argv)
    return run(lambda: prune(pipeline_settings(), arguments.logs))


if __name__ == "__main__":
    raise SystemExit(main())
