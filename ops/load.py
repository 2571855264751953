"""Put load on a service: send requests without a pause, and count the answers."""

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import requests


@dataclass
class LoadResult:
    """The results of all requests so far.

    Attributes:
        statuses: The number of requests by status code, or by error name if there was no answer.
        seconds: The duration of each request.
    """

    statuses: Counter[str] = field(default_factory=Counter)
    seconds: list[float] = field(default_factory=list)

    @property
    def answered(self) -> int:
        """The number of requests that got an answer with status 200."""
        return self.statuses["200"]

    @property
    def failed(self) -> int:
        """The number of requests that got another status, or no answer."""
        return self.statuses.total() - self.answered


@contextmanager
def load(
    ask: Callable[[requests.Session], requests.Response], callers: int = 4
) -> Iterator[LoadResult]:
    """Send requests from several threads until the block ends.

    Args:
        ask: Sends one request in the given session, and returns the response.
        callers: The number of threads. Each waits for an answer before its next request.
    """
    result, over, lock = LoadResult(), threading.Event(), threading.Lock()

    def call() -> None:
        with requests.Session() as session:
            while not over.is_set():
                began = time.monotonic()
                status = _status(ask, session)
                with lock:  # two threads that update a Counter together can lose an update
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
