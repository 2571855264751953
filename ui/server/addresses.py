"""Which addresses are pages, and where the others lead."""

from typing import Final

from starlette.datastructures import Headers
from starlette.responses import RedirectResponse
from starlette.types import ASGIApp, Receive, Scope, Send

# The first stands at the root.
PAGES: Final = ("forecast", "coming_soon", "compare", "model", "track_record")
NOT_FOUND: Final = "not_found"
# Under these Streamlit keeps its own, downloads among them.
_STREAMLITS: Final = frozenset({"_stcore", "component", "media", "static"})


class KnownAddresses:
    """ASGI middleware that leads from an address without a page to the one that says so.

    Streamlit would show the first page, and say so in English; two folders down, nothing at all.
    """

    def __init__(self, app: ASGIApp) -> None:
        """Wrap the application."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Take a request."""
        app = self._app
        if scope["type"] == "http" and "text/html" in Headers(scope=scope).get("accept", ""):
            there = _page_at(scope["path"])
            if there != scope["path"]:
                query = scope["query_string"].decode("latin-1")
                app = RedirectResponse(f"{there}?{query}" if query else there)
        await app(scope, receive, send)


def _page_at(path: str) -> str:
    """The address that serves a path: itself, unless no page is there."""
    name = path.strip("/")
    if name in {"", PAGES[0]}:
        return "/"
    if name.split("/")[0] in _STREAMLITS:
        return path
    return f"/{name if name in PAGES else NOT_FOUND}"
