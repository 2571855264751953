"""Middleware that answers HEAD wherever the API answers GET."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send


class HeadRequests:
    """Handles a HEAD request as a GET request, and sends the headers of its response alone."""

    def __init__(self, app: ASGIApp) -> None:
        """Let `app` see GET requests instead of HEAD requests."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on; drop the body of the response if only its headers are wanted."""
        if scope["type"] != "http" or scope["method"] != "HEAD":
            await self._app(scope, receive, send)
            return

        async def send_without_body(message: Message) -> None:
            if message["type"] == "http.response.body":
                message = {**message, "body": b""}
            await send(message)

        # The server reads the method of its own scope when it sends the response, so that scope
        # keeps HEAD. The layers outside find the route in it.
        as_get = dict(scope, method="GET")
        try:
            await self._app(as_get, receive, send_without_body)
        finally:
            if "route" in as_get:
                scope["route"] = as_get["route"]
