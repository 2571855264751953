"""Make every secret of instance A anew: `python3 -m ops.rotate`.

What TMDB, Amazon, W&B and Slack gave is not ours to make: put new ones into .env before.
"""

import sys
from typing import Final

from ops import credentials
from ops.arguments import parser_of, project_of, told
from ops.project import Project, settings_in
from ops.training import AIRFLOW, command, execute

_FERNET: Final = "AIRFLOW__CORE__FERNET_KEY"

parser = parser_of(
    "ops.rotate", (__doc__ or "").partition(":")[0], "training", "docker-compose-airflow.yaml"
)


def rotate(project: Project) -> None:
    """Make the secrets anew, in the database too, and start Airflow with them.

    They are kept in a file beside the settings until all is done: what stops in between goes on
    with the same ones when it is run again.

    Raises:
        EngineError: A step failed; the file of settings still holds the old secrets.
    """
    kept = project.env_file.with_name(f"{project.env_file.name}.rotating")
    if not kept.exists():
        credentials.write(kept, credentials.with_values("", credentials.completed("")))
    fresh = settings_in(kept)
    project.compose("stop", *AIRFLOW)
    _rotate_fernet_key(project, project.settings()[_FERNET], fresh[_FERNET])
    execute(project, f"ALTER ROLE airflow PASSWORD '{fresh['POSTGRES_PASSWORD']}';\n")
    text = credentials.with_values(project.env_file.read_text(), fresh)
    credentials.write(project.env_file, text)
    kept.unlink()
    project.compose("up", "-d", "--no-build")


def _rotate_fernet_key(project: Project, old: str, new: str) -> None:
    # By its input, not its arguments, which any process can read.
    script = (
        'read -r keys; export AIRFLOW__CORE__FERNET_KEY="$keys"; exec airflow rotate-fernet-key'
    )
    command(project, "sh", "-c", script, typed=f"{new},{old}\n")


def main(argv: list[str] | None = None) -> int:
    """Rotate, and say so."""
    options = parser.parse_args(argv)

    def work() -> str:
        rotate(project_of(options))
        return f"made anew: {', '.join(credentials.OWN)}"

    return told(work)


if __name__ == "__main__":
    sys.exit(main())
