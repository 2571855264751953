"""Refuses requests without a key, where the service knows hashes of keys."""

import hmac
from http import HTTPStatus
from typing import Final

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from app.keys import HEADER, hash_of
from app.middleware.security_headers import STATIC_FOLDER
from app.problems import problem_response

# What a load balancer, whoever confirms a deployment, and a reader of the documentation ask for.
OPEN_PATHS: Final = frozenset(
    {"/livez", "/readyz", "/version", "/v1/version", "/docs", "/openapi.json", "/favicon.ico"}
)


class KeyCheck:
    """Lets those in who have a key."""

    def __init__(self, app: ASGIApp, hashes: tuple[str, ...]) -> None:
        """Guard all of `app` but the open paths."""
        self._app = app
        self._hashes = hashes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        if scope["type"] != "http" or is_open(scope["path"]) or self._knows(scope):
            await self._app(scope, receive, send)
            return
        detail = f"send a key of this service in the header {HEADER}"
        refusal = problem_response(
            HTTPStatus.UNAUTHORIZED, detail, headers={"WWW-Authenticate": "ApiKey"}
        )
        await refusal(scope, receive, send)

    def _knows(self, scope: Scope) -> bool:
        sent = hash_of(Headers(scope=scope).get(HEADER, ""))
        # Every hash is compared, so that the time tells nothing of which one it was.
        return sum(hmac.compare_digest(sent, known) for known in self._hashes) > 0


def is_open(path: str) -> bool:
    """Whether no key is asked for."""
    return path in OPEN_PATHS or path.startswith(STATIC_FOLDER)
