"""Start a real Airflow for tests: API server, scheduler and DAG processor, on SQLite."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import quote

import psutil
import requests

from sandbox.airflow import AirflowClient
from sandbox.state import HOST, free_ports

ROOT: Final = Path(__file__).parents[2]
USER, PASSWORD = "admin", "only-for-tests"
_KEY: Final = "a key that signs tokens in tests, long enough for SHA-512 to be content with it"
_START_SECONDS: Final = 180
_POLL_SECONDS: Final = 0.5
_PROGRAMS: Final = (("api-server",), ("scheduler", "--skip-serve-logs"), ("dag-processor",))


@dataclass(frozen=True)
class LiveAirflow:
    """A running Airflow.

    Attributes:
        url: The address of its API and its pages.
        environment: The environment of its processes, for commands of Airflow's CLI.
    """

    url: str
    environment: dict[str, str]

    def dag(self, name: str) -> AirflowClient:
        """Create a client for a DAG, as soon as Airflow has read it."""
        client = AirflowClient(self.url, USER, PASSWORD, name)
        end = time.monotonic() + _START_SECONDS
        while not client.knows_dag():
            assert time.monotonic() < end, client.import_errors()
            time.sleep(_POLL_SECONDS)
        return client

    def run_address(self, dag: str, run_id: str) -> str:
        """Return the address of a run's page."""
        return f"{self.url}/dags/{dag}/runs/{quote(run_id, safe='')}"

    def command(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a command of Airflow's CLI."""
        return subprocess.run(
            [sys.executable, "-m", "airflow", *arguments],
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )


@contextmanager
def running_airflow(folder: Path, *dag_folders: Path, **settings: str) -> Iterator[LiveAirflow]:
    """Run Airflow until the `with` block ends.

    Args:
        folder: An empty folder for its files.
        dag_folders: The folders of the DAGs.
        settings: Further environment variables, such as the pipeline's settings.
    """
    (port,) = free_ports(1)
    url = f"http://{HOST}:{port}"
    environment = dict(os.environ) | _environment(folder, port, dag_folders) | settings
    airflow = LiveAirflow(url, environment)
    with ExitStack() as stack:
        migration = airflow.command("db", "migrate")
        assert migration.returncode == 0, migration.stderr
        for program in _PROGRAMS:
            stack.enter_context(_process(environment, folder / f"{program[0]}.log", *program))
        _await(f"{url}/api/v2/version")
        yield airflow


def _environment(folder: Path, port: int, dag_folders: tuple[Path, ...]) -> dict[str, str]:
    url = f"http://{HOST}:{port}"
    passwords = folder / "passwords.json"
    passwords.write_text(json.dumps({USER: PASSWORD}))
    bundles = [
        {
            "name": each.name,
            "classpath": "airflow.dag_processing.bundles.local.LocalDagBundle",
            "kwargs": {"path": str(each)},
        }
        for each in dag_folders
    ]
    wanted = {
        "CORE__DAGS_FOLDER": str(dag_folders[0]),
        "CORE__LOAD_EXAMPLES": "False",
        "CORE__EXECUTOR": "LocalExecutor",
        "CORE__PARALLELISM": "2",
        "CORE__EXECUTION_API_SERVER_URL": f"{url}/execution/",
        "CORE__SIMPLE_AUTH_MANAGER_USERS": f"{USER}:admin",
        "CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(passwords),
        "DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{folder}/airflow.db",
        "DAG_PROCESSOR__DAG_BUNDLE_CONFIG_LIST": json.dumps(bundles),
        "API__HOST": HOST,
        "API__PORT": str(port),
        "API__BASE_URL": url,
        "API__WORKERS": "1",
        "API__SECRET_KEY": _KEY,
        "API_AUTH__JWT_SECRET": _KEY,
        "WORKERS__EXECUTION_API_TIMEOUT": "120",  # a task fails if a busy machine answers later
        "LOGGING__BASE_LOG_FOLDER": f"{folder}/logs",
    }
    return {
        "AIRFLOW_HOME": str(folder),
        "PYTHONPATH": str(ROOT),
    } | {f"AIRFLOW__{name}": value for name, value in wanted.items()}


@contextmanager
def _process(environment: dict[str, str], log: Path, *arguments: str) -> Iterator[None]:
    with log.open("w") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "airflow", *arguments],
            env=environment,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        try:
            yield
        finally:
            _end(psutil.Process(process.pid))
            process.wait()


def _end(process: psutil.Process) -> None:
    # Airflow's children are in sessions of their own, and would outlive it.
    for each in [process, *process.children(recursive=True)]:
        with suppress(psutil.NoSuchProcess):
            each.kill()


def _await(url: str) -> None:
    end = time.monotonic() + _START_SECONDS
    while True:
        with suppress(requests.RequestException):
            if requests.get(url, timeout=5).ok:
                return
        assert time.monotonic() < end, f"{url} does not answer"
        time.sleep(_POLL_SECONDS)
