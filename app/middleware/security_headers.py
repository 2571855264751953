"""Middleware that adds security headers, which tell browsers how to treat responses."""

from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

_EVERYWHERE: Final = [
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
]
# Every other response is data for programs, so a browser that opens it need not load anything.
_LOAD_NOTHING: Final = (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'")
# The documentation page starts Swagger UI with an inline script, so it must allow inline scripts.
_LOAD_DOCS: Final = (
    b"content-security-policy",
    b"default-src 'self'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; "
    b"img-src 'self' data:; frame-ancestors 'none'",
)
_NOT_STORED: Final = (b"cache-control", b"no-store")
_STATIC: Final = (b"cache-control", b"public, max-age=86400")
_HTTPS_ONLY: Final = (b"strict-transport-security", b"max-age=31536000")
_DOCS: Final = "/docs"
STATIC_FOLDER: Final = "/static-offline-docs/"  # where fastapi-offline serves Swagger UI


class SecurityHeaders:
    """Adds security headers; forbids caching unless the response sets `Cache-Control` itself."""

    def __init__(self, app: ASGIApp) -> None:
        """Add headers to the responses of `app`."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and add headers to its response."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        added = headers_for(scope["path"], scope["scheme"] == "https")
        stored = _STATIC if scope["path"].startswith(STATIC_FOLDER) else _NOT_STORED

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = message["headers"]
                if all(name != b"cache-control" for name, _ in headers):
                    headers.append(stored)
                headers += added
            await send(message)

        await self._app(scope, receive, send_with_headers)


def headers_for(path: str, is_https: bool) -> list[tuple[bytes, bytes]]:
    """Return the security headers of a response.

    Args:
        path: The path of the request.
        is_https: Whether the caller reached this service through HTTPS.
    """
    loading = _LOAD_DOCS if path == _DOCS else _LOAD_NOTHING
    return [*_EVERYWHERE, loading, *([_HTTPS_ONLY] if is_https else [])]
