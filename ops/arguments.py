"""The command-line options and the exit codes that all commands in `ops` share."""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

from ops.project import EngineError, Project


def parser_of(
    module: str, description: str, project: str, *files: str, env_file: str = ".env"
) -> argparse.ArgumentParser:
    """Create a parser with the options that select a Docker Compose project.

    Args:
        module: The command's module, such as `ops.rotate`, for the usage line.
        description: The command's purpose, for `--help`.
        project: The default name of the project.
        files: The default Compose files.
        env_file: The default file with the settings.
    """
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
    """Return the Compose project that the parsed options select."""
    files = tuple(options.file or options.default_files)
    return Project(options.project, files, options.env_file.resolve())


def run_and_report(work: Callable[[], str], *errors: type[Exception]) -> int:
    """Run a command's work, print its result, and return the exit code.

    Args:
        work: Does the work, and returns the text to print.
        errors: The expected exception types, in addition to `EngineError`.

    Returns:
        0 after success; 1 after an expected error, whose message goes to standard error.
    """
    # An unexpected error is a bug, so its traceback is shown.
    expected: tuple[type[Exception], ...] = (EngineError, *errors)
    try:
        text = work()
    except expected as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.write(f"{text}\n")
    return 0
