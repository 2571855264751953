"""Middleware that limits the size of a request, and the requests per minute of each client."""

import time
from http import HTTPStatus
from math import ceil
from typing import Final

from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import SlidingWindowCounterRateLimiter
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.problems import problem_response

UNLIMITED_PATHS: Final = frozenset({"/livez", "/readyz"})  # load balancers poll these


class SizeLimit:
    """Refuses requests whose body is too large, with status 413."""

    def __init__(self, app: ASGIApp, max_bytes: int) -> None:
        """Limit the bodies of requests to `app` to `max_bytes`."""
        self._app = app
        self._max_bytes = max_bytes
        self._detail = f"a request may have at most {max_bytes // 1024} KB; send less at once"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, unless its announced or received size is above the limit."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
        elif _announced_bytes(scope) > self._max_bytes:
            refusal = problem_response(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, self._detail)
            await refusal(scope, receive, send)
        else:
            await self._app(scope, self._counted(receive), send)

    def _counted(self, receive: Receive) -> Receive:
        seen = 0

        async def counted() -> Message:
            nonlocal seen
            message = await receive()
            seen += len(message.get("body", b""))
            if seen > self._max_bytes:
                raise HTTPException(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, self._detail)
            return message

        return counted


class RateLimit:
    """Refuses a client's requests above the allowed number per minute, with status 429.

    A client is identified by its network address: the address of the connection, or the address
    that a trusted proxy reports.
    """

    def __init__(self, app: ASGIApp, per_minute: int) -> None:
        """Limit each client to `per_minute` requests to `app`."""
        self._app = app
        self._item = RateLimitItemPerMinute(per_minute)
        self._storage = MemoryStorage()
        self._limiter = SlidingWindowCounterRateLimiter(self._storage)
        self._latest = time.time()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        if scope["type"] != "http" or scope["path"] in UNLIMITED_PATHS or self._admits(scope):
            await self._app(scope, receive, send)
            return
        detail = f"{self._item.amount} requests per minute are allowed; wait before the next one"
        headers = {"Retry-After": str(self._seconds_left(scope))}
        refusal = problem_response(HTTPStatus.TOO_MANY_REQUESTS, detail, headers=headers)
        await refusal(scope, receive, send)

    def _admits(self, scope: Scope) -> bool:
        now = time.time()
        if now < self._latest:
            # The system clock was set back. Without a reset, the counts would be kept until the
            # clock reaches the old time again.
            self._storage.reset()
        self._latest = now
        return self._limiter.hit(self._item, _client(scope))

    def _seconds_left(self, scope: Scope) -> int:
        reset = self._limiter.get_window_stats(self._item, _client(scope)).reset_time
        return min(max(ceil(reset - time.time()), 1), self._item.get_expiry())


def _client(scope: Scope) -> str:
    client = scope.get("client")
    return client[0] if client else "unknown"


def _announced_bytes(scope: Scope) -> int:
    for name, value in scope["headers"]:
        if name == b"content-length":
            return int(value)  # uvicorn has checked that it is a number
    return 0  # a client need not announce the size, so `_counted` counts the bytes that arrive
