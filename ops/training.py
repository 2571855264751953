"""Operate instance A: Airflow's programs, its commands, and its database."""

from functools import partial
from pathlib import Path
from typing import Final

from ops.project import Project, is_healthy, wait

AIRFLOW: Final = ("airflow-api-server", "airflow-scheduler", "airflow-dag-processor")
_START_SECONDS: Final = 300
# The container has the password in its environment.
_SIGN_IN: Final = 'export PGPASSWORD="$POSTGRES_PASSWORD"; exec '
_AS_AIRFLOW: Final = "-h 127.0.0.1 -U airflow"


def wait_for_airflow(project: Project) -> None:
    """Wait until each of Airflow's programs is healthy."""
    for service in AIRFLOW:
        container = project.one(service)
        wait(f"{service} is healthy", partial(is_healthy, container), _START_SECONDS)


def command(project: Project, *words: str, typed: str | None = None) -> str:
    """Run a command of Airflow in a new container, beside the running ones."""
    once = ("run", "--rm", "--no-deps", "-T", "airflow-migrate")
    return project.compose(*once, *words, typed=typed)


def execute(project: Project, statements: str) -> None:
    """Execute SQL up to the first error. It comes by input, so that no process list shows it."""
    program = f"{_SIGN_IN} psql -q -v ON_ERROR_STOP=1 {_AS_AIRFLOW} airflow"
    project.compose("exec", "-T", "postgres", "sh", "-c", program, typed=statements)


def dump(project: Project, file: Path) -> None:
    """Write the database to a file that only its owner can read."""
    program = f"{_SIGN_IN} pg_dump {_AS_AIRFLOW} --no-owner airflow"
    text = project.compose("exec", "-T", "postgres", "sh", "-c", program)
    file.touch(mode=0o600)
    file.write_text(text + "\n")


def restore(project: Project, file: Path) -> None:
    """Replace the database by the state in a file."""
    reset = "DROP SCHEMA public CASCADE; CREATE SCHEMA public;\n"
    execute(project, reset + file.read_text())
