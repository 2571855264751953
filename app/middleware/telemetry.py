"""Middleware that gives each request an id, counts it, and logs it in one line."""

import logging
import re
import time
import uuid
from typing import Any, Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.draining import Draining
from app.logs import REQUEST_ID
from app.metrics import Metrics
from app.problems import unexpected

logger = logging.getLogger(__name__)

HEADER: Final = "X-Request-ID"
UNROUTED: Final = "none"  # middleware refused the request, or no route has its path
_HEADER: Final = HEADER.lower().encode()
# The caller chooses this text and the log contains it, so only harmless characters are allowed.
_SAFE_ID: Final = re.compile(rb"[0-9A-Za-z._-]{1,64}")
# While the service shuts down, clients must connect again, to another replica.
_CLOSE: Final = (b"connection", b"close")


class Telemetry:
    """Counts and logs all requests; logs unexpected errors and answers them with status 500."""

    def __init__(self, app: ASGIApp, metrics: Metrics, draining: Draining) -> None:
        """Count and log the requests to `app`."""
        self._app = app
        self._metrics = metrics
        self._draining = draining

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on; count and log it after its response."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started, status, request_id = time.perf_counter(), 0, _request_id(scope)
        added = [(_HEADER, request_id.encode())]
        REQUEST_ID.set(request_id)

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] += [*added, _CLOSE] if self._draining.has_begun else added
            await send(message)

        try:
            await self._app(scope, receive, send_with_id)
        except Exception:
            logger.exception("a request failed unexpectedly")
            if not status:  # otherwise the response has already begun
                await unexpected()(scope, receive, send_with_id)
        finally:
            self._record(scope, status, time.perf_counter() - started)

    def _record(self, scope: Scope, status: int, seconds: float) -> None:
        route = getattr(scope.get("route"), "path", UNROUTED)
        self._metrics.count_request(scope["method"], route, status, seconds)
        facts: dict[str, Any] = {
            "method": scope["method"],
            "route": route,
            "status": status,
            "milliseconds": round(seconds * 1000, 2),
            "model_version": scope.get("state", {}).get("version"),
        }
        logger.info("request", extra={"facts": facts})


def _request_id(scope: Scope) -> str:
    """Return the request id that the caller sent if it is safe to log, otherwise a new one."""
    for name, value in scope["headers"]:
        if name == _HEADER and _SAFE_ID.fullmatch(value):
            return str(value, "ascii")
    return uuid.uuid4().hex
