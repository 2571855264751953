"""Keys of callers, of which the service knows hashes alone: `python -m app.keys` makes one."""

import argparse
import hashlib
import hmac
import secrets
import sys
from http import HTTPStatus
from typing import Final

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from app.headers import STATIC_FOLDER
from app.problems import answer

HEADER: Final = "X-API-Key"
# What a load balancer, whoever confirms a deployment, and a reader of the documentation ask for.
OPEN_PATHS: Final = frozenset(
    {"/livez", "/readyz", "/version", "/v1/version", "/docs", "/openapi.json", "/favicon.ico"}
)

parser = argparse.ArgumentParser(
    prog="python -m app.keys", description="Make a key for a caller, and its hash for the service."
)


def new_key() -> str:
    """A key that nobody can guess."""
    return secrets.token_urlsafe(32)


def hash_of(key: str) -> str:
    """What API_KEY_HASHES holds of a key; no salt, since keys are random and long."""
    return hashlib.sha256(key.encode()).hexdigest()


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
        refusal = answer(HTTPStatus.UNAUTHORIZED, detail, headers={"WWW-Authenticate": "ApiKey"})
        await refusal(scope, receive, send)

    def _knows(self, scope: Scope) -> bool:
        sent = hash_of(Headers(scope=scope).get(HEADER, ""))
        # Every hash is compared, so that the time tells nothing of which one it was.
        return sum(hmac.compare_digest(sent, known) for known in self._hashes) > 0


def is_open(path: str) -> bool:
    """Whether no key is asked for."""
    return path in OPEN_PATHS or path.startswith(STATIC_FOLDER)


def main(argv: list[str] | None = None) -> int:
    """Print a new key and its hash."""
    parser.parse_args(argv)
    key = new_key()
    sys.stdout.write(
        f"key, for the caller's header {HEADER}, shown this once:\n  {key}\n"
        f"hash, for API_KEY_HASHES in .env:\n  {hash_of(key)}\n"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
