"""Make every secret of instance A anew: `python3 -m ops.rotate`.

What TMDB, Amazon, W&B and Slack gave is not ours to make: put new ones into .env before.
"""

import sys
from typing import Final

from ops import credentials
from ops.arguments import parser_of, project_of, told
from ops.project import Project

_FERNET: Final = "AIRFLOW__CORE__FERNET_KEY"
_AIRFLOW: Final = ("airflow-api-server", "airflow-scheduler", "airflow-dag-processor")

parser = parser_of(
    "ops.rotate", (__doc__ or "").partition(":")[0], "training", "docker-compose-airflow.yaml"
)


def rotate(project: Project) -> None:
    """Make the secrets anew, in the database too, and start Airflow with them.

    The file of settings is replaced last, so that what stops in between can be run again.

    Raises:
        EngineError: A step failed; the file of settings still holds the old secrets.
    """
    text = project.env_file.read_text()
    fresh = credentials.completed(text, rotate=credentials.OWN)
    project.compose("stop", *_AIRFLOW)
    _rotate_fernet_key(project, credentials.value_of(text, _FERNET) or "", fresh[_FERNET])
    _set_database_password(project, fresh["POSTGRES_PASSWORD"])
    credentials.write(project.env_file, credentials.with_values(text, fresh))
    project.compose("up", "-d", "--no-build")


def _rotate_fernet_key(project: Project, old: str, new: str) -> None:
    # By its input, not its arguments, which any process can read.
    script = (
        'read -r keys; export AIRFLOW__CORE__FERNET_KEY="$keys"; exec airflow rotate-fernet-key'
    )
    project.compose(
        "run",
        "--rm",
        "--no-deps",
        "-T",
        "airflow-migrate",
        "sh",
        "-c",
        script,
        typed=f"{new},{old}\n",
    )


def _set_database_password(project: Project, password: str) -> None:
    # The container itself knows the password that it was made with.
    sign_in = 'PGPASSWORD="$POSTGRES_PASSWORD" exec psql -q -h 127.0.0.1 -U airflow airflow'
    statement = f"ALTER ROLE airflow PASSWORD '{password}';\n"
    project.compose("exec", "-T", "postgres", "sh", "-c", sign_in, typed=statement)


def main(argv: list[str] | None = None) -> int:
    """Rotate, and say so."""
    options = parser.parse_args(argv)

    def work() -> str:
        rotate(project_of(options))
        return f"made anew: {', '.join(credentials.OWN)}"

    return told(work)


if __name__ == "__main__":
    sys.exit(main())
