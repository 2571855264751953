"""Middleware that refuses requests whose length can be read in two ways."""

from http import HTTPStatus
from typing import Final

from starlette.types import ASGIApp, Receive, Scope, Send

from app.problems import problem_response

_BOTH: Final = {b"content-length", b"transfer-encoding"}


class AmbiguousLength:
    """Refuses requests with both Content-Length and Transfer-Encoding, with status 400.

    A proxy and this service could read different lengths. Then the rest of the body would count as
    the next request, of another caller (request smuggling, RFC 9112, section 6.3).
    """

    def __init__(self, app: ASGIApp) -> None:
        """Check the headers of requests to `app`."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it and close the connection."""
        if scope["type"] == "http" and {name for name, _ in scope["headers"]} >= _BOTH:
            detail = "send either Content-Length or Transfer-Encoding, not both"
            closing = {"Connection": "close"}
            await problem_response(HTTPStatus.BAD_REQUEST, detail, closing)(scope, receive, send)
        else:
            await self._app(scope, receive, send)
