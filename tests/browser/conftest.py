import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from tenacity import Retrying, retry_if_exception_type, stop_after_delay, wait_fixed

from sandbox.state import free_ports
from tests.support.stub_api import StubApi, running_stub_api

ROOT = Path(__file__).parents[2]
START_SECONDS = 120
STARTS = 3


@pytest.fixture(scope="session")
def running_api() -> Iterator[StubApi]:
    """Start one stub of the API (a fake HTTP server) for all tests in a worker process."""
    with running_stub_api() as stub:
        yield stub


@pytest.fixture
def api(running_api: StubApi) -> StubApi:
    """Return the API's stub, which responds as a healthy API and has not recorded a request."""
    running_api.start()
    running_api.bodies.clear()
    running_api.paths.clear()
    return running_api


@pytest.fixture(scope="session")
def address(running_api: StubApi, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Start one UI server for all tests in a worker process, and return its address."""
    log = tmp_path_factory.mktemp("ui") / "ui.log"
    # Another program can take the free port before the server does, so try again.
    for _ in range(STARTS):
        (port,) = free_ports(1)
        command = [sys.executable, "-m", "ui.serve", "--port", str(port)]
        environment = os.environ | {"API_URL": running_api.url}
        with (
            log.open("wb") as output,
            subprocess.Popen(
                command, cwd=ROOT, env=environment, stdout=output, stderr=subprocess.STDOUT
            ) as server,
        ):
            try:
                if is_healthy(f"http://127.0.0.1:{port}", server):
                    yield f"http://127.0.0.1:{port}"
                    return
            finally:
                server.terminate()
    pytest.fail(f"the UI does not start:\n{log.read_text()}")


def is_healthy(address: str, server: subprocess.Popen[bytes]) -> bool:
    """Wait until the server is healthy; False if it ends, for example if its port is taken."""
    waiting = Retrying(
        stop=stop_after_delay(START_SECONDS),
        wait=wait_fixed(0.1),
        retry=retry_if_exception_type(requests.RequestException),
        reraise=True,
    )
    for attempt in waiting:
        with attempt:
            if server.poll() is not None:
                return False
            requests.get(f"{address}/_stcore/health", timeout=5).raise_for_status()
    return True
