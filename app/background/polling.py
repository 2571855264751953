"""Call a function at regular intervals in a daemon thread."""

import logging
import threading
from collections.abc import Callable
from typing import Final

logger = logging.getLogger(__name__)

_STOP_SECONDS: Final = 1.0


class Polling:
    """Calls a function at regular intervals, in a thread that ends with the process.

    A call may hang for minutes, for example when S3 does not answer. Neither `start` nor `stop`
    waits for such a call to return.
    """

    def __init__(self, name: str, poll: Callable[[], None], seconds: float) -> None:
        """Create the thread; `start` starts it, and it calls `poll` immediately.

        Args:
            name: The thread's name.
            poll: The function to call.
            seconds: The time between the end of one call and the start of the next.
        """
        self._poll = poll
        self._seconds = seconds
        self._polled_once = threading.Event()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    @property
    def is_alive(self) -> bool:
        """Whether the thread still runs."""
        return self._thread.is_alive()

    def start(self, patience_seconds: float) -> bool:
        """Start the thread; return whether the first call ended within `patience_seconds`."""
        self._thread.start()
        return self.wait(patience_seconds)

    def wait(self, patience_seconds: float) -> bool:
        """Wait for the end of the first call; return whether it ended within the given time."""
        return self._polled_once.wait(patience_seconds)

    def stop(self) -> None:
        """Make no more calls of the function; wait at most a second for a call in progress."""
        self._stopped.set()
        self._thread.join(_STOP_SECONDS)

    def _run(self) -> None:
        stopped = False
        while not stopped:
            try:
                self._poll()
            except Exception:
                # The thread must go on after any error, because nothing would start it again.
                logger.exception("a poll failed unexpectedly; the next one follows")
            self._polled_once.set()
            stopped = self._stopped.wait(self._seconds)
