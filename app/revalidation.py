"""Routes whose clients may keep a response, and ask whether it has changed (ETag, status 304)."""

from collections.abc import Callable, Coroutine
from hashlib import blake2b
from http import HTTPStatus
from typing import Any, Final

from fastapi import Request, Response
from fastapi.routing import APIRoute

# A client may keep the response, but must ask each time whether it is still the newest.
_ASK_EACH_TIME: Final = "private, no-cache"
# For the documentation of the routes.
NOT_MODIFIED: Final[dict[int | str, dict[str, Any]]] = {
    304: {"description": "The client has this response already: it sent its ETag."}
}
_OF_THE_BODY: Final = frozenset({"content-length", "content-type"})


class RevalidatedRoute(APIRoute):
    """Gives each response an ETag; answers 304 without a body if the client has that response."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return the handler of the route, which FastAPI calls for each request."""
        handle = super().get_route_handler()

        async def handle_and_compare(request: Request) -> Response:
            response = await handle(request)
            if response.status_code != HTTPStatus.OK:
                return response
            tag = _tag_of(bytes(response.body))
            response.headers["ETag"] = tag
            response.headers.setdefault("Cache-Control", _ASK_EACH_TIME)
            known = request.headers.get("if-none-match", "")
            return _not_modified(response) if _lists(known, tag) else response

        return handle_and_compare


def _tag_of(body: bytes) -> str:
    """Return the ETag of a body; it is weak, because the body may be sent compressed or not."""
    return f'W/"{blake2b(body, digest_size=16).hexdigest()}"'


def _lists(known: str, tag: str) -> bool:
    """Return whether the header `If-None-Match` lists the tag, or any tag (`*`)."""
    tags = {each.strip().removeprefix("W/") for each in known.split(",")}
    return bool(tags & {"*", tag.removeprefix("W/")})


def _not_modified(response: Response) -> Response:
    kept = {name: value for name, value in response.headers.items() if name not in _OF_THE_BODY}
    return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=kept)
