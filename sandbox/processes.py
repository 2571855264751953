"""End a process that this program started."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

_STOP_SECONDS: Final = 20


@contextmanager
def terminated_at_exit(process: "subprocess.Popen[Any]") -> Iterator[None]:
    """Terminate a process when the `with` block ends.

    If the process is still running 20 seconds later, it is killed.
    """
    try:
        yield
    finally:
        process.terminate()
        try:
            process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
