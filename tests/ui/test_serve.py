import subprocess
import sys
from pathlib import Path

import requests
from tenacity import retry, stop_after_delay, wait_fixed

from sandbox.state import free_ports

ROOT = Path(__file__).parents[2]
LOADED = """
import sys
from ui import serve
serve.warm_up()
print(*(name for name in sys.modules if name.startswith("ui.") or "." not in name))
"""


def test_warm_up_imports_every_module_but_the_pdf():
    command = [sys.executable, "-c", LOADED]
    loaded = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    modules = set(loaded.stdout.split())
    parts = {
        ".".join(path.relative_to(ROOT).with_suffix("").parts)
        for path in (ROOT / "ui").rglob("[a-z]*.py")
    }
    assert parts - modules == {"ui.widgets.pdf"}
    assert {"babel", "requests"} <= modules
    assert not {"pandas", "pyarrow"} & modules


@retry(stop=stop_after_delay(60), wait=wait_fixed(0.2), reraise=True)
def opened(address: str) -> requests.Response:
    """Request an address until a server answers there; return its response."""
    return requests.get(address, timeout=5)


def test_log_contains_no_query_string(tmp_path: Path):
    (port,) = free_ports(1)
    command = [sys.executable, "-m", "ui.serve", "--port", str(port)]
    log = tmp_path / "page.log"
    with (
        log.open("wb") as output,
        subprocess.Popen(command, cwd=ROOT, stdout=output, stderr=subprocess.STDOUT) as server,
    ):
        try:
            answer = opened(f"http://127.0.0.1:{port}/?overview=a+secret+plot")
        finally:
            server.terminate()
    assert answer.ok
    assert log.read_text().startswith(f"the page: http://127.0.0.1:{port}\n")
    assert "secret" not in log.read_text()
