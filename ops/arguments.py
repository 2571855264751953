"""What every command shares: which project it is for, and how it ends."""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

from ops.project import EngineError, Project


def parser_of(
    module: str, description: str, project: str, *files: str, env_file: str = ".env"
) -> argparse.ArgumentParser:
    """A parser that knows the project's options, with these defaults."""
    parser = argparse.ArgumentParser(prog=f"python3 -m {module}", description=description)
    parser.add_argument("-p", "--project", default=project, help=f"its name (default: {project})")
    parser.add_argument("-f", "--file", action="append", help=f"default: {' '.join(files)}")
    parser.add_argument(
        "--env-file", type=Path, default=Path(env_file), help=f"default: {env_file}"
    )
    parser.set_defaults(default_files=files)
    return parser


def project_of(options: argparse.Namespace) -> Project:
    """The project that the options name."""
    files = tuple(options.file or options.default_files)
    return Project(options.project, files, options.env_file.resolve())


def told(work: Callable[[], str], *errors: type[Exception]) -> int:
    """Do the work and print what it says; the exit code, 1 with a sentence where it failed.

    Args:
        work: Returns what to print.
        errors: What may go wrong beside the engine.
    """
    expected: tuple[type[Exception], ...] = (EngineError, *errors)
    try:
        said = work()
    except expected as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.write(f"{said}\n")
    return 0
