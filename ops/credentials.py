"""Generate the missing passwords and keys in a settings file: `python3 -m ops.credentials .env`."""

import argparse
import base64
import re
import secrets
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Final

# Secrets that nobody outside this deployment knows, so they can change at any time.
OWN: Final = (
    "POSTGRES_PASSWORD",
    "AIRFLOW_ADMIN_PASSWORD",
    "AIRFLOW__CORE__FERNET_KEY",
    "AIRFLOW__API__SECRET_KEY",
    "AIRFLOW__API_AUTH__JWT_SECRET",
)
# In the container trial (`make trial`), random keys replace the keys of TMDB and Amazon,
# because the stand-ins accept any key. The proxy's user gets a random password.
OF_THE_TRIAL: Final = (
    "TMDB_API_KEY",
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "S3_READER_ACCESS_KEY_ID",
    "S3_READER_SECRET_ACCESS_KEY",
    "PROXY_PASSWORD",
)
TRIAL: Final = {
    "TMDB_BASE_URL": "http://tmdb:8090/3",
    "AWS_ENDPOINT_URL_S3": "http://s3:8333",
    "S3_BUCKET_NAME": "movie-ratings",
    "COLLECT_MAX_FILMS": "400",
    "AIRFLOW_PORT": "8080",
    "UI_PORT": "8501",
    "API_PORT": "0",  # the engine gives each replica a free port
    "COMPOSE_PROFILES": "public",
    "PUBLIC_ADDRESS": "localhost, films.localhost",
    "PUBLIC_HTTP_PORT": "8081",
    "PUBLIC_HTTPS_PORT": "8443",
    "PROXY_USERS_FILE": "./trial_users",
}

parser = argparse.ArgumentParser(prog="python3 -m ops.credentials", description=__doc__)
parser.add_argument("file", type=Path, help="the .env file to complete; created if missing")
parser.add_argument(
    "--trial", action="store_true", help="also the settings of docker-compose-trial.yaml"
)
parser.add_argument("--rotate", nargs="+", default=(), metavar="NAME", help="replace these")


def new_secret() -> str:
    """Generate a secret: 32 random bytes in URL-safe base64, the format of a Fernet key."""
    return base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()


def value_of(text: str, name: str) -> str | None:
    """Return the value of a setting in the text of a .env file; None if it is absent or empty."""
    found = re.search(rf"(?m)^{name}=(.+)$", text)
    return found[1] if found else None


def with_values(text: str, values: dict[str, str]) -> str:
    """Return the text of a .env file with new values for some settings.

    Args:
        text: The present text of the file.
        values: The new values by the setting's name. A setting that the text does not have is
            added at the end.
    """
    for name, value in values.items():
        line = f"{name}={value}"
        # A commented-out setting is replaced in place, next to the comment that explains it.
        text, found = re.subn(rf"(?m)^(?:# ?)?{name}=.*$", line, text, count=1)
        if not found:
            text = f"{text.rstrip()}\n{line}\n".lstrip()
    return text


def completed(text: str, trial: bool = False, rotate: Iterable[str] = ()) -> dict[str, str]:
    """Generate values for the settings that are missing in a .env file.

    Args:
        text: The text of the .env file.
        trial: Whether to include the settings that only the container trial (`make trial`) needs.
        rotate: The names of secrets that get a new value although they already have one.

    Returns:
        The values by the setting's name.

    Raises:
        ValueError: A secret in `rotate` cannot be generated, because another organisation such as
            Amazon issues it.
    """
    ours = (*OWN, *OF_THE_TRIAL) if trial else OWN
    if foreign := [name for name in rotate if name not in ours]:
        raise ValueError(f"{', '.join(foreign)}: get a new one from its issuer")
    wanted = [name for name in ours if name in rotate or value_of(text, name) is None]
    given = {name: value for name, value in TRIAL.items() if trial and value_of(text, name) is None}
    return given | {name: new_secret() for name in wanted}


def write(file: Path, text: str) -> None:
    """Write a file that only its owner can read, in one atomic step (completely or not at all)."""
    # The mode is set before the text is written, so the secrets are never readable by others.
    # The rename replaces the old file only when the new one is complete.
    partial = file.with_name(f".{file.name}.partial")
    partial.touch(mode=0o600)
    partial.write_text(text)
    partial.replace(file)


def main(argv: list[str] | None = None) -> int:
    """Add the missing settings to the .env file, and print the names of the added settings.

    The values are never printed, because they are secret.
    """
    options = parser.parse_args(argv)
    text = options.file.read_text() if options.file.exists() else ""
    try:
        values = completed(text, options.trial, options.rotate)
    except ValueError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    write(options.file, with_values(text, values))
    sys.stdout.write(f"{options.file}: {', '.join(values) or 'nothing was missing'}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
