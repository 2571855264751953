"""Put load on a service: send it many requests, with the program wrk or with background threads."""

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
    """The load generator wrk could not run, or the service did not answer some requests."""


@dataclass(frozen=True)
class Measured:
    """What the load generator wrk measured while it sent requests for some seconds.

    Attributes:
        requests: The number of answered requests.
        per_second: The mean number of answered requests per second.
        p50_ms: The median response time.
        p99_ms: The response time that 99 % of the requests did not exceed.
    """

    requests: int
    per_second: float
    p50_ms: float
    p99_ms: float

    @classmethod
    def read(cls, text: str) -> Self:
        """Parse the text that the load generator wrk printed.

        Raises:
            LoadError: The text has no result, some requests failed, or no request was answered.
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
    """Write a GET request for each query, as an expression in wrk's script language (Lua).

    Args:
        path: The path of the requests, such as `/predict`.
        queries: The query parameters of each request.
    """
    return [f'wrk.format("GET", "{path}?{urlencode(query)}")' for query in queries]


def posts(path: str, bodies: Iterable[dict[str, Any]]) -> list[str]:
    """Write a POST request for each JSON body, as an expression in wrk's script language (Lua).

    Args:
        path: The path of the requests, such as `/predict`.
        bodies: The body of each request.
    """
    # Lua's long brackets `[==[` need no escapes, whatever characters the JSON contains.
    headers = '{["Content-Type"] = "application/json"}'
    return [
        f'wrk.format("POST", "{path}", {headers}, [==[{json.dumps(body)}]==])' for body in bodies
    ]


def script(requests: Sequence[str]) -> str:
    """Return the text of a wrk script that sends these requests in turn, again and again.

    Args:
        requests: Expressions in Lua, as `gets` and `posts` write them.
    """
    lines = (f"  requests[{at}] = {line}" for at, line in enumerate(requests, 1))
    return _SCRIPT % "\n".join(lines)


def load(url: str, wanted: Path, seconds: float, core: int) -> Measured:
    """Send requests to a service with the program wrk, which runs on one processor core.

    Args:
        url: The address of the service.
        wanted: The path of the wrk script with the requests.
        seconds: How long requests are sent.
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
    """Run functions in background threads while the `with` block runs.

    Args:
        works: The functions. Each runs in its own thread.
        end: Called when the block ends. It must make the functions return.
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
