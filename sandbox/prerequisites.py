"""Check for the programs and libraries that the user must install before `make up`.

This file uses only the standard library, because it runs before anything is installed.
"""

import ctypes
import importlib.util
import sys

SUPPORTED = ((3, 11), (3, 13))


def missing() -> list[str]:
    """Return one sentence for each missing program or library, with the command to install it."""
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
    """Print what is missing on this machine.

    Returns:
        The exit code: 1 if a program or library is missing, otherwise 0.
    """
    problems = missing()
    sys.stderr.writelines(f"{problem}\n" for problem in problems)
    return 1 if problems else 0


if __name__ == "__main__":
    raise SystemExit(main())
