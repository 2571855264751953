"""Call functions that wait for outside services in threads, and give up calls that hang."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from contextvars import copy_context
from dataclasses import dataclass
from threading import Thread
from typing import Any, Final, Generic, TypeVar

_Result = TypeVar("_Result")

MAX_HUNG: Final = 16  # threads; each keeps some memory until its call ends


class HungCallError(TimeoutError):
    """A call was given up because it did not end, or could not begin because too many hang."""


@dataclass
class _Call(Generic[_Result]):
    """A call in progress.

    Attributes:
        answer: The result, for the task that waits for it.
        given_up: Whether the call hung for too long. Its thread may still exist.
    """

    answer: "asyncio.Future[_Result]"
    given_up: bool = False


class OutsideCalls:
    """Calls functions in threads, a limited number at once; waiting calls take turns.

    Each function should have its own time limit. A function that ignores its limit cannot be ended
    in Python, so it is given up: its place is free for the next call, its thread is counted, and
    does not keep the process alive.
    """

    def __init__(self, at_once: int, seconds: float, on_hang: Callable[[], None]) -> None:
        """Allow calls in one event loop.

        Args:
            at_once: How many calls may be in progress.
            seconds: The time after which a call is given up.
            on_hang: Called when that happens.
        """
        self._places = asyncio.Semaphore(at_once)
        self._seconds = seconds
        self._on_hang = on_hang
        self._hung = 0

    async def run(self, function: Callable[[str], _Result], text: str) -> _Result:
        """Call `function` with a text in a thread, and return its result.

        Raises:
            HungCallError: The call was given up.
        """
        await self._places.acquire()
        if self._hung >= MAX_HUNG:
            self._places.release()
            raise HungCallError
        loop = asyncio.get_running_loop()
        call: _Call[_Result] = _Call(loop.create_future())
        timer = loop.call_later(self._seconds, self._give_up, call)

        def work() -> None:
            result: Any = None
            error: BaseException | None = None
            try:
                result = function(text)
            except BaseException as raised:  # noqa: BLE001 - whatever it is, the task must learn it
                error = raised
            with suppress(RuntimeError):  # the loop has been closed, so nobody waits any more
                loop.call_soon_threadsafe(end, result, error)

        def end(result: _Result, error: BaseException | None) -> None:
            timer.cancel()
            self._end(call, result, error)

        Thread(target=copy_context().run, args=(work,), name="outside", daemon=True).start()
        return await call.answer

    def _give_up(self, call: _Call[Any]) -> None:
        call.given_up = True
        self._hung += 1
        self._places.release()
        self._on_hang()
        if not call.answer.done():
            call.answer.set_exception(HungCallError())

    def _end(self, call: _Call[_Result], result: _Result, error: BaseException | None) -> None:
        if call.given_up:
            self._hung -= 1
        else:
            self._places.release()
        if call.answer.done():  # nobody waits any more
            return
        if error is None:
            call.answer.set_result(result)
        else:
            call.answer.set_exception(error)
