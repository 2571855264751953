"""Find the running processes that belong to a folder."""

from pathlib import Path

import psutil


def processes_of(folder: Path) -> list[str]:
    """List the processes whose command line or working directory contains `folder`."""
    left = []
    for process in psutil.process_iter(["cmdline", "cwd", "status"]):
        words = [*(process.info["cmdline"] or []), process.info["cwd"] or ""]
        is_alive = process.info["status"] != psutil.STATUS_ZOMBIE
        if is_alive and any(str(folder) in word for word in words):
            left.append(" ".join(words))
    return left
