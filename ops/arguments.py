"""The command-line options and the exit codes that all commands in `ops` share."""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

from ops.project import EngineError, Project


def parser_of(
    module: str, description: str, project: str, *files: str, env_file: str = ".env"
) -> argparse.ArgumentParser:
    """Create a command-line parser with the options that select a Docker Compose project.

    Args:
        module: The command's module, such as `ops.rotate`. It is shown in the usage line.
        description: The command's purpose. It is shown by `--help`.
        project: The project's name, if the command line does not give another one.
        files: The Compose files, if the command line does not give others.
        env_file: The file with the settings, if the command line does not give another one.
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
    """Return the Docker Compose project that the parsed command-line options select."""
    files = tuple(options.file or options.default_files)
    return Project(options.project, files, options.env_file.resolve())


def run_and_report(work: Callable[[], str], *errors: type[Exception]) -> int:
    """Run a function and print the text that it returns, or the message of an expected error.

    Args:
        work: The function.
        errors: The types of expected exceptions, in addition to `EngineError`.

    Returns:
        The exit code: 0 after success, 1 after an expected exception. The exception's message is
        printed to standard error.
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
