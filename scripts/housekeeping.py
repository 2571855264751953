"""Delete the pipeline's old files and Airflow's old runs, so that the disk does not fill up."""

import argparse
import logging
import os
import subprocess
import sys
from datetime import datetime, timedelta
from itertools import chain
from pathlib import Path
from typing import Final

from movierating.settings import PipelineSettings, pipeline_settings
from scripts.runtime.cli import run
from scripts.runtime.clock import now
from scripts.runtime.retention import delete, expired, log_entries, run_entries
from scripts.runtime.storage import DataPath, data_folder, read_json, write_json
from scripts.store.film_store import folder_of_stores
from scripts.tmdb.slices import delete_abandoned_progress

logger = logging.getLogger(__name__)

_LAST: Final = "housekeeping.json"  # when the last housekeeping ran


def prune(settings: PipelineSettings, log_folder: Path | None = None) -> int:
    """Delete files older than KEEP_DAYS days, then the oldest until the rest fits in KEEP_MAX_GB.

    Files of the last three days are kept. The progress files of a backfill that nobody has
    continued for seven days are deleted too. If the machine's clock has jumped since the last
    housekeeping, nothing is deleted today: a wrong clock would make every file look old. If the
    clock is right, the next day's housekeeping deletes the old files.

    Args:
        settings: The working folder and the two limits.
        log_folder: The folder of Airflow's logs, which are deleted by the same rules.

    Returns:
        How many bytes were freed.
    """
    folder, moment = data_folder(settings), now()
    if _has_jumped(folder / _LAST, moment, timedelta(days=settings.keep_days)):
        logger.warning("the clock has jumped since the last housekeeping; nothing is deleted today")
        return 0
    found = chain(run_entries(folder), log_entries(log_folder) if log_folder else ())
    old = list(expired(found, moment, settings.keep_days, settings.keep_max_gb * 1e9))
    for entry in old:
        delete(entry.path)
    if abandoned := delete_abandoned_progress(folder_of_stores(settings), moment):
        logger.info("deleted %s files of backfills that were cancelled", abandoned)
    freed = sum(entry.size for entry in old)
    logger.info("deleted %s files and folders, %.1f MB", len(old), freed / 1e6)
    return freed


def clean_metadata(connection: str, keep_days: int) -> None:
    """Delete the records of old runs from Airflow's database, with Airflow's own command.

    Airflow hides the database's address from tasks. So the command runs as a process of its own,
    with the address in its environment.

    Raises:
        subprocess.CalledProcessError: The command failed; its output is in the log.
    """
    before = now() - timedelta(days=keep_days)
    command = ["-m", "airflow", "db", "clean", "--skip-archive", "--yes"]
    subprocess.run(
        [sys.executable, *command, "--clean-before-timestamp", before.isoformat()],
        env=os.environ | {"AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": connection},
        check=True,
    )


def _has_jumped(record: DataPath, moment: datetime, longest: timedelta) -> bool:
    """Return whether the clock has jumped since the last call: back, or ahead by over `longest`."""
    last = datetime.fromisoformat(read_json(record)["at"]) if record.exists() else moment
    write_json(record, {"at": moment.isoformat()})
    return not timedelta(0) <= moment - last <= longest


_PARSER: Final = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
_PARSER.add_argument("--logs", type=Path, help="Airflow's log folder, pruned as well")


def main(argv: list[str] | None = None) -> int:
    """Delete old files from the command line; return the exit status."""
    arguments = _PARSER.parse_args(argv)
    return run(lambda: prune(pipeline_settings(), arguments.logs))


if __name__ == "__main__":
    raise SystemExit(main())
