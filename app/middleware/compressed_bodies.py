"""Middleware that decompresses the bodies of requests."""

import zlib
from collections.abc import AsyncIterator
from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.problems import UnreadableBodyError, unsupported_body

_GZIP: Final = frozenset({"gzip", "x-gzip"})
_GZIP_FORMAT: Final = 31  # `wbits` of zlib: a gzip header, and the largest window
_PIECE_BYTES: Final = 65_536  # so that the layer inside can refuse a body before it fills memory


class CompressedBodies:
    """Decompresses gzip bodies; refuses other compressions with status 415.

    It decompresses in small pieces. `SizeLimit` is the layer inside, so it counts the decompressed
    bytes, and ends the request as soon as there are too many.
    """

    def __init__(self, app: ASGIApp) -> None:
        """Decompress the bodies of requests to `app`."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, with a body that is not compressed."""
        coding = _coding(scope) if scope["type"] == "http" else ""
        if coding in _GZIP:
            await self._app(scope, _decompressed(receive).__anext__, send)
        elif coding in {"", "identity"}:
            await self._app(scope, receive, send)
        else:
            detail = "the API reads no body in this Content-Encoding; send it as it is, or as gzip"
            await unsupported_body(detail)(scope, receive, send)


async def _decompressed(receive: Receive) -> AsyncIterator[Message]:
    """Yield the messages of a connection, with the body decompressed, in small pieces."""
    decoder, has_begun, more_follows = zlib.decompressobj(_GZIP_FORMAT), False, True
    while more_follows:
        message = await receive()
        if message["type"] != "http.request":
            yield message
            continue
        compressed, more_follows = message.get("body", b""), message.get("more_body", False)
        while compressed:
            if decoder.eof:  # a gzip file may consist of several parts
                decoder = zlib.decompressobj(_GZIP_FORMAT)
            has_begun = True
            piece = _piece(decoder, compressed)
            yield {"type": "http.request", "body": piece, "more_body": True}
            compressed = decoder.unconsumed_tail or decoder.unused_data
    rest = decoder.flush()
    if has_begun and not decoder.eof:
        raise UnreadableBodyError("not_gzip", "the gzip body is incomplete")
    yield {"type": "http.request", "body": rest, "more_body": False}
    while True:
        yield await receive()


def _piece(decoder: "zlib._Decompress", compressed: bytes) -> bytes:
    try:
        return decoder.decompress(compressed, _PIECE_BYTES)
    except zlib.error as error:
        raise UnreadableBodyError("not_gzip", "this is not gzip") from error


def _coding(scope: Scope) -> str:
    for name, value in scope["headers"]:
        if name == b"content-encoding":
            return str(value, "latin-1").strip().lower()
    return ""
