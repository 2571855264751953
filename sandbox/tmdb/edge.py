"""What TMDB's web server does with every request: HEAD, trailing slashes, dates, caching."""

from collections.abc import Callable
from datetime import datetime, timedelta
from email.utils import format_datetime
from hashlib import md5

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sandbox.tmdb.hashing import stable_hash

MAX_AGE_SECONDS = 6 * 3600
OK, NOT_MODIFIED = 200, 304


class FrontDoor:
    """ASGI middleware that sets the header `Date`; the server must not set its own.

    A path with a slash at its end is treated as the same path without it. HEAD is answered as GET
    is, without the body.
    """

    def __init__(self, app: ASGIApp, now: Callable[[], datetime]) -> None:
        self.app = app
        self.now = now

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and set `Date` in its response."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        is_head = scope["method"] == "HEAD"
        method = "GET" if is_head else scope["method"]
        path = scope["path"].rstrip("/") or "/"

        async def dated(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                # A cached response has the date on which it was cached.
                age = timedelta(seconds=int(headers.get("age", "0")))
                headers["vary"] = "accept-encoding, Origin"
                headers["date"] = format_datetime(self.now() - age, usegmt=True)
            elif is_head:
                message["body"] = b""
            await send(message)

        await self.app({**scope, "method": method, "path": path}, receive, dated)


class CacheHeaders:
    """ASGI middleware that adds TMDB's headers for caches to complete responses.

    If the request says that the client already has this response (`If-None-Match`), the answer is
    304 without a body.
    """

    def __init__(self, app: ASGIApp, *, aged: bool) -> None:
        """Create the middleware; `aged` makes some responses old, as if they came from a cache."""
        self.app = app
        self.aged = aged

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and add headers to its response."""
        start: Message = {}

        async def marked(message: Message) -> None:
            if message["type"] == "http.response.start":
                start.update(message)
                return
            body = message.get("body", b"")
            if start and start["status"] == OK:
                headers = MutableHeaders(scope=start)
                headers.update(self._caching(scope))
                headers["etag"] = f'W/"{md5(body, usedforsecurity=False).hexdigest()}"'
                if headers["etag"] in Headers(scope=scope).get("if-none-match", ""):
                    start["status"], message["body"] = NOT_MODIFIED, b""
                    del headers["content-length"]
            await send(start)
            await send(message)

        await self.app(scope, receive, marked)

    def _caching(self, scope: Scope) -> dict[str, str]:
        """Return the headers that say how old a response is, and how long it may be kept.

        In TMDB, two caches follow each other. `X-Memc-Age` is the age of the content at the time in
        `Date`, and `Age` is the time since then. A film with appended parts is not in the first.
        """
        query = scope["query_string"].decode("latin-1")
        drawn = stable_hash(scope["path"], query)
        content_age = drawn % MAX_AGE_SECONDS if "append_to_response" not in query else 0
        caching = {"cache-control": f"public, max-age={MAX_AGE_SECONDS - content_age}"}
        if not self.aged:
            return caching | {"x-cache": "Miss from cloudfront"}
        if content_age:
            expires = MAX_AGE_SECONDS - content_age
            memc = {"x-memc": "HIT", "x-memc-age": content_age, "x-memc-expires": expires}
            caching |= {name: str(value) for name, value in memc.items()}
        if drawn >> 32 & 1:
            return caching | {"x-cache": "Miss from cloudfront"}
        return caching | {"x-cache": "Hit from cloudfront", "age": str(drawn >> 33 & 0xFFF)}
