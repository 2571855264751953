"""Replace every secret of instance A (training): `python3 -m ops.rotate`.

The command replaces all passwords and keys that `ops.credentials` has generated. It cannot replace
the keys that TMDB, Amazon, W&B and Slack issue. If those should change too, get new keys there, and
write them into .env before you run this command.
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
    """Write new secrets to the database and to the settings file, and restart Airflow with them.

    First, the new secrets are written to a second file beside the settings file. If this function
    is interrupted, the next call reads the same new secrets from the second file. It is deleted at
    the end.

    Raises:
        EngineError: A step failed. If the failed step is the restart of Airflow, which is the last
            one, the settings file contains the new secrets. Otherwise it still contains the old
            ones.
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
    """Run the command line: replace the secrets, and print their names."""
    options = parser.parse_args(argv)

    def work() -> str:
        rotate(project_of(options))
        return f"replaced: {', '.join(credentials.OWN)}"

    return run_and_report(work)


if __name__ == "__main__":
    sys.exit(main())
