"""Send requests without a pause, and count the answers."""

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import requests


@dataclass
class LoadResult:
    """Number of answers by status code or error name, and the seconds that each took."""

    statuses: Counter[str] = field(default_factory=Counter)
    seconds: list[float] = field(default_factory=list)

    @property
    def answered(self) -> int:
        """Number of requests answered with status 200."""
        return self.statuses["200"]

    @property
    def failed(self) -> int:
        """Number of all other requests."""
        return self.statuses.total() - self.answered


@contextmanager
def load(
    ask: Callable[[requests.Session], requests.Response], callers: int = 4
) -> Iterator[LoadResult]:
    """Send requests until the block ends, from several threads; each waits for its answers."""
    result, over, lock = LoadResult(), threading.Event(), threading.Lock()

    def call() -> None:
        with requests.Session() as session:
            while not over.is_set():
                began = time.monotonic()
                status = _status(ask, session)
                with lock:  # a Counter is not safe across threads
                    result.statuses[status] += 1
                    result.seconds.append(time.monotonic() - began)

    threads = [threading.Thread(target=call, daemon=True) for _ in range(callers)]
    for thread in threads:
        thread.start()
    try:
        yield result
    finally:
        over.set()
        for thread in threads:
            thread.join()


def _status(ask: Callable[[requests.Session], requests.Response], session: requests.Session) -> str:
    try:
        return str(ask(session).status_code)
    except requests.RequestException as error:
        return type(error).__name__
