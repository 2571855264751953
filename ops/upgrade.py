"""Upgrade instance A and its database to the code in this folder: `python3 -m ops.upgrade`.

It first saves the database to a file. If the new version does not start, check out and build the
old code, then restore the database with `--back FILE`.
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
    """Save the database to `backup`, migrate it, and start the new version.

    Raises:
        EngineError: A step failed.
    """
    if build:
        project.compose("build")
    # Nothing may write between the backup and the migration.
    project.compose("stop", *AIRFLOW)
    dump(project, backup)
    project.compose("up", "-d", "--no-build")  # first runs the migration
    wait_for_airflow(project)


def go_back(project: Project, backup: Path) -> None:
    """Restore the database from `backup`, and start Airflow with it; build the old code first.

    Raises:
        EngineError: A step failed.
    """
    project.compose("stop", *AIRFLOW)
    restore(project, backup)
    project.compose("up", "-d", "--no-build")
    wait_for_airflow(project)


def main(argv: list[str] | None = None) -> int:
    """Upgrade or go back from the command line."""
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
