"""Send requests to a service without a pause, and count the answers."""

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import requests

from ops.sessions import local_session


@dataclass
class LoadResult:
    """How the service has answered the requests sent so far.

    Attributes:
        statuses: The number of requests by the HTTP status of the answer, such as "200". If there
            was no answer, the name of the exception is used, such as "ConnectionError".
        seconds: The duration of each request.
    """

    statuses: Counter[str] = field(default_factory=Counter)
    seconds: list[float] = field(default_factory=list)

    @property
    def answered(self) -> int:
        """The number of requests that got an answer with HTTP status 200."""
        return self.statuses["200"]

    @property
    def failed(self) -> int:
        """The number of requests that got no answer, or an answer with another status than 200."""
        return self.statuses.total() - self.answered


@contextmanager
def load(
    ask: Callable[[requests.Session], requests.Response], callers: int = 4
) -> Iterator[LoadResult]:
    """Send requests from several threads until the `with` block ends.

    Yields the counts of the answers, which are updated while the block runs.

    Args:
        ask: A function that sends one request in the given session, and returns the response.
        callers: The number of threads. Each waits for the answer before it sends the next request.
    """
    result, over, lock = LoadResult(), threading.Event(), threading.Lock()

    def call() -> None:
        with local_session() as session:
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
