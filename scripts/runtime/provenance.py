"""Where a model comes from: the commit, the library versions, and the user who ran the step."""

import getpass
import os
import platform
import socket
import subprocess
from importlib.metadata import version
from pathlib import Path
from typing import Final

_LIBRARIES: Final = (
    "lightgbm",
    "numpy",
    "onnxmltools",
    "pandas",
    "scikit-learn",
    "textblob",
    "xgboost-cpu",
)


def commit() -> str:
    """The git commit of this code: from GIT_COMMIT (set in images), from git, or `unknown`."""
    if built_from := os.environ.get("GIT_COMMIT"):
        return built_from
    # An image contains no git repository, and a checkout has no GIT_COMMIT.
    try:
        answer = subprocess.run(
            ["git", "rev-parse", "HEAD"],  # noqa: S607 - git is where the PATH says
            cwd=Path(__file__).parent,
            capture_output=True,
            text=True,
            timeout=10,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return "unknown"
    return answer.stdout.strip()


def actor() -> str:
    """The user and the machine that run this process, as `user@machine`."""
    return f"{getpass.getuser()}@{socket.gethostname()}"


def libraries() -> dict[str, str]:
    """The versions of Python and of the libraries whose version can change a model."""
    return {"python": platform.python_version()} | {name: version(name) for name in _LIBRARIES}
