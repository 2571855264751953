"""Middleware that compresses large responses for clients that accept gzip."""

import re
from typing import Final

from starlette.middleware.gzip import GZipMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

_WORTH_COMPRESSING: Final = 1_000  # bytes
_FAST: Final = 1  # level of gzip; higher levels save little, and take several times as long
_ACCEPTED: Final = re.compile(rb"\bgzip\b(?!\s*;\s*q=0(\.0*)?\s*(,|$))")


class CompressedAnswers:
    """Compresses large responses with gzip, if the client accepts it."""

    def __init__(self, app: ASGIApp) -> None:
        """Compress the responses of `app`."""
        self._app = app
        self._compressing = GZipMiddleware(app, _WORTH_COMPRESSING, _FAST)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on; compress its response if possible."""
        # Starlette's layer costs time even if it compresses nothing, and ignores `gzip;q=0`.
        layer = self._compressing if scope["type"] == "http" and _accepts_gzip(scope) else self._app
        await layer(scope, receive, send)


def _accepts_gzip(scope: Scope) -> bool:
    return any(
        name == b"accept-encoding" and _ACCEPTED.search(value) for name, value in scope["headers"]
    )
