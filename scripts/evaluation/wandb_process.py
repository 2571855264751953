"""Run W&B's client in another process, with a time limit for each run."""

import atexit
import json
import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from select import select
from tempfile import NamedTemporaryFile
from time import monotonic
from typing import Any, Final

import psutil

from movierating.proxies import spare_local_addresses

PROGRAM: Final = Path(__file__).with_name("wandb_run.py")
_START_SECONDS: Final = 300  # on this machine alone, however busy it is
_END_SECONDS: Final = 5


class TrackingError(RuntimeError):
    """W&B's client failed or was ended; the message says why in a few words."""


class WandbProcess:
    """W&B's client in a process that logs several runs, and is ended if one takes too long."""

    def __init__(self, key: str | None) -> None:
        """Start the process; it ends with this process.

        Args:
            key: W&B's API key; without one the client writes the runs to a folder.
        """
        self._environment = _environment(key)
        self._process = subprocess.Popen(
            # Option -P: otherwise the modules beside the program would hide others of their names.
            [sys.executable, "-P", str(PROGRAM)],
            env=self._environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        self._input: Any = self._process.stdin
        self._output: Any = self._process.stdout
        self._is_ready = False
        atexit.register(self.end, _END_SECONDS)

    def is_usable(self, key: str | None) -> bool:
        """Return whether the process runs, with this key and the present environment."""
        return self._process.poll() is None and self._environment == _environment(key)

    def log(self, run: dict[str, Any], seconds: float) -> dict[str, str | None]:
        """Log a run; return the result of `wandb_run.log`.

        Raises:
            TrackingError: The client failed, or took too long. Its process is then ended.
        """
        try:
            return self._log(run, seconds)
        except BaseException:
            self.end()
            raise

    def end(self, patience_seconds: float = 0) -> None:
        """End the process, and the processes that it has started.

        Args:
            patience_seconds: How long it may take to end by itself.
        """
        atexit.unregister(self.end)
        with suppress(OSError):
            self._input.close()
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(patience_seconds)
        with suppress(psutil.NoSuchProcess):
            client = psutil.Process(self._process.pid)
            for each in [*client.children(recursive=True), client]:
                with suppress(psutil.NoSuchProcess):
                    each.kill()
        self._process.wait()
        self._output.close()

    def _log(self, run: dict[str, Any], seconds: float) -> dict[str, str | None]:
        if not self._is_ready:
            self._result(monotonic() + _START_SECONDS)
            self._is_ready = True
        # The run goes into a file. A pipe that nobody reads could block the write without end.
        with NamedTemporaryFile("w", suffix=".json") as file:
            json.dump(run | {"seconds": seconds}, file, default=float)  # numpy's numbers
            file.flush()
            self._input.write(f"{file.name}\n".encode())
            self._input.flush()
            result: dict[str, str | None] = self._result(monotonic() + seconds)
        if problem := result.get("problem"):
            raise TrackingError(problem)
        return result

    def _result(self, deadline: float) -> Any:
        """Read the client's output up to the line with the result."""
        descriptor, output = self._output.fileno(), b""
        while True:
            for line in output.splitlines():
                with suppress(ValueError, TypeError, KeyError):  # W&B may print other lines
                    return json.loads(line)["wandb_run"]
            left = deadline - monotonic()
            if left <= 0 or not select([descriptor], [], [], left)[0]:
                raise TrackingError("it did not answer in time")
            if not (read := os.read(descriptor, 65_536)):
                raise TrackingError("its client ended without a result")
            output += read


def _environment(key: str | None) -> dict[str, str]:
    # Not an argument of the program: other users of the machine can read those.
    environment = os.environ | ({"WANDB_API_KEY": key} if key else {})
    spare_local_addresses(environment)
    for small in ("http_proxy", "https_proxy"):  # W&B's client does not read ALL_PROXY
        if not (environment.get(small) or environment.get(small.upper())):
            environment[small] = environment.get("all_proxy") or environment.get("ALL_PROXY", "")
    return environment
