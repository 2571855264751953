"""Where a model comes from: the commit, the library versions, and the user who ran the step."""

import getpass
import os
import platform
import socket
import subprocess
from importlib.metadata import version
from pathlib import Path
from typing import Final

from threadpoolctl import threadpool_info

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
    """Return the git commit of this code, or `unknown`.

    In a container image, the variable GIT_COMMIT contains the commit, because the image has no git
    repository. In a git checkout, the git command returns the commit.
    """
    if built_from := os.environ.get("GIT_COMMIT"):
        return built_from
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
    """Return the user and the machine that run this process, as `user@machine`."""
    return f"{getpass.getuser()}@{socket.gethostname()}"


def libraries() -> dict[str, str]:
    """Return the versions of Python and of the libraries that can change a trained model."""
    return {"python": platform.python_version()} | {name: version(name) for name in _LIBRARIES}


def kernel() -> str:
    """Return the processor kernels of the linear algebra libraries (BLAS), such as `Haswell`.

    A kernel is a library's code for one type of processor, and kernels round differently. Training
    must give the same model with every kernel. If two machines train different models, compare
    their kernels first.
    """
    used = {each["architecture"] for each in threadpool_info() if each["user_api"] == "blas"}
    return ", ".join(sorted(used)) or "unknown"
