"""Processes of the tests: how they end, and what still runs out of a folder."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import psutil

_STOP_SECONDS: Final = 20


@contextmanager
def ended(process: "subprocess.Popen[Any]") -> Iterator[None]:
    """A process that is told to end at the end, and made to if it does not."""
    try:
        yield
    finally:
        process.terminate()
        try:
            process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def processes_of(folder: Path) -> list[str]:
    """The command lines of all processes that name a folder or work in it."""
    left = []
    for process in psutil.process_iter(["cmdline", "cwd", "status"]):
        words = [*(process.info["cmdline"] or []), process.info["cwd"] or ""]
        is_alive = process.info["status"] != psutil.STATUS_ZOMBIE
        if is_alive and any(str(folder) in word for word in words):
            left.append(" ".join(words))
    return left
