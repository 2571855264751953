"""Start and control the TMDB stand-in (a local imitation of TMDB) for tests and benchmarks.

The stand-in runs in a separate process.
"""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

from movierating.films.source import STAND_IN_HEADER, from_header
from movierating.time_limits import limited_session

ROOT = Path(__file__).parents[2]
TIMEOUT_SECONDS = 10
STOP_SECONDS = 10


class StandInError(RuntimeError):
    """The TMDB stand-in's process ended before it was ready to serve requests."""

    def __init__(self, arguments: tuple[str, ...]) -> None:
        super().__init__(f"the TMDB stand-in did not start with arguments {arguments}")


@dataclass(frozen=True)
class RunningStandIn:
    """A running TMDB stand-in, with methods that control it by HTTP requests.

    Attributes:
        control_url: The stand-in's address, without a path.
        pid: The process id of the stand-in.
    """

    control_url: str
    pid: int

    @property
    def base_url(self) -> str:
        """The address of the TMDB stand-in's API, ending in /3: the value for `TMDB_BASE_URL`."""
        return f"{self.control_url}/3"

    @property
    def source(self) -> str:
        """The name of the films that the TMDB stand-in serves."""
        return from_header(self._control("GET", "/stats").headers[STAND_IN_HEADER])

    @contextmanager
    def faults(self, *faults: dict[str, Any], seed: int = 0) -> Iterator[None]:
        """Let the TMDB stand-in make errors on purpose (faults) until the `with` block ends.

        Args:
            faults: The kinds of errors, each as the fields of `sandbox.tmdb.faults.Fault`.
            seed: The seed for the random choice of the responses with errors.
        """
        self._control("PUT", "/faults", json=list(faults), params={"seed": seed})
        try:
            yield
        finally:
            self._control("DELETE", "/faults")

    @contextmanager
    def revoked(self, *keys: str) -> Iterator[None]:
        """Let the TMDB stand-in refuse requests with these API keys until the `with` block ends."""
        self._control("PUT", "/keys/revoked", json=list(keys))
        try:
            yield
        finally:
            self._control("PUT", "/keys/revoked", json=[])

    def stats(self) -> dict[str, Any]:
        """Return how many requests the TMDB stand-in has received, by HTTP status and by path.

        The result is that of `sandbox.tmdb.stats.Stats.report`.
        """
        report: dict[str, Any] = self._control("GET", "/stats").json()
        return report

    def forget(self) -> None:
        """Let the TMDB stand-in forget the requests that it has counted so far."""
        self._control("DELETE", "/stats")

    def _control(self, method: str, path: str, **content: Any) -> requests.Response:
        url = f"{self.control_url}{path}"
        with limited_session(TIMEOUT_SECONDS) as session:
            answer = session.request(method, url, **content)
        answer.raise_for_status()
        return answer


@contextmanager
def running(*arguments: str) -> Iterator[RunningStandIn]:
    """Run a TMDB stand-in on a free port until the `with` block ends.

    It has no odd films and no unkind behaviour, unless `arguments` contain `--unkind`: most tests
    count films and requests.

    Args:
        arguments: Command-line options for `python -m sandbox.tmdb`.

    Raises:
        StandInError: The stand-in did not start. It has printed the reason to standard error.
    """
    # Port 0 means any free port. In the folder ROOT, Python finds the package `sandbox`.
    command = [sys.executable, "-m", "sandbox.tmdb", "--port", "0", "--no-unkind", *arguments]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None  # noqa: S101 - for the type checker
            # The stand-in prints its address when it is ready, so no polling is needed.
            greeting = process.stdout.readline()
            if not greeting:
                raise StandInError(arguments)
            yield RunningStandIn(greeting.split()[-1].removesuffix("/3"), process.pid)
        finally:
            process.terminate()
            process.wait(STOP_SECONDS)
