"""What browsers are told of every answer."""

from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

_EVERYWHERE: Final = [
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
]
_NOTHING_LOADS: Final = (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'")
# Swagger UI starts from a script inside its page.
_DOCS_LOAD: Final = (
    b"content-security-policy",
    b"default-src 'self'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; "
    b"img-src 'self' data:; frame-ancestors 'none'",
)
_NOT_STORED: Final = (b"cache-control", b"no-store")
_STATIC: Final = (b"cache-control", b"public, max-age=86400")
_HTTPS_ONLY: Final = (b"strict-transport-security", b"max-age=31536000")
_DOCS: Final = "/docs"
STATIC_FOLDER: Final = "/static-offline-docs/"  # fastapi-offline's


class SecurityHeaders:
    """Adds the headers; answers are not to be stored unless they say otherwise."""

    def __init__(self, app: ASGIApp) -> None:
        """Add to the answers of `app`."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        added = [*_EVERYWHERE, _DOCS_LOAD if scope["path"] == _DOCS else _NOTHING_LOADS]
        stored = _STATIC if scope["path"].startswith(STATIC_FOLDER) else _NOT_STORED
        if scope["scheme"] == "https":
            added.append(_HTTPS_ONLY)

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = message["headers"]
                if all(name != b"cache-control" for name, _ in headers):
                    headers.append(stored)
                headers += added
            await send(message)

        await self._app(scope, receive, send_with_headers)
