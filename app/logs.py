"""What the service writes: one JSON object a line, without what was sent to it."""

import json
import logging
import traceback
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any, Final

import orjson

REQUEST_ID: Final[ContextVar[str | None]] = ContextVar("request_id", default=None)


class JsonFormatter(logging.Formatter):
    """JSON lines with the request's id and, given as `extra={"facts": ...}`, more facts.

    Of an exception they tell types and places, not its message, which may repeat what was sent:
    pydantic's do, and so does that of a KeyError.
    """

    def format(self, record: logging.LogRecord) -> str:
        """One line."""
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        if request_id := REQUEST_ID.get():
            line["request_id"] = request_id
        line |= getattr(record, "facts", {})
        if record.exc_info and (error := record.exc_info[1]):
            line["exception"] = places(error)
        try:
            return orjson.dumps(line, default=str).decode()
        except TypeError:  # a lone surrogate, which is no letter
            return json.dumps(line, default=str)


def places(error: BaseException | None) -> list[str]:
    """The types of an exception and of those that led to it, each with where it was raised."""
    lines: list[str] = []
    while error is not None:
        frames = traceback.extract_tb(error.__traceback__)
        lines.append(type(error).__name__)
        lines += [f"{frame.filename}:{frame.lineno} in {frame.name}" for frame in frames]
        error = error.__cause__ or error.__context__
    return lines


def configure() -> None:
    """Write JSON lines to standard error, uvicorn's too; its own line for each request is off."""
    handler = logging.StreamHandler()
    handler.setFormatter(JsonFormatter())
    logging.basicConfig(level=logging.INFO, handlers=[handler])
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access"):
        logging.getLogger(name).handlers.clear()
    logging.getLogger("uvicorn").propagate = True
    logging.getLogger("uvicorn.access").propagate = False
