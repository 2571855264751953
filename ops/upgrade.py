"""Upgrade instance A (training) to the code in this folder: `python3 -m ops.upgrade`.

The command saves Airflow's database to a file, then migrates it. If the new version does not start,
check out and build the old code, then restore the database with `--back FILE`.
"""

import sys
from datetime import UTC, datetime
from pathlib import Path

from ops.arguments import parser_of, project_of, run_and_report
from ops.project import Project
from ops.training import AIRFLOW, dump, restore, wait_for_airflow

parser = parser_of(
    "ops.upgrade", (__doc__ or "").partition(":")[0], "training", "docker-compose-airflow.yaml"
)
parser.add_argument("--back", type=Path, metavar="FILE", help="restore the database from this file")
parser.add_argument("--no-build", action="store_true", help="the new images are already built")


def upgrade(project: Project, backup: Path, build: bool = True) -> None:
    """Save Airflow's database to the file `backup`, migrate it, and start the new version.

    Args:
        project: The Compose project of instance A.
        backup: The file to write.
        build: Whether to build the new images first.

    Raises:
        EngineError: A step failed, or the new version is not healthy in time.
    """
    if build:
        project.compose("build")
    # What Airflow wrote after the backup would be lost when the backup is restored.
    project.compose("stop", *AIRFLOW)
    dump(project, backup)
    project.compose("up", "-d", "--no-build")  # the service airflow-migrate migrates the database
    wait_for_airflow(project)


def go_back(project: Project, backup: Path) -> None:
    """Restore Airflow's database from the file `backup`, and start Airflow.

    Check out and build the old code before, because the new code would migrate the database again.

    Raises:
        EngineError: A step failed, or Airflow is not healthy in time.
    """
    project.compose("stop", *AIRFLOW)
    restore(project, backup)
    project.compose("up", "-d", "--no-build")
    wait_for_airflow(project)


def main(argv: list[str] | None = None) -> int:
    """Upgrade instance A, or restore its database if the command line has `--back`."""
    options = parser.parse_args(argv)
    project = project_of(options)

    def work() -> str:
        if options.back:
            go_back(project, options.back)
            return f"restored the database from {options.back}"
        backup = Path(f"airflow-{datetime.now(UTC):%Y%m%dT%H%M%S}.sql")
        upgrade(project, backup, not options.no_build)
        return f"upgraded; the old database is in {backup}"

    return run_and_report(work)


if __name__ == "__main__":
    sys.exit(main())
