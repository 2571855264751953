"""Test that each `type: ignore` hides an error: zuban does not report the needless ones itself."""

import re
import subprocess
import sys
from pathlib import Path

from tests.test_repository import ROOT, committed

IGNORE = "# type: " + "ignore"  # in two parts, because this line has none


def copied_without_ignores(folder: Path) -> set[str]:
    """Copy the code without its ignores; return the file and line of each, such as `app.py:3`."""
    ignored = set()
    for path in committed():
        if path.suffix == ".py" or path.name == "pyproject.toml":
            name, text = path.relative_to(ROOT), path.read_text("utf-8")
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(text.replace(IGNORE, "# removed"), "utf-8")
            lines = enumerate(text.splitlines(), 1)
            ignored |= {f"{name}:{number}" for number, line in lines if IGNORE in line}
    return ignored


def test_each_ignored_line_has_an_error(tmp_path: Path):
    ignored = copied_without_ignores(tmp_path)
    files = sorted({place.partition(":")[0] for place in ignored})
    zuban = str(Path(sys.executable).with_name("zuban"))
    done = subprocess.run(
        [zuban, "mypy", "--python-executable", sys.executable, *files],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert set(re.findall(r"^(\S+:\d+): error", done.stdout, re.MULTILINE)) == ignored
