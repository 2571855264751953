"""Imitate how TMDB's web server treats every request and response.

This concerns HEAD requests, slashes at the end of a path, the header `Date`, and caching.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from email.utils import format_datetime
from hashlib import md5

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from movierating.films.source import STAND_IN_HEADER, header_value
from sandbox.tmdb.hashing import stable_hash

MAX_AGE_SECONDS = 6 * 3600
OK, NOT_MODIFIED = 200, 304


class FrontDoor:
    """ASGI middleware that sets the header `Date` from the TMDB stand-in's own clock.

    Another header says that the stand-in is not TMDB, and which films it serves. The web server
    (uvicorn) must not set `Date` itself. The middleware also removes a slash at the
    end of a path. It answers a HEAD request like a GET request, but without the body.
    """

    def __init__(self, app: ASGIApp, now: Callable[[], datetime], source: str) -> None:
        """Create the middleware around an application.

        Args:
            app: The application.
            now: Returns the time on the stand-in's clock.
            source: The name of the stand-in's films (see `movierating.films.source`).
        """
        self.app = app
        self.now = now
        self.source = header_value(source)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request to the application, and set the header `Date` in the response."""
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
                headers[STAND_IN_HEADER] = self.source
                headers["vary"] = "accept-encoding, Origin"
                headers["date"] = format_datetime(self.now() - age, usegmt=True)
            elif is_head:
                message["body"] = b""
            await send(message)

        await self.app({**scope, "method": method, "path": path}, receive, dated)


class CacheHeaders:
    """ASGI middleware that adds the headers that TMDB sends for caches, such as `ETag`.

    If the request's header `If-None-Match` says that the client already has this response, the
    answer has the status 304 and no body.
    """

    def __init__(self, app: ASGIApp, *, aged: bool) -> None:
        """Create the middleware around an application.

        Args:
            app: The application.
            aged: Whether some responses get headers as if they came from a cache.
        """
        self.app = app
        self.aged = aged

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request to the application, and add headers for caches to the response."""
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
        """Return the headers that say how old a response is, and how long a client may keep it.

        TMDB has two caches, one behind the other. The header `X-Memc-Age` is the age of the content
        at the time in `Date`. The header `Age` is the time since then. The first cache does not
        contain responses to requests with `append_to_response`.
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
