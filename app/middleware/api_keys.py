"""Middleware that refuses requests without a valid API key."""

import hmac
from http import HTTPStatus
from typing import Final

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from app.keys import HEADER, hash_of
from app.middleware.security_headers import STATIC_FOLDER
from app.problem_types import PAGES
from app.problems import problem_response

# Paths that need no key: load balancers, the check after a deployment, and readers of the
# documentation use them. Without a key, `/version` says no more than the version's name.
OPEN_PATHS: Final = frozenset(
    {"/livez", "/readyz", "/version", "/v1/version", "/docs", "/openapi.json", "/favicon.ico"}
)


class KeyCheck:
    """Lets requests with a valid API key pass; answers other requests with status 401."""

    def __init__(self, app: ASGIApp, hashes: tuple[str, ...]) -> None:
        """Check the key of each request before `app` gets it.

        Args:
            app: The application; its paths in `OPEN_PATHS` need no key.
            hashes: The hashes of the valid keys, as `app.keys.hash_of` computes them.
        """
        self._app = app
        self._hashes = hashes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        is_known = scope["type"] == "http" and key_of(scope, self._hashes) is not None
        # The route of an open path reads this.
        scope.setdefault("state", {})["is_stranger"] = not is_known
        if scope["type"] != "http" or is_known or is_open(scope["path"]):
            await self._app(scope, receive, send)
            return
        detail = f"send an API key of this service in the header {HEADER}"
        refusal = problem_response(
            HTTPStatus.UNAUTHORIZED, detail, headers={"WWW-Authenticate": "ApiKey"}
        )
        await refusal(scope, receive, send)


def key_of(scope: Scope, hashes: tuple[str, ...]) -> str | None:
    """Return the hash of the valid API key in a request; None without a valid key.

    Args:
        scope: The request.
        hashes: The hashes of the valid keys.
    """
    sent = hash_of(Headers(scope=scope).get(HEADER, ""))
    # Compare with every hash: the time must not reveal which one matched.
    return sent if sum(hmac.compare_digest(sent, known) for known in hashes) else None


def is_open(path: str) -> bool:
    """Return whether requests for this path need no API key."""
    return path in OPEN_PATHS or path.startswith((STATIC_FOLDER, PAGES))
