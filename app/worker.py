"""Run calculations outside the event loop, in small pieces, so that no request holds up another."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from functools import partial
from typing import Any, TypeVar

_Result = TypeVar("_Result")


class Worker:
    """One thread for all calculations that take more than a millisecond.

    A request submits one piece, such as one film, waits for it, and then submits the next. So the
    pieces of several requests take turns, and a large batch delays a single film by one piece.

    There is only one thread: Python calculates in one thread at a time, so more threads would not
    be faster, and the event loop would have to wait for each of them in turn.
    """

    def __init__(self) -> None:
        """Create the worker; its thread starts with the first piece."""
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="worker")

    async def run(self, piece: Callable[..., _Result], *arguments: Any) -> _Result:
        """Call a function in the worker's thread, and return its result."""
        # With the context of the request, so that a log line has the id of the request.
        call: Callable[[], _Result] = partial(copy_context().run, piece, *arguments)
        return await asyncio.get_running_loop().run_in_executor(self._pool, call)

    def close(self) -> None:
        """End the thread after the piece in progress, and drop the others."""
        self._pool.shutdown(wait=False, cancel_futures=True)
