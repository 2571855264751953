"""Refuses requests without a valid API key."""

import hmac
from http import HTTPStatus
from typing import Final

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from app.keys import HEADER, hash_of
from app.middleware.security_headers import STATIC_FOLDER
from app.problems import problem_response

# For load balancers, for the check after a deployment, and for readers of the documentation.
OPEN_PATHS: Final = frozenset(
    {"/livez", "/readyz", "/version", "/v1/version", "/docs", "/openapi.json", "/favicon.ico"}
)


class KeyCheck:
    """Lets requests with a valid key pass; answers others with 401."""

    def __init__(self, app: ASGIApp, hashes: tuple[str, ...]) -> None:
        """Guard `app`.

        Args:
            app: Its open paths need no key.
            hashes: Of the valid keys, as `app.keys.hash_of` computes them.
        """
        self._app = app
        self._hashes = hashes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        if scope["type"] != "http" or is_open(scope["path"]) or self._has_valid_key(scope):
            await self._app(scope, receive, send)
            return
        detail = f"send an API key of this service in the header {HEADER}"
        refusal = problem_response(
            HTTPStatus.UNAUTHORIZED, detail, headers={"WWW-Authenticate": "ApiKey"}
        )
        await refusal(scope, receive, send)

    def _has_valid_key(self, scope: Scope) -> bool:
        sent = hash_of(Headers(scope=scope).get(HEADER, ""))
        # No early exit: the time must not reveal which hash matched.
        return sum(hmac.compare_digest(sent, known) for known in self._hashes) > 0


def is_open(path: str) -> bool:
    """Return whether a path needs no key."""
    return path in OPEN_PATHS or path.startswith(STATIC_FOLDER)
