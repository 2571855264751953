import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from tests.support.stub_api import StubApi, running_stub_api

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="package")
def running_api() -> Iterator[StubApi]:
    with running_stub_api() as stub:
        yield stub


@pytest.fixture
def api(running_api: StubApi) -> StubApi:
    running_api.start()
    running_api.bodies.clear()
    running_api.paths.clear()
    return running_api


@pytest.fixture(scope="package")
def address(running_api: StubApi, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Where `python -m ui.serve` serves the page."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "ui.serve", "--port", str(port)]
    log = tmp_path_factory.mktemp("page") / "streamlit.log"
    with log.open("wb") as output:
        server = subprocess.Popen(
            command,
            cwd=ROOT,
            env=os.environ | {"API_URL": running_api.url},
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        wait_until_healthy(f"http://127.0.0.1:{port}", server, log)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait(10)


def wait_until_healthy(address: str, server: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 60
    while server.poll() is None and time.monotonic() < deadline:
        try:
            if requests.get(f"{address}/_stcore/health", timeout=1).ok:
                return
        except requests.RequestException:
            time.sleep(0.1)
    pytest.fail(f"streamlit does not serve the page:\n{log.read_text()}")
