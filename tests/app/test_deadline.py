import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
# The thread would keep the process alive for ever.
HANGS = """
import threading, time
from app import deadline, logs
logs.configure()
threading.Thread(target=time.sleep, args=(1e6,), name="hangs").start()
"""
# The log hangs too: the deadline's own thread waits for its lock.
LOG_HANGS = "import logging; logging.getLogger().handlers[0].acquire()\n"


@pytest.mark.parametrize(("log", "status"), [("", 1), (LOG_HANGS, -signal.SIGALRM)])
def test_process_in_which_something_hangs_is_ended(log: str, status: int):
    code = f"{HANGS}{log}deadline.Deadline(0.1).begin()"
    ended = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, timeout=60, check=False
    )
    assert ended.returncode == status
    if not log:
        line = json.loads(ended.stderr)
        assert "did not shut down within 0.1 s" in line["message"]
        assert "threading.py" in line["threads"]["hangs"]
