"""Services in processes of their own, on one core each where the machine has several."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psutil
import requests

from benchmarks.memory import pss_mb
from movierating.settings import Settings
from sandbox.processes import terminated_at_exit
from sandbox.state import HOST, ROOT, free_ports

_START_SECONDS: Final = 120
# What would make a service use somebody's real ones.
_REAL: Final = ("TMDB_", "AWS_", "WANDB_", "S3_", "DATA_DIR", "API_", "MODEL_")


@dataclass(frozen=True)
class Running:
    """A service that answers.

    Attributes:
        start_seconds: From its start to the first good answer.
    """

    url: str
    process: psutil.Process
    start_seconds: float

    def cpu_seconds(self) -> float:
        """The processor time that it has taken so far."""
        spent = self.process.cpu_times()
        return float(spent.user + spent.system)

    def pss_mb(self) -> float:
        """What it takes of the memory, in MB."""
        return round(pss_mb(self.process), 1)


def cores() -> tuple[int, int]:
    """A core for the services and one for the load; the same where there is only one."""
    mine = sorted(os.sched_getaffinity(0))
    return mine[0], mine[-1]


def deployed(folder: Path) -> Path:
    """A copy of what instance B runs, so that a service there has a cache of its own."""
    ignored = shutil.ignore_patterns("__pycache__")
    for name in ("app", "movierating", "ui", ".streamlit"):
        shutil.copytree(ROOT / name, folder / name, ignore=ignored)
    shutil.rmtree(folder / "app" / "model", ignore_errors=True)  # the cache of another service
    shutil.copy(ROOT / "app.py", folder)
    return folder


def api_environment(settings: Settings) -> dict[str, str]:
    """The variables that an API needs to read its models by these settings."""
    key, secret = settings.aws_access_key_id, settings.aws_secret_access_key
    return {
        "AWS_ACCESS_KEY_ID": key.get_secret_value() if key else "",
        "AWS_SECRET_ACCESS_KEY": secret.get_secret_value() if secret else "",
        "AWS_DEFAULT_REGION": settings.aws_default_region,
        "AWS_ENDPOINT_URL_S3": settings.aws_endpoint_url_s3 or "",
        "S3_BUCKET_NAME": settings.s3_bucket_name or "",
        "MODEL_POLL_SECONDS": str(settings.model_poll_seconds),
        "MALLOC_ARENA_MAX": "2",  # as in the container
    }


@contextmanager
def our_api(folder: Path, settings: Settings, core: int | None = None) -> Iterator[Running]:
    """Our service out of a folder that `deployed` made, as instance B runs it."""
    environment = api_environment(settings)
    (port,) = free_ports(1)
    options = ("--host", HOST, "--port", str(port))
    command = [f"{ROOT}/.venv/api/bin/python", "-m", "app.server", *options]
    with running(command, f"http://{HOST}:{port}", "/readyz", folder, environment, core) as service:
        yield service


@contextmanager
def page(folder: Path, api_url: str) -> Iterator[Running]:
    """Our page out of a folder that `deployed` made, as instance B runs it."""
    (port,) = free_ports(1)
    options = ("--host", HOST, "--port", str(port))
    command = [f"{ROOT}/.venv/ui/bin/python", "-m", "ui.serve", *options]
    told = {"API_URL": api_url, "MALLOC_ARENA_MAX": "2"}
    with running(command, f"http://{HOST}:{port}", "/_stcore/health", folder, told) as service:
        yield service


@contextmanager
def uvicorn(
    python: str,
    *arguments: str,
    folder: Path,
    environment: Mapping[str, str],
    ready: str,
    core: int | None = None,
) -> Iterator[Running]:
    """An application under uvicorn with one worker.

    Args:
        python: The environment that runs it.
        arguments: What to serve, in uvicorn's words.
        folder: Where it runs and writes `service.log`.
        environment: Variables beside those of this process.
        ready: What it answers well once it serves.
        core: Where it runs; None for anywhere.
    """
    (port,) = free_ports(1)
    options = ("--host", HOST, "--port", str(port))
    command = [f"{ROOT}/.venv/{python}/bin/python", "-m", "uvicorn", *arguments, *options]
    with running(command, f"http://{HOST}:{port}", ready, folder, environment, core) as service:
        yield service


@contextmanager
def running(  # noqa: PLR0913, PLR0917 - what a process is started with
    command: list[str],
    url: str,
    ready: str,
    folder: Path,
    environment: Mapping[str, str],
    core: int | None = None,
) -> Iterator[Running]:
    """A service, until the end.

    Raises:
        RuntimeError: It did not come up.
    """
    pinned = [] if core is None else ["taskset", "-c", str(core)]
    kept = {name: value for name, value in os.environ.items() if not name.startswith(_REAL)}
    with (folder / "service.log").open("ab") as log:
        started = time.monotonic()
        process = subprocess.Popen(
            [*pinned, *command], cwd=folder, env=kept | dict(environment), stdout=log, stderr=log
        )
        with terminated_at_exit(process):
            _wait_for(process, url + ready)
            took = time.monotonic() - started
            yield Running(url, psutil.Process(process.pid), took)


def _wait_for(process: "subprocess.Popen[bytes]", url: str) -> None:
    deadline = time.monotonic() + _START_SECONDS
    with requests.Session() as session:
        while process.poll() is None and time.monotonic() < deadline:
            try:
                if session.get(url, timeout=_START_SECONDS).ok:
                    return
            except requests.ConnectionError:
                pass
            time.sleep(0.01)
    sys.stderr.write(f"{url} did not come up; service.log beside it says why\n")
    raise RuntimeError(f"{url} did not come up")
