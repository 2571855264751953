"""Asking for ever, in a thread that holds up nothing."""

import logging
import threading
from collections.abc import Callable
from typing import Final

logger = logging.getLogger(__name__)

_STOP_SECONDS: Final = 1.0


class Polling:
    """Asks again and again, in a thread that ends with the process.

    Whoever is asked may be silent for minutes; neither a start nor an end waits for that.
    """

    def __init__(self, name: str, ask: Callable[[], None], seconds: float) -> None:
        """Prepare to call `ask` every so many seconds; nothing is asked before `start`."""
        self._ask = ask
        self._seconds = seconds
        self._asked_once = threading.Event()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    @property
    def is_alive(self) -> bool:
        """Whether it still asks, or waits for an answer."""
        return self._thread.is_alive()

    def start(self, patience_seconds: float) -> bool:
        """Begin; whether the first answer came before the patience was over."""
        self._thread.start()
        return self._asked_once.wait(patience_seconds)

    def stop(self) -> None:
        """Ask no longer; an answer that is outstanding is not waited for."""
        self._stopped.set()
        self._thread.join(_STOP_SECONDS)

    def _run(self) -> None:
        stopped = False
        while not stopped:
            try:
                self._ask()
            except Exception:
                logger.exception("asking broke; it is tried again")
            self._asked_once.set()
            stopped = self._stopped.wait(self._seconds)
