"""A Compose project and its containers, through the programs of the container engine."""

import json
import os
import shutil
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[1]
_POLL_SECONDS: Final = 1
# No other variable is passed on, because Compose would take it for a setting.
_KNOWN: Final = ("PATH", "HOME", "DOCKER_HOST", "DOCKER_BUILDKIT")


class EngineError(RuntimeError):
    """A command failed, or a container did not reach the expected state."""


@dataclass(frozen=True)
class Project:
    """A set of compose files under one name.

    Attributes:
        env_file: The file of settings; the environment of this process does not count.
    """

    name: str
    files: tuple[str, ...]
    env_file: Path

    def settings(self) -> dict[str, str]:
        """The settings by their names."""
        return settings_in(self.env_file)

    def compose(self, *arguments: str, typed: str | None = None) -> str:
        """Run a Compose command on the project; `typed` is its standard input.

        Raises:
            EngineError: It failed.
        """
        return run(*self.command(), *arguments, typed=typed)

    def command(self) -> list[str]:
        """The start of every Compose command on the project."""
        own = ["--project-name", self.name, "--env-file", str(self.env_file)]
        files = [part for name in self.files for part in ("--file", name)]
        # Some versions of Compose do not read the profiles from the file of settings.
        wanted = filter(None, self.settings().get("COMPOSE_PROFILES", "").split(","))
        profiles = [part for name in wanted for part in ("--profile", name)]
        return [*compose_program(), *own, *files, *profiles]

    def containers(self, service: str) -> list[str]:
        """The ids of a service's running containers, oldest first."""
        labels = {"project": self.name, "service": service}
        filters = [f"--filter=label=com.docker.compose.{name}={it}" for name, it in labels.items()]
        found = run("docker", "ps", "--quiet", "--no-trunc", *filters).split()
        return sorted(found, key=lambda each: inspect(each, "{{.Created}}"))

    def one(self, service: str) -> str:
        """The id of a service's only container.

        Raises:
            EngineError: There is none, or more than one.
        """
        found = self.containers(service)
        if len(found) != 1:
            raise EngineError(f"{service} has {len(found)} containers, not one")
        return found[0]


def settings_in(file: Path) -> dict[str, str]:
    """The settings of a file by their names.

    Raises:
        EngineError: There is no such file.
    """
    try:
        lines = file.read_text().splitlines()
    except FileNotFoundError:
        raise EngineError(f"there is no file {file}; see .env.example") from None
    pairs = (line.partition("=") for line in lines if line and not line.startswith("#"))
    return {name: _unquoted(value) for name, _, value in pairs}


def _unquoted(value: str) -> str:
    return value.partition(" #")[0].strip().strip("\"'")


def compose_program() -> tuple[str, ...]:
    """Compose 2 as a plug-in of docker, else as a separate program."""
    with suppress(EngineError):
        run("docker", "compose", "version")
        return ("docker", "compose")
    if shutil.which("docker-compose"):
        return ("docker-compose",)
    raise EngineError("neither `docker compose` nor `docker-compose` is installed; install one")


def run(*command: str, typed: str | None = None) -> str:
    """Run a program in the project's folder, and return its output.

    Raises:
        EngineError: It is not installed, or it failed; the message has its last lines.
    """
    known = {name: os.environ[name] for name in _KNOWN if name in os.environ}
    if shutil.which(command[0]) is None:
        raise EngineError(f"`{command[0]}` is not installed")
    done = subprocess.run(
        command, cwd=ROOT, env=known, input=typed, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        last = "\n".join(f"{done.stdout}\n{done.stderr}".strip().splitlines()[-8:])
        raise EngineError(f"{command[0]} failed: {last}")
    return done.stdout.strip()


def inspect(container: str, form: str) -> str:
    """Facts about a container; `form` is a Go template."""
    return run("docker", "inspect", "--format", form, container)


def is_healthy(container: str) -> bool:
    """Whether the container's health check passes."""
    state = json.loads(inspect(container, "{{json .State}}"))
    return bool(state.get("Health", {}).get("Status") == "healthy")


def wait(condition: str, is_met: Callable[[], bool], seconds: float) -> None:
    """Wait until a condition is met; `condition` is its text for the error.

    Raises:
        EngineError: It was not met in time.
    """
    deadline = time.monotonic() + seconds
    while not is_met():
        if time.monotonic() > deadline:
            raise EngineError(f"not true after {seconds:g} s: {condition}")
        time.sleep(_POLL_SECONDS)
