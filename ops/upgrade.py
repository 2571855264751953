"""Bring instance A to the code in this folder, its database with it: `python3 -m ops.upgrade`.

The database is kept in a file first. When the new version does not start, `--back FILE` puts the
old state back; check out and build the old code before.
"""

import sys
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Final

from ops.arguments import parser_of, project_of, told
from ops.project import Project, is_healthy, wait

_AIRFLOW: Final = ("airflow-api-server", "airflow-scheduler", "airflow-dag-processor")
_START_SECONDS: Final = 300
_SIGN_IN: Final = 'export PGPASSWORD="$POSTGRES_PASSWORD"; exec '
_AS_AIRFLOW: Final = "-h 127.0.0.1 -U airflow"

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
    project.compose("stop", *_AIRFLOW)
    dump(project, backup)
    project.compose("up", "-d", "--no-build")  # migrates before anything else starts
    await_airflow(project)


def go_back(project: Project, backup: Path) -> None:
    """Put a database back that was kept, and start the version that belongs to it.

    Raises:
        EngineError: A step failed.
    """
    project.compose("stop", *_AIRFLOW)
    restore(project, backup)
    project.compose("up", "-d", "--no-build")
    await_airflow(project)


def dump(project: Project, file: Path) -> None:
    """Write the database to a file that only its owner may read."""
    command = f"{_SIGN_IN} pg_dump {_AS_AIRFLOW} --no-owner airflow"
    text = project.compose("exec", "-T", "postgres", "sh", "-c", command)
    file.touch(mode=0o600)
    file.write_text(text + "\n")


def restore(project: Project, file: Path) -> None:
    """Put a file's state in the place of the database's."""
    command = f"{_SIGN_IN} psql -q -v ON_ERROR_STOP=1 {_AS_AIRFLOW} airflow"
    anew = "DROP SCHEMA public CASCADE; CREATE SCHEMA public;\n"
    project.compose("exec", "-T", "postgres", "sh", "-c", command, typed=anew + file.read_text())


def await_airflow(project: Project) -> None:
    """Wait until each of Airflow's programs is healthy."""
    for service in _AIRFLOW:
        container = project.one(service)
        wait(f"{service} is healthy", partial(is_healthy, container), _START_SECONDS)


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
