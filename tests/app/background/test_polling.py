import threading
from collections.abc import Iterator
from contextlib import contextmanager

from app.background.polling import Polling

PATIENCE = 30.0


@contextmanager
def polling(polled: "Counter", seconds: float = 0.0) -> Iterator[Polling]:
    made = Polling("test", polled, seconds)
    try:
        yield made
    finally:
        made.stop()


class Counter:
    """A function that counts its calls; the first call raises an error if `fails_first` is set."""

    def __init__(self, fails_first: bool = False) -> None:
        self.times = 0
        self.thrice = threading.Event()
        self._fails_first = fails_first

    def __call__(self) -> None:
        self.times += 1
        if self.times >= 3:
            self.thrice.set()
        if self._fails_first and self.times == 1:
            raise ArithmeticError


def test_polls_until_it_is_stopped():
    polled = Counter()
    with polling(polled) as poller:
        assert poller.start(PATIENCE)
        assert polled.thrice.wait(PATIENCE)
    assert not poller.is_alive


def test_failed_poll_is_followed_by_the_next():
    polled = Counter(fails_first=True)
    with polling(polled) as poller:
        assert poller.start(PATIENCE)
        assert polled.thrice.wait(PATIENCE)


def test_next_poll_waits_for_the_interval():
    polled = Counter()
    with polling(polled, seconds=3600) as poller:
        assert poller.start(PATIENCE)
        assert polled.times == 1


def test_neither_start_nor_stop_waits_for_a_hanging_poll():
    released = threading.Event()

    def hang() -> None:
        released.wait()

    poller = Polling("test", hang, 3600)
    assert not poller.start(patience_seconds=0.01)
    poller.stop()
    assert poller.is_alive
    released.set()
