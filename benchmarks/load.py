"""Put load on a service, with wrk or with threads beside other work."""

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
    """The load could not be generated, or no request was answered."""


@dataclass(frozen=True)
class Measured:
    """The results of one round of wrk."""

    requests: int
    per_second: float
    p50_ms: float
    p99_ms: float

    @classmethod
    def read(cls, text: str) -> Self:
        """Parse wrk's output.

        Raises:
            LoadError: Some requests failed, which would count as fast ones, or there were none.
        """
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
    """GET requests as lines of wrk's script."""
    return [f'wrk.format("GET", "{path}?{urlencode(query)}")' for query in queries]


def posts(path: str, bodies: Iterable[dict[str, Any]]) -> list[str]:
    """POST requests with JSON bodies as lines of wrk's script."""
    headers = '{["Content-Type"] = "application/json"}'
    return [
        f'wrk.format("POST", "{path}", {headers}, [==[{json.dumps(body)}]==])' for body in bodies
    ]


def script(requests: Sequence[str]) -> str:
    """A wrk script that sends these requests in turn."""
    lines = (f"  requests[{at}] = {line}" for at, line in enumerate(requests, 1))
    return _SCRIPT % "\n".join(lines)


def load(url: str, wanted: Path, seconds: float, core: int) -> Measured:
    """Run a wrk script against a service, on one core.

    Raises:
        LoadError: wrk is not installed, or some requests failed.
    """
    if shutil.which("wrk") is None:
        raise LoadError("wrk is not installed: sudo apt-get install wrk")
    command = [
        "taskset", "-c", str(core),
        "wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds:g}s", "--timeout", "30s", "--latency",
        "-s", str(wanted), url,
    ]  # fmt: skip
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode:
        raise LoadError(f"wrk failed: {result.stderr or result.stdout}")
    return Measured.read(result.stdout)


@contextmanager
def meanwhile(works: Sequence[Callable[[], None]], end: Callable[[], None]) -> Iterator[None]:
    """Run each work in a thread; when the block ends, call `end` and wait for the threads."""
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
