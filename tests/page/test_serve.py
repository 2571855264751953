import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
LOADED = """
import sys
from page import serve
serve.warm()
print(*(name for name in sys.modules if name.startswith("page.") or "." not in name))
"""


def test_all_that_a_visitor_needs_is_loaded_before_one_comes_and_no_more():
    command = [sys.executable, "-c", LOADED]
    loaded = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    modules = set(loaded.stdout.split())
    parts = {f"page.{path.stem}" for path in (ROOT / "page").glob("[a-z]*.py")}
    assert parts - modules == {"page.pdf"}
    assert {"babel", "requests"} <= modules
    assert not {"pandas", "pyarrow"} & modules
