"""Replace every secret of instance A (training): `python3 -m ops.rotate`.

These are the passwords and keys that this project generates. TMDB, Amazon, W&B and Slack issue
their own keys: put new ones into .env yourself, before you run this command.
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
    """Replace the secrets in the database and in the settings file, and restart Airflow with them.

    The new secrets are first written to a file beside the settings file. If a run is interrupted,
    the next run reads the same new secrets from there. The file is deleted at the end.

    Raises:
        EngineError: A step failed. If it was not the restart of Airflow, the settings file still
            contains the old secrets.
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
    # The keys go through standard input, because every process can read another's arguments.
    script = (
        'read -r keys; export AIRFLOW__CORE__FERNET_KEY="$keys"; exec airflow rotate-fernet-key'
    )
    # Airflow encrypts with the first key and decrypts with either, so a second run succeeds too.
    command(project, "sh", "-c", script, typed=f"{new},{old}\n")


def main(argv: list[str] | None = None) -> int:
    """Replace the secrets of the Compose project that the command line selects."""
    options = parser.parse_args(argv)

    def work() -> str:
        rotate(project_of(options))
        return f"replaced: {', '.join(credentials.OWN)}"

    return run_and_report(work)


if __name__ == "__main__":
    sys.exit(main())
