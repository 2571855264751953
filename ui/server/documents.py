"""Serve the HTML document of each page, with its title and the tags for previews of links.

Streamlit has one document for all pages and all visitors. Its title is "Streamlit" until the
scripts run, and programs that show previews of links run no scripts.
"""

import asyncio
import logging
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from html import escape
from typing import Final
from urllib.parse import parse_qs

from starlette.datastructures import Headers
from starlette.requests import cookie_parser
from starlette.responses import HTMLResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from ui.server.addresses import HIDDEN_PAGES, PAGES

logger = logging.getLogger("page")

_PATHS: Final = frozenset({"/", *(f"/{name}" for name in (*PAGES[1:], *HIDDEN_PAGES))})
_LANGUAGE: Final = '<html lang="en">'
_TITLE: Final = "<title>Streamlit</title>"
_MOST_QUERY_CHARACTERS: Final = 4_000
_MOST_FIELDS: Final = 200
_SECONDS: Final = 1.0  # a document must not wait longer for its description
_AT_ONCE: Final = 2
_KEPT: Final = 200
_KEPT_SECONDS: Final = 60


@dataclass(frozen=True)
class Visit:
    """A request for a page.

    Attributes:
        page: The name of the page; empty for the first page.
        query: The values in the address, by their names.
        cookies: The cookies of the browser.
        accepted: The languages that the browser accepts (the header `Accept-Language`).
        address: The visitor's network address, as the header `X-Forwarded-For` states it.
    """

    page: str
    query: Mapping[str, Sequence[str]]
    cookies: Mapping[str, str]
    accepted: str
    address: str

    def first(self, name: str) -> str | None:
        """Return the first value with a name in the address."""
        return next(iter(self.query.get(name, ())), None)


@dataclass(frozen=True)
class Preview:
    """What the document of a page says about it, as plain text.

    Attributes:
        image: The URL of a picture.
    """

    language: str
    title: str
    description: str
    image: str | None = None


class Documents:
    """ASGI middleware that answers requests for pages with their HTML document."""

    def __init__(
        self, app: ASGIApp, document: str, describe: Callable[[Visit], Preview], plain: Preview
    ) -> None:
        """Create the middleware.

        Args:
            app: The application that answers all other requests.
            document: Streamlit's document.
            describe: Describes a page. It may call the API.
            plain: The description of a page if `describe` fails, or takes too long.

        Raises:
            ValueError: The document has no language or no title to replace.
        """
        for part in (_LANGUAGE, _TITLE):
            if document.count(part) != 1:
                raise ValueError(f"Streamlit's document has changed: it needs {part} once")
        self._app = app
        self._document = document
        self._describe = describe
        self._plain = plain
        self._threads = ThreadPoolExecutor(_AT_ONCE, "preview")
        self._free = asyncio.Semaphore(_AT_ONCE)
        self._known: OrderedDict[tuple[str, ...], tuple[float, Preview]] = OrderedDict()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request for a page; pass every other request to the application."""
        if scope["type"] != "http" or scope["method"] != "GET" or scope["path"] not in _PATHS:
            await self._app(scope, receive, send)
            return
        preview = await self._preview(scope)
        # The document names the scripts of one Streamlit version, so browsers must ask each time
        # whether it has changed.
        response = HTMLResponse(
            _filled(self._document, preview),
            headers={"Cache-Control": "no-cache", "Vary": "Accept-Language, Cookie"},
        )
        await response(scope, receive, send)

    async def _preview(self, scope: Scope) -> Preview:
        visit = _visit(scope)
        key = (
            scope["path"], str(sorted(visit.query.items())), visit.cookies.get("lang", ""),
            visit.accepted,
        )  # fmt: skip
        until, known = self._known.get(key, (0.0, self._plain))
        if time.monotonic() < until:
            return known
        if self._free.locked():  # an answer without a description is better than a late one
            return self._plain
        async with self._free:
            try:
                preview = await asyncio.wait_for(self._in_a_thread(visit), _SECONDS)
            except Exception as error:  # noqa: BLE001 - a page without a preview is better than none
                logger.warning("a page has no preview: %s", type(error).__name__)
                return self._plain
        self._known[key] = time.monotonic() + _KEPT_SECONDS, preview
        if len(self._known) > _KEPT:
            self._known.popitem(last=False)
        return preview

    def _in_a_thread(self, visit: Visit) -> "asyncio.Future[Preview]":
        return asyncio.get_running_loop().run_in_executor(self._threads, self._describe, visit)


def _visit(scope: Scope) -> Visit:
    headers = Headers(scope=scope)
    query = scope["query_string"].decode("latin-1")
    reported, connected = headers.get("x-forwarded-for", ""), (scope.get("client") or ("",))[0]
    fits = len(query) <= _MOST_QUERY_CHARACTERS and query.count("&") < _MOST_FIELDS
    return Visit(
        scope["path"].strip("/"),
        parse_qs(query) if fits else {},
        cookie_parser(headers.get("cookie", "")),
        headers.get("accept-language", "")[:200],
        ", ".join(each for each in (reported, connected) if each),
    )


def _filled(document: str, preview: Preview) -> str:
    """Return the document with the texts of a preview, which are escaped."""
    named = {
        "og:type": "website",
        "og:title": preview.title,
        "og:description": preview.description,
        **({"og:image": preview.image} if preview.image else {}),
    }
    tags = "".join(
        f'<meta property="{name}" content="{escape(text)}">' for name, text in named.items()
    )
    title = f"<title>{escape(preview.title)}</title>"
    about = f'<meta name="description" content="{escape(preview.description)}">'
    language = f'<html lang="{escape(preview.language)}">'
    return document.replace(_LANGUAGE, language).replace(_TITLE, title + about + tags)
