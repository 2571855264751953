"""Serve the API's feeds at the page's own address, where readers and calendars can reach them.

The API may ask for a key, which only the page has, and its address may be an inner one.
"""

from collections.abc import Callable, Mapping
from hashlib import blake2b
from http import HTTPStatus
from typing import Final

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

FOLDER: Final = "/feeds"
# The names of the feeds at the API and here, and their media types.
_FEEDS: Final[Mapping[str, str]] = {
    "/forecasts.atom": "application/atom+xml",
    "/forecasts.ics": "text/calendar",
}
_PARAMETERS: Final = ("search", "opened", "limit")

# Requests a path of the API with some parameters; returns the status and the text.
Fetch = Callable[[str, dict[str, str]], tuple[int, str]]


class Feeds:
    """ASGI middleware that answers the requests for feeds; it passes others to the application."""

    def __init__(self, app: ASGIApp, fetch: Fetch) -> None:
        """Create the middleware around `app`; `fetch` requests a feed from the API."""
        self._app = app
        self._fetch = fetch

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request for a feed; pass every other request to the application."""
        is_read = scope["type"] == "http" and scope["method"] in {"GET", "HEAD"}
        name = scope["path"].removeprefix(FOLDER) if is_read else ""
        if name not in _FEEDS or scope["path"] == name:
            await self._app(scope, receive, send)
            return
        await (await self._response(name, Request(scope)))(scope, receive, send)

    async def _response(self, name: str, request: Request) -> Response:
        asked = {key: request.query_params.get(key, "") for key in _PARAMETERS}
        params = {key: value for key, value in asked.items() if value}
        status, text = await run_in_threadpool(self._fetch, name, params)
        if status != HTTPStatus.OK:
            return PlainTextResponse(text, status)
        body = text.encode()
        tag = f'"{blake2b(body, digest_size=16).hexdigest()}"'
        headers = {"ETag": tag, "Cache-Control": "no-cache"}
        if tag in request.headers.get("if-none-match", ""):
            return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
        return Response(body, media_type=f"{_FEEDS[name]}; charset=utf-8", headers=headers)
