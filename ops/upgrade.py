"""Bring instance A to the code in this folder, its database with it: `python3 -m ops.upgrade`.

The database is kept in a file first. When the new version does not start, `--back FILE` puts the
old state back; check out and build the old code before.
"""

import sys
from datetime import UTC, datetime
from pathlib import Path

from ops.arguments import parser_of, project_of, told
from ops.project import Project
from ops.training import AIRFLOW, await_airflow, dump, restore

parser = parser_of(
    "ops.upgrade", (__doc__ or "").partition(":")[0], "training", "docker-compose-airflow.yaml"
)
parser.add_argument("--back", type=Path, metavar="FILE", help="put this state of the database back")
parser.add_argument("--no-build", action="store_true", help="the new images are there already")


def upgrade(project: Project, backup: Path, build: bool = True) -> None:
    """Keep the database in `backup`, migrate it, and start the new version.

    Raises:
        EngineError: A step failed.
    """
    if build:
        project.compose("build")
    project.compose("stop", *AIRFLOW)
    dump(project, backup)
    project.compose("up", "-d", "--no-build")  # migrates before anything else starts
    await_airflow(project)


def go_back(project: Project, backup: Path) -> None:
    """Put a database back that was kept, and start the version that belongs to it.

    Raises:
        EngineError: A step failed.
    """
    project.compose("stop", *AIRFLOW)
    restore(project, backup)
    project.compose("up", "-d", "--no-build")
    await_airflow(project)


def main(argv: list[str] | None = None) -> int:
    """Upgrade or go back, and say where the old state is."""
    options = parser.parse_args(argv)
    project = project_of(options)

    def work() -> str:
        if options.back:
            go_back(project, options.back)
            return f"as it was in {options.back}"
        backup = Path(f"airflow-{datetime.now(UTC):%Y%m%dT%H%M%S}.sql")
        upgrade(project, backup, not options.no_build)
        return f"upgraded; the database as it was is in {backup}"

    return told(work)


if __name__ == "__main__":
    sys.exit(main())
