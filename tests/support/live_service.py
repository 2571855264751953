"""Run the API service in a separate process, on a free port."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Thread
from typing import Any, Final
from unittest.mock import patch

import requests
import uvicorn
from pydantic import SecretStr

from app.background.model_follower import Follower
from app.server import server_for
from movierating.settings import Settings
from sandbox.processes import terminated_at_exit
from sandbox.state import free_ports

ROOT: Final = Path(__file__).parents[2]
_START_SECONDS: Final = 60


@dataclass(frozen=True)
class LiveService:
    """The running API service: its address, its process and its log file."""

    url: str
    process: "subprocess.Popen[bytes]"
    log: Path

    def lines(self) -> list[dict[str, Any]]:
        """Parse the service's log, in which every line must be JSON."""
        return [json.loads(line) for line in self.log.read_text().splitlines()]


@contextmanager
def running_service(settings: Settings, folder: Path) -> Iterator[LiveService]:
    """Run the service with these settings during the block; its cache and log are in `folder`."""
    (port,) = free_ports(1)
    log = folder / "service.log"
    code = (
        "import sys; from pathlib import Path; from app import server; "
        "from app.background import model_follower; "
        f"model_follower.Follower.__init__.__defaults__ = (Path({str(folder / 'cache')!r}),); "
        "sys.exit(server.main())"
    )
    command = [sys.executable, "-W", "default", "-c", code, "--port", str(port)]
    with (
        log.open("wb") as output,
        subprocess.Popen(
            command, cwd=ROOT, env=_environment(settings), stdout=output, stderr=output
        ) as process,
        terminated_at_exit(process),
    ):
        service = LiveService(f"http://127.0.0.1:{port}", process, log)
        _wait_for(service)
        yield service


@contextmanager
def service_in_a_thread(settings: Settings, folder: Path) -> Iterator[str]:
    """Run the service on a real port of this process, and yield its address.

    The service's cache is in `folder`. This starts much faster than a separate process.
    """
    (port,) = free_ports(1)
    with patch.object(Follower.__init__, "__defaults__", (folder / "cache",)):
        server = server_for(settings, "127.0.0.1", port)
    thread = Thread(target=server.run)
    thread.start()
    try:
        _wait_until_started(server, thread)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join()


def _wait_until_started(server: uvicorn.Server, thread: Thread) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while not server.started:
        if not thread.is_alive() or time.monotonic() > deadline:
            raise RuntimeError("the service did not start")
        time.sleep(0.02)


def _environment(settings: Settings) -> dict[str, str]:
    chosen = {}
    for name in settings.model_fields_set:
        value = getattr(settings, name)
        if isinstance(value, SecretStr):
            value = value.get_secret_value()
        chosen[name.upper()] = ",".join(value) if isinstance(value, tuple) else str(value)
    return os.environ | {"PYTHONPATH": str(ROOT)} | chosen


def _wait_for(service: LiveService) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while service.process.poll() is None and time.monotonic() < deadline:
        try:
            requests.get(f"{service.url}/livez", timeout=5)
        except requests.ConnectionError:
            time.sleep(0.1)
        else:
            return
    raise RuntimeError(f"the service did not come up: {service.log.read_text()}")
