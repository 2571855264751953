"""Control a Docker Compose project and its containers with `docker` and `docker compose`."""

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
# No other environment variable is passed to Compose, where it would override the settings file.
_KNOWN: Final = ("PATH", "HOME", "DOCKER_HOST", "DOCKER_BUILDKIT")


class EngineError(RuntimeError):
    """A Docker command failed, or a container did not become ready in time."""


@dataclass(frozen=True)
class Project:
    """A Docker Compose project: the services in one or more Compose files, run under one name.

    Attributes:
        name: The project's name. The containers' names start with it.
        files: The paths of the Compose files, relative to the repository.
        env_file: The file with the settings. Compose reads settings only from this file, not from
            environment variables of this process.
    """

    name: str
    files: tuple[str, ...]
    env_file: Path

    def settings(self) -> dict[str, str]:
        """Read the project's settings file; return the values by the setting's name."""
        return settings_in(self.env_file)

    def compose(self, *arguments: str, typed: str | None = None) -> str:
        """Run a Docker Compose command for this project, and return the text that it prints.

        Args:
            arguments: The command and its options, such as `"up", "-d"`.
            typed: The text for the command's standard input.

        Raises:
            EngineError: The command failed.
        """
        return run(*self.command(), *arguments, typed=typed)

    def command(self) -> list[str]:
        """Return the beginning of every Compose command: the program and the project's options."""
        own = ["--project-name", self.name, "--env-file", str(self.env_file)]
        files = [part for name in self.files for part in ("--file", name)]
        # Some versions of Compose do not read COMPOSE_PROFILES from the settings file.
        wanted = filter(None, self.settings().get("COMPOSE_PROFILES", "").split(","))
        profiles = [part for name in wanted for part in ("--profile", name)]
        return [*compose_program(), *own, *files, *profiles]

    def containers(self, service: str) -> list[str]:
        """Return the ids of a service's running containers, oldest first."""
        labels = {"project": self.name, "service": service}
        filters = [f"--filter=label=com.docker.compose.{name}={it}" for name, it in labels.items()]
        found = run("docker", "ps", "--quiet", "--no-trunc", *filters).split()
        return sorted(found, key=lambda each: inspect(each, "{{.Created}}"))

    def one(self, service: str) -> str:
        """Return the id of a service's only running container.

        Raises:
            EngineError: The service has no running container, or more than one.
        """
        found = self.containers(service)
        if len(found) != 1:
            raise EngineError(f"{service} has {len(found)} containers, not one")
        return found[0]


def settings_in(file: Path) -> dict[str, str]:
    """Read the settings in a .env file; return the values by the setting's name.

    Raises:
        EngineError: The file does not exist.
    """
    try:
        lines = file.read_text().splitlines()
    except FileNotFoundError:
        raise EngineError(f"there is no file {file}; see .env.example") from None
    pairs = (line.partition("=") for line in lines if line and not line.startswith("#"))
    return {name: _unquoted(value) for name, _, value in pairs}


def _unquoted(value: str) -> str:
    # As in Compose, a comment begins with a space and `#`; a `#` in a password is part of it.
    return value.partition(" #")[0].strip().strip("\"'")


def compose_program() -> tuple[str, ...]:
    """Return the command that runs Docker Compose: `docker compose` or else `docker-compose`.

    Raises:
        EngineError: Neither of the two commands is installed.
    """
    with suppress(EngineError):
        run("docker", "compose", "version")
        return ("docker", "compose")
    if shutil.which("docker-compose"):
        return ("docker-compose",)
    raise EngineError("neither `docker compose` nor `docker-compose` is installed; install one")


def run(*command: str, typed: str | None = None) -> str:
    """Run a program in the repository's folder, and return the text that it prints.

    Args:
        command: The program and its arguments.
        typed: The text for the program's standard input.

    Raises:
        EngineError: The program is not installed, or it failed. The error message contains the last
            lines that the program printed.
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
    """Run `docker inspect` and return its output.

    Args:
        container: The id or name of a container or an image.
        form: A Go template that selects the wanted facts, such as "{{.Created}}".
    """
    return run("docker", "inspect", "--format", form, container)


def is_healthy(container: str) -> bool:
    """Return whether the container's health check passes."""
    state = json.loads(inspect(container, "{{json .State}}"))
    return bool(state.get("Health", {}).get("Status") == "healthy")


def wait(condition: str, is_met: Callable[[], bool], seconds: float) -> None:
    """Wait until a condition is true. It is checked every second.

    Args:
        condition: The condition in words, for the error message.
        is_met: A function that returns whether the condition is true.
        seconds: How many seconds to wait at most.

    Raises:
        EngineError: The condition did not become true in time.
    """
    deadline = time.monotonic() + seconds
    while not is_met():
        if time.monotonic() > deadline:
            raise EngineError(f"not true after {seconds:g} s: {condition}")
        time.sleep(_POLL_SECONDS)
