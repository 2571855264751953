"""Run a coroutine in a test, whatever else its thread runs."""

import asyncio
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

_Result = TypeVar("_Result")


def run_async(coroutine: Coroutine[Any, Any, _Result]) -> _Result:
    """Run a coroutine to its end, in a thread of its own, and return its result.

    A browser test earlier in the same process leaves an event loop running in the main thread, and
    `asyncio.run` refuses to start a second one there.
    """
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, coroutine).result()
