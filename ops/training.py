"""Control Airflow on instance A (training): its services, its commands, and its database."""

from functools import partial
from pathlib import Path
from typing import Final

from ops.project import Project, is_healthy, wait

AIRFLOW: Final = ("airflow-api-server", "airflow-scheduler", "airflow-dag-processor")
_START_SECONDS: Final = 300
# The container has the password in its environment, so it appears in no process list here.
_SIGN_IN: Final = 'export PGPASSWORD="$POSTGRES_PASSWORD"; exec '
_AS_AIRFLOW: Final = "-h 127.0.0.1 -U airflow"


def wait_for_airflow(project: Project) -> None:
    """Wait until each of Airflow's services is healthy, which means it passes its health check.

    Raises:
        EngineError: A service is not healthy after five minutes.
    """
    for service in AIRFLOW:
        container = project.one(service)
        wait(f"{service} is healthy", partial(is_healthy, container), _START_SECONDS)


def command(project: Project, *words: str, typed: str | None = None) -> str:
    """Run a command in a new container with Airflow, and return the text that it prints.

    Args:
        project: The Docker Compose project of instance A (training).
        words: The command and its arguments.
        typed: The text for the command's standard input.
    """
    # A new container, because commands are also needed while Airflow's services are stopped.
    once = ("run", "--rm", "--no-deps", "-T", "airflow-migrate")
    return project.compose(*once, *words, typed=typed)


def execute(project: Project, statements: str) -> None:
    """Execute SQL statements in Airflow's database, until one of them fails.

    Args:
        project: The Docker Compose project of instance A (training).
        statements: The SQL statements, separated by semicolons.

    Raises:
        EngineError: A statement failed. The statements after it are not executed.
    """
    # Through standard input, because they can contain a password, and process lists are public.
    program = f"{_SIGN_IN} psql -q -v ON_ERROR_STOP=1 {_AS_AIRFLOW} airflow"
    project.compose("exec", "-T", "postgres", "sh", "-c", program, typed=statements)


def dump(project: Project, file: Path) -> None:
    """Write a backup of Airflow's database to a file of SQL statements.

    Only the file's owner can read it.
    """
    program = f"{_SIGN_IN} pg_dump {_AS_AIRFLOW} --no-owner airflow"
    text = project.compose("exec", "-T", "postgres", "sh", "-c", program)
    file.touch(mode=0o600)  # before the text, which contains encrypted secrets
    file.write_text(text + "\n")


def restore(project: Project, file: Path) -> None:
    """Replace the content of Airflow's database with the backup that `dump` wrote to a file."""
    # Dropping the schema also removes tables that only the newer version has.
    reset = "DROP SCHEMA public CASCADE; CREATE SCHEMA public;\n"
    execute(project, reset + file.read_text())
