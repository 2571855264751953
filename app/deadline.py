"""End the process by force if something hangs while it shuts down."""

import logging
import os
import signal
import sys
import threading
import traceback
from typing import Final

logger = logging.getLogger(__name__)

_LOG_SECONDS: Final = 0.5  # for the last line of the log, which may hang too


class Deadline:
    """A time limit for the end of this process, which `begin` starts."""

    def __init__(self, seconds: float) -> None:
        """Create the limit.

        Args:
            seconds: Time from `begin` until the process is ended by force.
        """
        self._seconds = seconds
        self._begun = threading.Event()
        # Started now: a signal handler must not wait for the lock that a new thread needs.
        threading.Thread(target=self._wait, name="deadline", daemon=True).start()

    def begin(self) -> None:
        """Start the time; further calls change nothing. A signal handler may call this."""
        if not self._begun.is_set():
            # If even Python hangs, the system ends the process: nobody handles this signal.
            signal.setitimer(signal.ITIMER_REAL, self._seconds + _LOG_SECONDS)
            self._begun.set()

    def _wait(self) -> None:
        self._begun.wait()
        threading.Event().wait(self._seconds)
        logger.error(
            "the process did not shut down within %s s, so it is ended now",
            self._seconds,
            extra={"facts": {"threads": _where_threads_are()}},
        )
        os._exit(1)


def _where_threads_are() -> dict[str, str]:
    """Return the code location of each thread, by the thread's name."""
    names = {each.ident: each.name for each in threading.enumerate()}
    places = {}
    for number, frame in sys._current_frames().items():
        last = traceback.extract_stack(frame)[-1]
        places[names.get(number, str(number))] = f"{last.filename}:{last.lineno} in {last.name}"
    return places
