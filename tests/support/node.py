"""The Node.js and the npm packages that `make lint` installs, for the tests that need them."""

import os
import subprocess
from pathlib import Path
from typing import Final

import pytest

from sandbox.state import ROOT

GENERATORS: Final = ROOT / ".venv" / "generators" / "bin"
NPM_TOOLS: Final = ROOT / ".venv" / "openapi" / "node_modules"

needs_npm_tools: Final = pytest.mark.skipif(
    not (GENERATORS.exists() and NPM_TOOLS.exists()),
    reason="needs the generators and npm packages that `make lint` installs",
)


def run_with_node(folder: Path, *command: object) -> str:
    """Run a program that finds our Node.js; return what it printed, or fail with that."""
    result = subprocess.run(
        list(map(str, command)),
        cwd=folder,
        env=os.environ | {"PATH": f"{GENERATORS}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout
