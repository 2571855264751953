"""Redirect requests for unknown web addresses to the page `not_found`."""

from typing import Final

from starlette.datastructures import Headers, QueryParams
from starlette.responses import RedirectResponse
from starlette.types import ASGIApp, Receive, Scope, Send

# The first page is served at `/`, the others at `/` plus their name.
PAGES: Final = ("forecast", "coming_soon", "compare", "model", "track_record")
NOT_FOUND: Final = "not_found"
# The menu does not list these pages; other pages link to them.
FILM: Final = "film"
HIDDEN_PAGES: Final = (FILM, "privacy", NOT_FOUND)
# Streamlit serves its own files here, such as scripts and downloads.
_STREAMLIT_FOLDERS: Final = frozenset({"_stcore", "component", "media", "static"})


class UnknownAddressRedirect:
    """ASGI middleware that redirects requests for unknown addresses to the page `not_found`.

    Without this middleware, Streamlit would show the first page, with a notice in English. For an
    address with two parts, such as `/a/b`, it would show an empty page.
    """

    def __init__(self, app: ASGIApp) -> None:
        """Create the middleware around the application `app`."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request for an unknown address by a redirect; pass others to the application."""
        app = self._app
        # Only a browser that opens a page asks for HTML. Other requests, such as those for scripts
        # and images, pass unchanged.
        if scope["type"] == "http" and "text/html" in Headers(scope=scope).get("accept", ""):
            target = _page_path(scope["path"])
            # The short form of a film's address, such as `/?film=7`.
            if target == "/" and FILM in QueryParams(scope["query_string"]):
                target = f"/{FILM}"
            if target != scope["path"]:
                # The query string may contain any bytes; latin-1 can decode each of them.
                query = scope["query_string"].decode("latin-1")
                app = RedirectResponse(f"{target}?{query}" if query else target)
        await app(scope, receive, send)


def _page_path(path: str) -> str:
    """Return the path of a page: `path` if such a page exists, otherwise that of `not_found`."""
    name = path.strip("/")
    if name in {"", PAGES[0]}:
        return "/"
    if name.split("/")[0] in _STREAMLIT_FOLDERS:
        return path
    return f"/{name if name in (*PAGES, *HIDDEN_PAGES) else NOT_FOUND}"
