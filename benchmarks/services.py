"""Start the services that a benchmark measures, each as a separate process.

A service can be limited to one processor core.
"""

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
# Environment variables with these prefixes are not passed on, because a benchmark must never reach
# the real TMDB, bucket or W&B account of the person who runs it.
_REAL: Final = ("TMDB_", "AWS_", "WANDB_", "S3_", "DATA_DIR", "API_", "MODEL_")


@dataclass(frozen=True)
class Running:
    """A running service.

    Attributes:
        url: The service's address.
        process: The service's process.
        start_seconds: The seconds from the start of the process to its first successful answer.
    """

    url: str
    process: psutil.Process
    start_seconds: float

    def cpu_seconds(self) -> float:
        """Return the processor seconds that the service has used so far."""
        spent = self.process.cpu_times()
        return float(spent.user + spent.system)

    def pss_mb(self) -> float:
        """Return the service's memory in MB, as proportional set size (PSS)."""
        return round(pss_mb(self.process), 1)


def cores() -> tuple[int, int]:
    """Choose one processor core for the services, and another one for the load generator.

    Returns:
        The numbers of both cores. They are equal if this process may use only one core.
    """
    mine = sorted(os.sched_getaffinity(0))
    return mine[0], mine[-1]


def deployed(folder: Path) -> Path:
    """Copy the code of the API and the UI to `folder`, and return `folder`.

    This is the code on the serving machine (instance B). The API stores models in a cache beside
    its code. So an API that runs from a new copy starts without a cached model.
    """
    ignored = shutil.ignore_patterns("__pycache__")
    for name in ("app", "movierating", "ui", ".streamlit"):
        shutil.copytree(ROOT / name, folder / name, ignore=ignored)
    shutil.rmtree(folder / "app" / "model", ignore_errors=True)  # another service's cache
    shutil.copy(ROOT / "app.py", folder)
    return folder


def api_environment(settings: Settings) -> dict[str, str]:
    """Return the environment variables that the API needs to read models from an S3 bucket.

    Args:
        settings: Settings with the bucket's address, name and keys.
    """
    key, secret = settings.aws_access_key_id, settings.aws_secret_access_key
    return {
        "AWS_ACCESS_KEY_ID": key.get_secret_value() if key else "",
        "AWS_SECRET_ACCESS_KEY": secret.get_secret_value() if secret else "",
        "AWS_DEFAULT_REGION": settings.aws_default_region or "",
        "AWS_ENDPOINT_URL_S3": settings.aws_endpoint_url_s3 or "",
        "S3_BUCKET_NAME": settings.s3_bucket_name or "",
        "MODEL_POLL_SECONDS": str(settings.model_poll_seconds),
        "MALLOC_ARENA_MAX": "2",  # as in the container
    }


@contextmanager
def our_api(folder: Path, settings: Settings, core: int | None = None) -> Iterator[Running]:
    """Run the API as on the serving machine (instance B), until the `with` block ends.

    Args:
        folder: The folder with the API's code, made by `deployed`.
        settings: Settings with the S3 bucket that contains the model in production.
        core: The processor core to use; None for any.
    """
    environment = api_environment(settings)
    (port,) = free_ports(1)
    options = ("--host", HOST, "--port", str(port))
    command = [f"{ROOT}/.venv/api/bin/python", "-m", "app.server", *options]
    with running(command, f"http://{HOST}:{port}", "/readyz", folder, environment, core) as service:
        yield service


@contextmanager
def page(folder: Path, api_url: str) -> Iterator[Running]:
    """Run the UI as on the serving machine (instance B), until the `with` block ends.

    Args:
        folder: The folder with the UI's code, made by `deployed`.
        api_url: The address of the API.
    """
    (port,) = free_ports(1)
    options = ("--host", HOST, "--port", str(port))
    command = [f"{ROOT}/.venv/ui/bin/python", "-m", "ui.serve", *options]
    variables = {"API_URL": api_url, "MALLOC_ARENA_MAX": "2"}
    with running(command, f"http://{HOST}:{port}", "/_stcore/health", folder, variables) as service:
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
    """Run a web application with uvicorn in one worker process, until the `with` block ends.

    Args:
        python: The name of a Python virtual environment in the folder `.venv`, such as `api`.
        arguments: uvicorn's arguments, such as the application's import path.
        folder: The working directory, where the file `service.log` is written.
        environment: Environment variables in addition to those of this process.
        ready: The path that answers successfully once the service is up.
        core: The processor core to use; None for any.
    """
    (port,) = free_ports(1)
    options = ("--host", HOST, "--port", str(port))
    command = [f"{ROOT}/.venv/{python}/bin/python", "-m", "uvicorn", *arguments, *options]
    with running(command, f"http://{HOST}:{port}", ready, folder, environment, core) as service:
        yield service


@contextmanager
def running(  # noqa: PLR0913, PLR0917 - a process needs them
    command: list[str],
    url: str,
    ready: str,
    folder: Path,
    environment: Mapping[str, str],
    core: int | None = None,
) -> Iterator[Running]:
    """Run a service as a separate process until the `with` block ends.

    Args:
        command: The command that starts the service.
        url: The service's address.
        ready: The path that answers successfully once the service is up.
        folder: The working directory, where the file `service.log` is written.
        environment: Environment variables in addition to those of this process.
        core: The processor core to use; None for any.

    Raises:
        RuntimeError: The service did not start in time.
    """
    # On a separate core, a service does not compete with the load generator.
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
            # `taskset` replaces itself with the service, so this is the service's process id.
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
            time.sleep(0.01)  # short, because the start's duration is measured
    sys.stderr.write(f"{url} did not start; see its service.log\n")
    raise RuntimeError(f"{url} did not start")
