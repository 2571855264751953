"""CI must not pass over what it did not run."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.mark.parametrize(
    ("reason", "ci", "expected"),
    [
        ("no chromium", "true", 1),
        ("no chromium", "", 0),
        ("needs films in ../shared", "true", 0),
    ],
)
def test_ci_fails_when_something_it_needs_was_skipped(
    tmp_path: Path, reason: str, ci: str, expected: int
):
    (tmp_path / "test_it.py").write_text(
        f"import pytest\ndef test_skipped(): pytest.skip({reason!r})\ndef test_ran(): assert True\n"
    )
    command = [sys.executable, "-m", "pytest", "-q", "-p", "tests.conftest", str(tmp_path)]
    result = subprocess.run(
        [*command, "-c", "/dev/null", "--rootdir", str(tmp_path)],
        cwd=ROOT,
        env=os.environ | {"CI": ci, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == expected, result.stdout + result.stderr
