"""Start, query and stop `supervisor`, the program that keeps the services of `make up` running.

If one of these services ends, `supervisor` starts it again.
"""

import contextlib
import ctypes
import hashlib
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final
from xmlrpc.client import Fault, ServerProxy

import psutil
from supervisor.xmlrpc import SupervisorTransport

from sandbox.programs import SUPERVISOR_CONFIG, SUPERVISOR_PID
from sandbox.state import FOLDER, LOGS, ROOT

RECORD: Final = FOLDER / "processes.json"
# An option of prctl(2): orphaned descendants become children of the calling process.
_PR_SET_CHILD_SUBREAPER: Final = 36
_STOP_SECONDS: Final = 15
_GRACE_SECONDS: Final = 5


def socket_path() -> str:
    """Return the path of the Unix socket on which `supervisor` listens for commands.

    The socket is in the folder for temporary files. In the project's folder, its path could be too
    long, because Linux allows only 108 characters.
    """
    mark = hashlib.sha256(str(ROOT).encode()).hexdigest()[:12]
    return str(Path(tempfile.gettempdir()) / f"movierating-{mark}.sock")


def supervisor() -> psutil.Process | None:
    """Return the running `supervisor` process of this checkout; None if it does not run."""
    try:
        process = psutil.Process(int(SUPERVISOR_PID.read_text()))
        return process if str(SUPERVISOR_CONFIG) in process.cmdline() else None
    except (OSError, ValueError, psutil.Error):
        return None


def start(environment: dict[str, str]) -> None:
    """Start `supervisor` in the background. It then starts the services.

    If a service ends but its child processes keep running, `supervisor` becomes their parent. So
    `stop` can find and end them.

    Args:
        environment: The environment variables for `supervisor` and the services.
    """
    with (LOGS / "supervisord.out").open("wb") as log:
        subprocess.Popen(
            [sys.executable, "-m", "supervisor.supervisord", "-c", str(SUPERVISOR_CONFIG)],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            preexec_fn=_adopt_orphans,  # noqa: PLW1509 - no threads here
        )


def proxy() -> Any:
    """Return a client that sends commands to `supervisor` through XML-RPC."""
    transport = SupervisorTransport(None, None, f"unix://{socket_path()}")
    return ServerProxy("http://127.0.0.1", transport=transport).supervisor


def states() -> dict[str, str]:
    """Return the state of each service, such as RUNNING, by the service's name.

    The result is empty if `supervisor` does not answer.
    """
    try:
        return {each["name"]: each["statename"] for each in proxy().getAllProcessInfo()}
    except (OSError, Fault):
        return {}


def record() -> None:
    """Write the ids of all running processes to a file.

    If `supervisor` is killed later, `stop` reads this file to find the processes that still run.
    """
    if process := supervisor():
        noted = [[each.pid, each.create_time()] for each in _tree(process)]
        RECORD.write_text(json.dumps(noted))


def stop() -> int:
    """Stop `supervisor`, the services, and all processes that they have started.

    Returns:
        The number of processes that were running.
    """
    process = supervisor()
    tree = _tree(process) if process else _recorded()
    sockets = _sockets(tree)
    if process:
        with contextlib.suppress(OSError, Fault):
            proxy().stopAllProcesses(False)
        _wait_until_idle(process)
    # Airflow's tasks run in their own sessions, so they survive the scheduler. After its end they
    # are children of the supervisor, and are stopped here.
    while left := _tree(process)[1:] if process else _recorded():
        _end(left)
    _end(tree)
    for path in sockets:
        path.unlink(missing_ok=True)
    return len(tree)


def _tree(process: psutil.Process) -> list[psutil.Process]:
    with contextlib.suppress(psutil.NoSuchProcess):
        return [process, *process.children(recursive=True)]
    return []


def _recorded() -> list[psutil.Process]:
    """Return the processes from the file written by `record`, if they are still running.

    The processes that they have started are included.
    """
    alive: list[psutil.Process] = []
    with contextlib.suppress(OSError, ValueError):
        for pid, created in json.loads(RECORD.read_text()):
            with contextlib.suppress(psutil.NoSuchProcess):
                process = psutil.Process(pid)
                # Since then, another process may have got the same id.
                if process.create_time() == created:
                    alive += _tree(process)
    return list(dict.fromkeys(alive))


def _sockets(processes: Iterable[psutil.Process]) -> set[Path]:
    """Return the paths of the Unix sockets on which these processes listen.

    `stop` deletes these files, because some programs do not delete them at their end.
    """
    paths = set()
    for process in processes:
        with contextlib.suppress(psutil.Error):
            paths |= {str(each.laddr) for each in process.net_connections("unix")}
    return {Path(path) for path in paths if path.startswith("/")}


def _wait_until_idle(process: psutil.Process) -> None:
    deadline = time.monotonic() + _STOP_SECONDS
    while len(_tree(process)) > 1 and time.monotonic() < deadline:
        # No program is active any more, so the processes that are left are orphans.
        if not {"RUNNING", "STARTING", "STOPPING", "BACKOFF"} & set(states().values()):
            return
        time.sleep(0.2)


def _end(processes: Iterable[psutil.Process]) -> None:
    processes = list(processes)
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.terminate()
    _, alive = psutil.wait_procs(processes, timeout=_GRACE_SECONDS)
    for process in alive:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(alive, timeout=_GRACE_SECONDS)


def _adopt_orphans() -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1)
