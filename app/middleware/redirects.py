"""Middleware that keeps a redirect on the host that the caller has reached."""

from urllib.parse import urlsplit

from starlette.types import ASGIApp, Message, Receive, Scope, Send


class RelativeRedirects:
    """Removes the scheme and the host from the header Location.

    The router writes the header `Host` of the request into it, and a stranger can choose this
    header: a cache could then send other callers to the stranger's host.
    """

    def __init__(self, app: ASGIApp) -> None:
        """Change the redirects of `app`; all of them lead to other paths of the same service."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and change its response if it is a redirect."""

        async def send_relative(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [
                    (name, _path_of(value) if name == b"location" else value)
                    for name, value in message["headers"]
                ]
            await send(message)

        await self._app(scope, receive, send_relative if scope["type"] == "http" else send)


def _path_of(location: bytes) -> bytes:
    parts = urlsplit(location)
    path = b"/" + parts.path.lstrip(b"/")  # with two slashes, the next part would be a host
    return path + b"?" + parts.query if parts.query else path
