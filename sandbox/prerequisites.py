"""Check for the programs and libraries that the user must install before `make up`.

This file uses only the standard library, because it runs before anything is installed.
"""

import ctypes
import importlib.util
import sys

SUPPORTED = ((3, 11), (3, 13))


def missing() -> list[str]:
    """Return one sentence per missing prerequisite, with the command that installs it."""
    problems = []
    lowest, highest = SUPPORTED
    if not lowest <= sys.version_info[:2] <= highest:
        found = ".".join(map(str, sys.version_info[:2]))
        problems.append(f"Python {found} is not supported: make PYTHON=python3.11 ...")
    if importlib.util.find_spec("ensurepip") is None:
        problems.append("Python has no venv module: sudo apt-get install python3-venv")
    try:
        ctypes.CDLL("libgomp.so.1")
    except OSError:
        problems.append("LightGBM needs libgomp: sudo apt-get install libgomp1")
    return problems


def main() -> int:
    """Print the missing prerequisites; return the exit code, which is 1 if any is missing."""
    problems = missing()
    sys.stderr.writelines(f"{problem}\n" for problem in problems)
    return 1 if problems else 0


if __name__ == "__main__":
    raise SystemExit(main())
