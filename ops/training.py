"""Instance A as its operators need it: Airflow's programs, its commands, and its database."""

from functools import partial
from pathlib import Path
from typing import Final

from ops.project import Project, is_healthy, wait

AIRFLOW: Final = ("airflow-api-server", "airflow-scheduler", "airflow-dag-processor")
_START_SECONDS: Final = 300
# The container itself knows the password that it was made with.
_SIGN_IN: Final = 'export PGPASSWORD="$POSTGRES_PASSWORD"; exec '
_AS_AIRFLOW: Final = "-h 127.0.0.1 -U airflow"


def await_airflow(project: Project) -> None:
    """Wait until each of Airflow's programs is healthy."""
    for service in AIRFLOW:
        container = project.one(service)
        wait(f"{service} is healthy", partial(is_healthy, container), _START_SECONDS)


def command(project: Project, *words: str, typed: str | None = None) -> str:
    """Run a command of Airflow in a container of its own, beside those that run."""
    once = ("run", "--rm", "--no-deps", "-T", "airflow-migrate")
    return project.compose(*once, *words, typed=typed)


def execute(project: Project, statements: str) -> None:
    """Do what SQL says, up to the first error; it comes by input, so no process list shows it."""
    program = f"{_SIGN_IN} psql -q -v ON_ERROR_STOP=1 {_AS_AIRFLOW} airflow"
    project.compose("exec", "-T", "postgres", "sh", "-c", program, typed=statements)


def dump(project: Project, file: Path) -> None:
    """Write the database to a file that only its owner may read."""
    program = f"{_SIGN_IN} pg_dump {_AS_AIRFLOW} --no-owner airflow"
    text = project.compose("exec", "-T", "postgres", "sh", "-c", program)
    file.touch(mode=0o600)
    file.write_text(text + "\n")


def restore(project: Project, file: Path) -> None:
    """Put a file's state in the place of the database's."""
    anew = "DROP SCHEMA public CASCADE; CREATE SCHEMA public;\n"
    execute(project, anew + file.read_text())
