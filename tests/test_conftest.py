"""Test that CI fails if tests were skipped, with one test process and with several."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.mark.parametrize("options", [[], ["-n", "2"]], ids=["one-process", "two-workers"])
@pytest.mark.parametrize(
    ("reason", "ci", "expected"),
    [
        ("no chromium", "true", 1),
        ("no chromium", "", 0),
        ("needs films in ../shared", "true", 0),
    ],
)
def test_ci_fails_when_a_test_was_skipped_for_a_missing_program(
    tmp_path: Path, reason: str, ci: str, expected: int, options: list[str]
):
    (tmp_path / "test_it.py").write_text(
        f"import pytest\ndef test_skipped(): pytest.skip({reason!r})\ndef test_ran(): assert True\n"
    )
    plugins = ["-p", "xdist.plugin", "-p", "tests.support.skips"]
    command = [sys.executable, "-m", "pytest", *plugins, *options, str(tmp_path)]
    result = subprocess.run(
        [*command, "-c", "/dev/null", "--rootdir", str(tmp_path)],
        cwd=ROOT,
        # Without the environment's other plugins, because their imports take seconds.
        env=os.environ | {"CI": ci, "PYTHONPATH": str(ROOT), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == expected, result.stdout + result.stderr
    assert "1 passed, 1 skipped" in result.stdout.splitlines()[-1]
