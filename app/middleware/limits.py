"""Middleware that limits the size of a request, and the requests per minute of each client."""

import time
from collections.abc import Callable
from functools import lru_cache, partial
from http import HTTPStatus
from ipaddress import IPv4Address, ip_address, ip_network
from math import ceil
from typing import Final

from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import SlidingWindowCounterRateLimiter
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.middleware.api_keys import key_of
from app.problems import problem_response

UNLIMITED_PATHS: Final = frozenset({"/livez", "/readyz"})  # load balancers poll these
# Python needs ten times as long to read a list in JSON as to read a text of the same size, and
# meanwhile no other request is answered. A megabyte of films as TMDB describes them has 5,000.
MAX_CONTAINERS: Final = 20_000
_TOO_MANY_CONTAINERS: Final = (
    f"a request may have at most {MAX_CONTAINERS} lists and objects ([ and {{); send less at once"
)
HEADERS: Final = ("RateLimit-Policy", "RateLimit", "Retry-After")
_POLICY: Final = "per-minute"
_CHARGE: Final = "charge"  # the attribute of a request's state
_IPV6_PREFIX: Final = 64  # bits


class SizeLimit:
    """Refuses requests whose body is too large, or has too many parts, with status 413."""

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
        seen = containers = 0

        async def counted() -> Message:
            nonlocal seen, containers
            message = await receive()
            body: bytes = message.get("body", b"")
            seen += len(body)
            containers += body.count(b"[") + body.count(b"{")
            if seen > self._max_bytes:
                raise HTTPException(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, self._detail)
            if containers > MAX_CONTAINERS:
                raise HTTPException(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, _TOO_MANY_CONTAINERS)
            return message

        return counted


class RateLimit:
    """Refuses a client's requests above the allowed number per minute, with status 429.

    A film counts as much as a request, so a batch counts as many requests as it has films; the
    route calls `charge` for that. A client is identified by its API key, if it sends a valid one.
    Otherwise it is identified by its network address: the address of the connection, or the address
    that a trusted proxy reports.

    Each response has the headers of the IETF's draft "RateLimit header fields for HTTP", with which
    a client can slow down in time (draft-ietf-httpapi-ratelimit-headers-10).
    """

    def __init__(self, app: ASGIApp, per_minute: int, key_hashes: tuple[str, ...] = ()) -> None:
        """Limit each client to `per_minute` requests to `app`.

        Args:
            app: The application.
            per_minute: The number of requests, or of films in batches.
            key_hashes: The hashes of the valid API keys; empty if clients need no key.
        """
        self._app = app
        self._key_hashes = key_hashes
        self._item = RateLimitItemPerMinute(per_minute)
        self._policy = f'"{_POLICY}";q={per_minute};w={self._item.get_expiry()}'.encode()
        self._storage = MemoryStorage()
        self._limiter = SlidingWindowCounterRateLimiter(self._storage)
        self._latest = time.time()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        if scope["type"] != "http" or scope["path"] in UNLIMITED_PATHS:
            await self._app(scope, receive, send)
            return
        client = key_of(scope, self._key_hashes) or network_of(scope)

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] += self._headers(client)
            await send(message)

        app: ASGIApp = self._app
        if self._admits(client, 1):
            scope.setdefault("state", {})[_CHARGE] = partial(self._charge, client)
        else:
            app = problem_response(HTTPStatus.TOO_MANY_REQUESTS, *self._refusal(client, 1))
        await app(scope, receive, send_with_headers)

    def _charge(self, client: str, films: int) -> None:
        """Count a batch of films, whose request has been counted as one already.

        Raises:
            HTTPException: Status 429.
        """
        if films > 1 and not self._admits(client, films - 1):
            detail, headers = self._refusal(client, films)
            raise HTTPException(HTTPStatus.TOO_MANY_REQUESTS, detail, headers)

    def _admits(self, client: str, cost: int) -> bool:
        now = time.time()
        if now < self._latest:
            # The system clock was set back. Without a reset, the counts would be kept until the
            # clock reaches the old time again.
            self._storage.reset()
        self._latest = now
        return self._limiter.hit(self._item, client, cost=cost)

    def _refusal(self, client: str, films: int) -> tuple[str, dict[str, str]]:
        """Return the detail and the headers of a response with status 429."""
        allowed = self._item.amount
        if films == 1:
            detail = f"{allowed} requests per minute are allowed; wait before the next one"
            return detail, {"Retry-After": str(self._seconds_left(client))}
        advice = "wait before the next batch" if films <= allowed else "send fewer films at once"
        detail = (
            f"a batch counts one request per film, here {films}, and {allowed} requests per minute "
            f"are allowed; {advice}"
        )
        # By then, nothing counts that was sent until now.
        return detail, {"Retry-After": str(2 * self._item.get_expiry())}

    def _headers(self, client: str) -> list[tuple[bytes, bytes]]:
        left = self._limiter.get_window_stats(self._item, client).remaining
        limit = f'"{_POLICY}";r={left};t={self._seconds_left(client)}'.encode()
        return [(b"ratelimit-policy", self._policy), (b"ratelimit", limit)]

    def _seconds_left(self, client: str) -> int:
        reset = self._limiter.get_window_stats(self._item, client).reset_time
        return min(max(ceil(reset - time.time()), 1), self._item.get_expiry())


def charge(request: Request, films: int) -> None:
    """Count the films of a batch for the rate limit, if there is one.

    Raises:
        HTTPException: Status 429: the client has sent too much.
    """
    count: Callable[[int], None] | None = getattr(request.state, _CHARGE, None)
    if count:
        count(films)


def network_of(scope: Scope) -> str:
    """Return the network address that identifies the client of a request.

    A client with IPv6 usually has a network of 2^64 addresses (a /64), which count as one.
    """
    client = scope.get("client")
    return _network(client[0]) if client else "unknown"


@lru_cache(maxsize=1_000)
def _network(host: str) -> str:
    try:
        address = ip_address(host.partition("%")[0])
    except ValueError:  # a name, or a socket in the file system
        return host
    if isinstance(address, IPv4Address):
        return str(address)
    if address.ipv4_mapped:
        return str(address.ipv4_mapped)
    return str(ip_network((address, _IPV6_PREFIX), strict=False))


def _announced_bytes(scope: Scope) -> int:
    for name, value in scope["headers"]:
        if name == b"content-length":
            return int(value)  # uvicorn has checked that it is a number
    return 0  # a client need not announce the size, so `_counted` counts the bytes that arrive
