import threading
from collections.abc import Iterator
from contextlib import contextmanager

from app.background.polling import Polling

PATIENCE = 30.0


@contextmanager
def polling(asked: "Asked", seconds: float = 0.0) -> Iterator[Polling]:
    made = Polling("test", asked, seconds)
    try:
        yield made
    finally:
        made.stop()


class Asked:
    """Counts how often it is asked; breaks the first time if it is told to."""

    def __init__(self, breaks: bool = False) -> None:
        self.times = 0
        self.thrice = threading.Event()
        self._breaks = breaks

    def __call__(self) -> None:
        self.times += 1
        if self.times >= 3:
            self.thrice.set()
        if self._breaks and self.times == 1:
            raise ArithmeticError


def test_it_asks_again_and_again_until_it_is_stopped():
    asked = Asked()
    with polling(asked) as asking:
        assert asking.start(PATIENCE)
        assert asked.thrice.wait(PATIENCE)
    assert not asking.is_alive


def test_question_that_breaks_is_asked_again():
    asked = Asked(breaks=True)
    with polling(asked) as asking:
        assert asking.start(PATIENCE)
        assert asked.thrice.wait(PATIENCE)


def test_nothing_is_asked_again_before_its_time():
    asked = Asked()
    with polling(asked, seconds=3600) as asking:
        assert asking.start(PATIENCE)
        assert asked.times == 1


def test_neither_start_nor_end_waits_for_an_answer_that_does_not_come():
    answer = threading.Event()

    def silent() -> None:
        answer.wait()

    asking = Polling("test", silent, 3600)
    assert not asking.start(patience_seconds=0.01)
    asking.stop()
    assert asking.is_alive
    answer.set()
