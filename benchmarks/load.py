"""Put load on a service: with the program wrk, or with threads in the background."""

import json
import re
import shutil
import subprocess
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self
from urllib.parse import urlencode

CONNECTIONS: Final = 8
_MS: Final = {"us": 0.001, "ms": 1.0, "s": 1000.0, "m": 60_000.0}
_SCRIPT: Final = """\
local requests, at = {}, 0
init = function()
%s
end
request = function()
  at = at %% #requests + 1
  return requests[at]
end
"""


class LoadError(RuntimeError):
    """wrk could not generate the load, or some requests were not answered successfully."""


@dataclass(frozen=True)
class Measured:
    """The results of one round of load by wrk.

    Attributes:
        requests: The number of answered requests.
        per_second: The mean rate of answers.
        p50_ms: The median response time.
        p99_ms: The response time that 99 % of the requests did not exceed.
    """

    requests: int
    per_second: float
    p50_ms: float
    p99_ms: float

    @classmethod
    def read(cls, text: str) -> Self:
        """Parse wrk's output.

        Raises:
            LoadError: The output has no result, some requests failed, or none was answered.
        """
        # Failed requests end quickly, so they would make the service look faster than it is.
        if failed := re.search(r"Non-2xx.*|Socket errors.*", text):
            raise LoadError(failed[0].strip())
        count = re.search(r"(\d+) requests in", text)
        rate = re.search(r"Requests/sec:\s*([\d.]+)", text)
        if not (count and rate):
            raise LoadError(f"wrk's output has no result: {text!r}")
        if not int(count[1]):
            raise LoadError("no request was answered; use longer rounds (--seconds)")
        return cls(int(count[1]), float(rate[1]), _percentile(text, 50), _percentile(text, 99))


def gets(path: str, queries: Iterable[dict[str, Any]]) -> list[str]:
    """Convert queries to GET requests, as expressions in wrk's script language (Lua)."""
    return [f'wrk.format("GET", "{path}?{urlencode(query)}")' for query in queries]


def posts(path: str, bodies: Iterable[dict[str, Any]]) -> list[str]:
    """Convert bodies to POST requests with JSON, as expressions in wrk's script language (Lua)."""
    # Lua's long brackets `[==[` need no escapes, whatever characters the JSON contains.
    headers = '{["Content-Type"] = "application/json"}'
    return [
        f'wrk.format("POST", "{path}", {headers}, [==[{json.dumps(body)}]==])' for body in bodies
    ]


def script(requests: Sequence[str]) -> str:
    """Write a wrk script that sends these requests one after the other, and then starts again."""
    lines = (f"  requests[{at}] = {line}" for at, line in enumerate(requests, 1))
    return _SCRIPT % "\n".join(lines)


def load(url: str, wanted: Path, seconds: float, core: int) -> Measured:
    """Put load on a service with wrk, which runs on one processor core.

    Args:
        url: The address of the service.
        wanted: The wrk script with the requests.
        seconds: The duration of the load.
        core: The number of the core for wrk.

    Raises:
        LoadError: wrk is not installed, or some requests failed.
    """
    if shutil.which("wrk") is None:
        raise LoadError("wrk is not installed: sudo apt-get install wrk")
    command = [
        "taskset", "-c", str(core),  # so that wrk takes no time from the service
        "wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds:g}s", "--timeout", "30s", "--latency",
        "-s", str(wanted), url,
    ]  # fmt: skip
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode:
        raise LoadError(f"wrk failed: {result.stderr or result.stdout}")
    return Measured.read(result.stdout)


@contextmanager
def meanwhile(works: Sequence[Callable[[], None]], end: Callable[[], None]) -> Iterator[None]:
    """Run functions in background threads while the block runs.

    Args:
        works: The functions, each for one thread.
        end: Called when the block ends; it must make the functions return.
    """
    threads = [threading.Thread(target=each) for each in works]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        end()
        for thread in threads:
            thread.join()


def _percentile(text: str, percent: int) -> float:
    found = re.search(rf"^\s*{percent}%\s+([\d.]+)(us|ms|s|m)\s*$", text, re.MULTILINE)
    if not found:
        raise LoadError(f"wrk's output has no latency: {text!r}")
    return float(found[1]) * _MS[found[2]]
