"""Copy the project's folder, so that `make up` can run a second time beside the original.

Tests and benchmarks run the copy. It does not disturb the programs that run from the original.
"""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from sandbox.state import HOST, ROOT, free_ports

# Environments, caches and settings are not copied, so that the copy is like a fresh clone. A name
# here is left out in every folder, so it must not be the name of a package, such as `films`.
_NOT_OURS: Final = (
    ".*_cache", ".env", ".git", ".hypothesis", ".sandbox", ".venv", "__pycache__", "wandb",
)  # fmt: skip
# In these folders the services store models and data. Only their README belongs to the project.
_WORKING_FOLDERS: Final = (ROOT / "app" / "model", ROOT / "data-prepare")
_PORTS: Final = ("AIRFLOW_PORT", "API_PORT", "UI_PORT")
# Environment variables with these prefixes are not passed on, because they may name real services.
_REAL: Final = ("TMDB_", "AWS_", "WANDB_", "S3_", "AIRFLOW_", "DATA_DIR", "API_URL")


@dataclass(frozen=True)
class Checkout:
    """A copy of the project's folder. Its services listen on other ports than the original's.

    Attributes:
        folder: The path of the copy.
        environment: The environment variables for all commands that run in the copy.
    """

    folder: Path
    environment: dict[str, str] = field(repr=False)

    def url(self, port: str) -> str:
        """Return the address of a service of the copy.

        Args:
            port: The environment variable with the service's port, such as `API_PORT`.
        """
        return f"http://{HOST}:{self.environment[port]}"

    def run(self, *command: str, **settings: str) -> "subprocess.CompletedProcess[str]":
        """Run a command in the folder of the copy.

        Args:
            command: The program and its arguments.
            settings: More environment variables for this command.

        Returns:
            The finished process, with its output and its exit code.
        """
        return subprocess.run(
            command,
            cwd=self.folder,
            env=self.environment | settings,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )

    def sandbox(self, command: str, **settings: str) -> "subprocess.CompletedProcess[str]":
        """Run `python -m sandbox` in the folder of the copy.

        Args:
            command: The command: `up`, `down` or `status`.
            settings: More environment variables for this command.
        """
        python = self.folder / ".venv" / "sandbox" / "bin" / "python"
        return self.run(str(python), "-m", "sandbox", command, **settings)


@contextmanager
def copied(folder: Path, *, with_environments: bool = True) -> Iterator[Checkout]:
    """Copy the project's source files to a folder.

    When the `with` block ends, every program that `make up` has started in the copy is stopped.

    Args:
        folder: The path of the copy.
        with_environments: Whether the copy uses the Python virtual environments of the original.
            Otherwise it has none.
    """
    shutil.copytree(ROOT, folder, ignore=_left_behind, dirs_exist_ok=True)
    if with_environments:
        (folder / ".venv").symlink_to(ROOT / ".venv")
    checkout = Checkout(folder, _clean_environment())
    try:
        yield checkout
    finally:
        checkout.sandbox("down")


def _left_behind(folder: str, names: list[str]) -> set[str]:
    if Path(folder) in _WORKING_FOLDERS:
        return set(names) - {"README.md"}
    return shutil.ignore_patterns(*_NOT_OURS)(folder, names)


def _clean_environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(_REAL)}
    ports = map(str, free_ports(len(_PORTS)))
    return kept | dict(zip(_PORTS, ports, strict=True))
