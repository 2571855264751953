"""Upgrade instance A (training) to the code in this folder: `python3 -m ops.upgrade`.

The command writes a backup of Airflow's database to a file. Then it migrates the database and
starts the new version. If the new version does not start, check out and build the old code. Then
run this command with `--back FILE`: it restores the database from the backup FILE.
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
    """Write a backup of Airflow's database, migrate the database, and start the new version.

    Args:
        project: The Docker Compose project of instance A (training).
        backup: The file for the backup.
        build: Whether to build the new container images first.

    Raises:
        EngineError: A step failed, or Airflow's services are not healthy in time.
    """
    if build:
        project.compose("build")
    # What Airflow wrote after the backup would be lost when the backup is restored.
    project.compose("stop", *AIRFLOW)
    dump(project, backup)
    project.compose("up", "-d", "--no-build")  # the service airflow-migrate migrates the database
    wait_for_airflow(project)


def go_back(project: Project, backup: Path) -> None:
    """Restore Airflow's database from the backup that `upgrade` has written, and start Airflow.

    Before you call this, check out and build the old code. Otherwise the new code would migrate
    the restored database again.

    Args:
        project: The Docker Compose project of instance A (training).
        backup: The file with the backup.

    Raises:
        EngineError: A step failed, or Airflow's services are not healthy in time.
    """
    project.compose("stop", *AIRFLOW)
    restore(project, backup)
    project.compose("up", "-d", "--no-build")
    wait_for_airflow(project)


def main(argv: list[str] | None = None) -> int:
    """Run the command line: upgrade Airflow, or restore its database if `--back` is given."""
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
