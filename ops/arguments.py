"""The options and the exit codes that all commands share."""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

from ops.project import EngineError, Project


def parser_of(
    module: str, description: str, project: str, *files: str, env_file: str = ".env"
) -> argparse.ArgumentParser:
    """A parser with the options that name a Compose project, with these defaults."""
    parser = argparse.ArgumentParser(prog=f"python3 -m {module}", description=description)
    parser.add_argument(
        "-p", "--project", default=project, help=f"Compose project (default: {project})"
    )
    parser.add_argument("-f", "--file", action="append", help=f"default: {' '.join(files)}")
    parser.add_argument(
        "--env-file", type=Path, default=Path(env_file), help=f"default: {env_file}"
    )
    parser.set_defaults(default_files=files)
    return parser


def project_of(options: argparse.Namespace) -> Project:
    """The Compose project that the options name."""
    files = tuple(options.file or options.default_files)
    return Project(options.project, files, options.env_file.resolve())


def run_and_report(work: Callable[[], str], *errors: type[Exception]) -> int:
    """Do the work and print its text. Returns 0, or 1 after an expected error and its message.

    Args:
        work: Returns the text to print.
        errors: Expected errors, besides those of the container engine.
    """
    expected: tuple[type[Exception], ...] = (EngineError, *errors)
    try:
        text = work()
    except expected as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.write(f"{text}\n")
    return 0
