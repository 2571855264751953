"""Requests without a pause, and what became of them."""

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import requests


@dataclass
class Outcome:
    """How often each status came, by its number or the error's name, and how long answers took."""

    statuses: Counter[str] = field(default_factory=Counter)
    seconds: list[float] = field(default_factory=list)

    @property
    def answered(self) -> int:
        """Requests answered well."""
        return self.statuses["200"]

    @property
    def failed(self) -> int:
        """All others."""
        return self.statuses.total() - self.answered


@contextmanager
def load(
    ask: Callable[[requests.Session], requests.Response], callers: int = 4
) -> Iterator[Outcome]:
    """Ask from several threads until the end, each one request after the other."""
    outcome, over, lock = Outcome(), threading.Event(), threading.Lock()

    def call() -> None:
        with requests.Session() as session:
            while not over.is_set():
                began = time.monotonic()
                status = _status(ask, session)
                with lock:
                    outcome.statuses[status] += 1
                    outcome.seconds.append(time.monotonic() - began)

    threads = [threading.Thread(target=call, daemon=True) for _ in range(callers)]
    for thread in threads:
        thread.start()
    try:
        yield outcome
    finally:
        over.set()
        for thread in threads:
            thread.join()


def _status(ask: Callable[[requests.Session], requests.Response], session: requests.Session) -> str:
    try:
        return str(ask(session).status_code)
    except requests.RequestException as error:
        return type(error).__name__
