"""Serve Streamlit's static files faster than Streamlit does.

A browser needs 90 static files to draw the form. Streamlit is slow for two reasons:

1. It sends each file in pieces, through several threads. This middleware sends a file in one piece.
2. The browser requests a widget's script only when it draws the widget, so it loads the scripts one
   after another. This middleware lists all scripts in the HTML document, so that the browser loads
   them at the same time.
"""

import re
from mimetypes import guess_type
from pathlib import Path
from typing import Final

from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send
from streamlit.file_util import get_static_dir

# The first page's widgets, by the names that their scripts have in Streamlit's frontend.
ELEMENTS: Final = (
    "Radio", "ButtonGroup", "TextArea", "Multiselect", "Selectbox", "NumberInput", "Button", "Html",
    "PageLink", "BidiComponent",
)  # fmt: skip
_FOREVER: Final = (
    "public, immutable, max-age=31536000"  # each file name contains a hash of the content
)
_IMPORTED: Final = re.compile(r'(?:from|import)\s*"\./([\w.-]+\.js)"')
_HEAD_END: Final = "</head>"


class StaticFiles:
    """ASGI middleware that answers the requests for Streamlit's static files.

    It passes every other request to the application.
    """

    def __init__(self, app: ASGIApp) -> None:
        """Create the middleware around the application `app`, and find Streamlit's files."""
        self._app = app
        folder = Path(get_static_dir())
        self._files = {f"/{path.relative_to(folder)}": path for path in folder.rglob("static/*/*")}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request for a static file; pass every other request to the application."""
        await (self._file_response(scope) or self._app)(scope, receive, send)

    def _file_response(self, scope: Scope) -> Response | None:
        if scope["type"] != "http" or scope["method"] != "GET":
            return None
        if file := self._files.get(scope["path"]):
            kind, _ = guess_type(file.name)
            return Response(file.read_bytes(), media_type=kind, headers={"Cache-Control": _FOREVER})
        return None


def document_with_preloads(folder: Path) -> str:
    """Return Streamlit's `index.html` with a list of all scripts that the first page needs.

    The list consists of `modulepreload` links. Because of them, a browser loads all scripts at the
    same time.

    Args:
        folder: The folder with Streamlit's static files.
    """
    document = (folder / "index.html").read_text("utf-8")
    scripts = folder / "static" / "js"
    named = set(_script_names(document))
    queue = [path.name for name in ELEMENTS for path in scripts.glob(f"{name}.*.js")]
    links = []
    while queue:
        if (name := queue.pop()) not in named:
            named.add(name)
            links.append(f'<link rel="modulepreload" crossorigin href="./static/js/{name}">')
            # A script imports others, which the browser would otherwise request one step later.
            queue += _IMPORTED.findall((scripts / name).read_text("utf-8"))
    return document.replace(_HEAD_END, "".join(links) + _HEAD_END)


def _script_names(document: str) -> list[str]:
    return re.findall(r'"\./static/js/([\w.-]+\.js)"', document)
