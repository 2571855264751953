"""Replace every secret of instance A: `python3 -m ops.rotate`.

It does not replace the keys of TMDB, Amazon, W&B and Slack: put new ones into .env before.
"""

import sys
from typing import Final

from ops import credentials
from ops.arguments import parser_of, project_of, run_and_report
from ops.project import Project, settings_in
from ops.training import AIRFLOW, command, execute

_FERNET: Final = "AIRFLOW__CORE__FERNET_KEY"

parser = parser_of(
    "ops.rotate", (__doc__ or "").partition(":")[0], "training", "docker-compose-airflow.yaml"
)


def rotate(project: Project) -> None:
    """Replace the secrets, also in the database, and start Airflow with them.

    The new secrets are kept in a file beside the settings until everything is done, so that a run
    after an interruption continues with the same ones.

    Raises:
        EngineError: A step failed; the file of settings still holds the old secrets.
    """
    kept = project.env_file.with_name(f"{project.env_file.name}.rotating")
    if not kept.exists():
        credentials.write(kept, credentials.with_values("", credentials.completed("")))
    fresh = settings_in(kept)
    # Airflow must not write with the old key while the database is encrypted with the new one.
    project.compose("stop", *AIRFLOW)
    _rotate_fernet_key(project, project.settings()[_FERNET], fresh[_FERNET])
    execute(project, f"ALTER ROLE airflow PASSWORD '{fresh['POSTGRES_PASSWORD']}';\n")
    text = credentials.with_values(project.env_file.read_text(), fresh)
    credentials.write(project.env_file, text)
    kept.unlink()
    project.compose("up", "-d", "--no-build")


def _rotate_fernet_key(project: Project, old: str, new: str) -> None:
    # The keys come by standard input, because any process can read arguments.
    script = (
        'read -r keys; export AIRFLOW__CORE__FERNET_KEY="$keys"; exec airflow rotate-fernet-key'
    )
    # Airflow encrypts with the first key, and decrypts with any of them.
    command(project, "sh", "-c", script, typed=f"{new},{old}\n")


def main(argv: list[str] | None = None) -> int:
    """Replace the secrets from the command line."""
    options = parser.parse_args(argv)

    def work() -> str:
        rotate(project_of(options))
        return f"replaced: {', '.join(credentials.OWN)}"

    return run_and_report(work)


if __name__ == "__main__":
    sys.exit(main())
