"""Measure memory in MB: the peak of one process, or the PSS of all programs of a sandbox.

A sandbox is the set of programs that `make up` starts. PSS is the proportional set size of a
process: memory that n processes share counts 1/n for each of them.
"""

import subprocess
import threading
import time
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

import psutil

# A part of each program's command line, and the name under which its memory is reported.
_NAMES: Final = {
    "weed": "s3",
    "sandbox.tmdb": "tmdb",
    "app.server": "api",
    "ui.serve": "page",
    "api_server": "airflow-api-server",
    "api-server": "airflow-api-server",
    "dag-processor": "airflow-dag-processor",
    "scheduler": "airflow-scheduler and tasks",
}
_EVERY_SECONDS: Final = 4.0  # not more often, because a measurement itself costs processor time


def by_program(folder: Path) -> dict[str, int]:
    """Measure the memory of each program that `make up` has started in the checkout `folder`.

    Returns:
        For each program's name, the PSS of the program and its child processes in MB. Empty if no
        program runs.
    """
    megabytes: dict[str, float] = defaultdict(float)
    try:
        pid = int((folder / ".sandbox" / "supervisord.pid").read_text())
        for program in psutil.Process(pid).children():
            name = _name(program)
            for process in (program, *program.children(recursive=True)):
                megabytes[name] += pss_mb(process)
    except (OSError, ValueError, psutil.Error):
        return {}
    return {name: round(value) for name, value in sorted(megabytes.items())}


class Peak:
    """The peak memory of the programs that `make up` started, while a `with` block runs.

    The memory (PSS) is measured every `_EVERY_SECONDS` seconds.

    Attributes:
        megabytes: For each program's name, the largest measured memory in MB.
        total: The largest memory in MB of all programs together, at one moment.
    """

    def __init__(self, folder: Path) -> None:
        """Prepare to measure the programs that `make up` starts in the checkout `folder`.

        They may be started later.
        """
        self.megabytes: dict[str, int] = {}
        self.total = 0
        self._folder = folder
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Self:
        """Start measuring."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop measuring."""
        self._ended.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._ended.wait(_EVERY_SECONDS):
            now = by_program(self._folder)
            self.total = max(self.total, sum(now.values()))
            for name, value in now.items():
                self.megabytes[name] = max(value, self.megabytes.get(name, 0))


def pss_mb(process: psutil.Process) -> float:
    """Return the memory (PSS) of a process in MB, or 0 if the process has ended."""
    try:
        return float(process.memory_full_info().pss) / 1e6
    except psutil.Error:
        return 0.0


def peak_mb(pid: int) -> float | None:
    """Return the peak memory of a running process in MB, or None if the process is ending."""
    # Not from `wait4`: its peak includes the moments before `exec`, in which the new process still
    # has the memory of this one.
    try:
        status = Path(f"/proc/{pid}/status").read_text()
        return int(status.split("VmHWM:")[1].split()[0]) / 1024
    except (OSError, IndexError):  # the process is ending
        return None


@dataclass(frozen=True)
class Ran:
    """The duration in seconds and the peak memory in MB of a process that has ended."""

    seconds: float
    peak_mb: int

    @classmethod
    def watch(cls, process: "subprocess.Popen[bytes]") -> Self:
        """Measure a newly started process until it ends.

        Raises:
            RuntimeError: The process failed.
        """
        started, highest = time.monotonic(), 0.0
        while process.poll() is None:
            # Read until the end, because the kernel forgets the peak when the process ends.
            highest = peak_mb(process.pid) or highest
            time.sleep(0.05)
        if process.returncode:
            raise RuntimeError(f"{process.args!r} failed")
        return cls(round(time.monotonic() - started, 1), round(highest))


def _name(process: psutil.Process) -> str:
    words = " ".join(process.cmdline())
    return next((name for mark, name in _NAMES.items() if mark in words), "other")
