"""A stand-in in a process of its own, for tests and benchmarks."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

ROOT = Path(__file__).parents[2]
TIMEOUT_SECONDS = 10
STOP_SECONDS = 10


class StandInError(RuntimeError):
    """The stand-in ended before it served anything."""

    def __init__(self, arguments: tuple[str, ...]) -> None:
        super().__init__(f"the TMDB stand-in did not start with arguments {arguments}")


@dataclass(frozen=True)
class RunningStandIn:
    """A running stand-in; `base_url` is the value for `TMDB_BASE_URL`."""

    control_url: str
    pid: int

    @property
    def base_url(self) -> str:
        """The address of the API, ending in /3."""
        return f"{self.control_url}/3"

    @contextmanager
    def faults(self, *faults: dict[str, Any], seed: int = 0) -> Iterator[None]:
        """Switch faults on until the block ends; see `sandbox.tmdb.faults.Fault`."""
        self._control("PUT", "/faults", json=list(faults), params={"seed": seed})
        try:
            yield
        finally:
            self._control("DELETE", "/faults")

    @contextmanager
    def revoked(self, *keys: str) -> Iterator[None]:
        """Refuse these keys until the block ends."""
        self._control("PUT", "/keys/revoked", json=list(keys))
        try:
            yield
        finally:
            self._control("PUT", "/keys/revoked", json=[])

    def stats(self) -> dict[str, Any]:
        """Return the counts of requests, see `sandbox.tmdb.stats.Stats`."""
        report: dict[str, Any] = self._control("GET", "/stats").json()
        return report

    def forget(self) -> None:
        """Reset the counts."""
        self._control("DELETE", "/stats")

    def _control(self, method: str, path: str, **content: Any) -> requests.Response:
        url = f"{self.control_url}{path}"
        answer = requests.request(method, url, timeout=TIMEOUT_SECONDS, **content)
        answer.raise_for_status()
        return answer


@contextmanager
def running(*arguments: str) -> Iterator[RunningStandIn]:
    """Start a stand-in with these arguments on a free port, and stop it when the block ends.

    Raises:
        StandInError: It did not start; the reason is on standard error.
    """
    command = [sys.executable, "-m", "sandbox.tmdb", "--port", "0", *arguments]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None  # noqa: S101 - for the type checker
            greeting = process.stdout.readline()
            if not greeting:
                raise StandInError(arguments)
            yield RunningStandIn(greeting.split()[-1].removesuffix("/3"), process.pid)
        finally:
            process.terminate()
            process.wait(STOP_SECONDS)
