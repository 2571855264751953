"""Streamlit's files, served whole and in time.

A browser needs 90 of them before the form stands. Streamlit passes each through several threads,
piece by piece, and has the scripts of its fields fetched only when one is to be drawn: one round of
requests after the other.
"""

import re
from mimetypes import guess_type
from pathlib import Path
from typing import Final

from starlette.responses import HTMLResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send
from streamlit.file_util import get_static_dir

# What the first page is drawn with, as Streamlit's frontend calls it.
ELEMENTS: Final = (
    "Radio", "ButtonGroup", "TextArea", "Multiselect", "Selectbox", "NumberInput", "Button", "Html",
)  # fmt: skip
_FOREVER: Final = "public, immutable, max-age=31536000"  # every name holds a digest of the content
_IMPORTED: Final = re.compile(r'(?:from|import)\s*"\./([\w.-]+\.js)"')
_HEAD_END: Final = "</head>"


class WholeFiles:
    """ASGI middleware that answers with a file of Streamlit's, or leaves it to the application."""

    def __init__(self, app: ASGIApp) -> None:
        """Wrap the application."""
        self._app = app
        folder = Path(get_static_dir())
        self._document = announcing(folder)
        self._files = {f"/{path.relative_to(folder)}": path for path in folder.rglob("static/*/*")}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Take a request."""
        await (self._answer(scope) or self._app)(scope, receive, send)

    def _answer(self, scope: Scope) -> Response | None:
        if scope["type"] != "http" or scope["method"] != "GET":
            return None
        if scope["path"] == "/":
            return HTMLResponse(self._document, headers={"Cache-Control": "no-cache"})
        if file := self._files.get(scope["path"]):
            kind, _ = guess_type(file.name)
            return Response(file.read_bytes(), media_type=kind, headers={"Cache-Control": _FOREVER})
        return None


def announcing(folder: Path) -> str:
    """Streamlit's document, naming also the scripts that draw the first page."""
    document = (folder / "index.html").read_text("utf-8")
    scripts = folder / "static" / "js"
    named = set(_names(document))
    waiting = [path.name for name in ELEMENTS for path in scripts.glob(f"{name}.*.js")]
    links = []
    while waiting:
        if (name := waiting.pop()) not in named:
            named.add(name)
            links.append(f'<link rel="modulepreload" crossorigin href="./static/js/{name}">')
            waiting += _IMPORTED.findall((scripts / name).read_text("utf-8"))
    return document.replace(_HEAD_END, "".join(links) + _HEAD_END)


def _names(document: str) -> list[str]:
    return re.findall(r'"\./static/js/([\w.-]+\.js)"', document)
