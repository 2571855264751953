"""The API's log: one JSON object per line, without any data that a caller sent."""

import json
import logging
import traceback
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any, Final

import orjson

REQUEST_ID: Final[ContextVar[str | None]] = ContextVar("request_id", default=None)


class JsonFormatter(logging.Formatter):
    """Formats log records as JSON, with the request id and the fields in `extra={"facts": {...}}`.

    For an exception, the line has its type and code locations but not its message. Some messages,
    such as pydantic's and KeyError's, repeat what a caller sent.
    """

    def format(self, record: logging.LogRecord) -> str:
        """Format one log record as one line of JSON."""
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
            line["exception"] = locations(error)
        try:
            return orjson.dumps(line, default=str).decode()
        except TypeError:  # orjson refuses lone surrogates, which are not valid Unicode
            return json.dumps(line, default=str)


def locations(error: BaseException | None) -> list[str]:
    """List the type and code locations of an exception, then those of its causes."""
    lines: list[str] = []
    while error is not None:
        frames = traceback.extract_tb(error.__traceback__)
        lines.append(type(error).__name__)
        lines += [f"{frame.filename}:{frame.lineno} in {frame.name}" for frame in frames]
        error = error.__cause__ or error.__context__
    return lines


def configure() -> None:
    """Send all logs, uvicorn's too, to standard error as JSON; switch off uvicorn's access log."""
    handler = logging.StreamHandler()
    handler.setFormatter(JsonFormatter())
    logging.basicConfig(level=logging.INFO, handlers=[handler])
    # Do not look up the calling code, thread and process: no line shows them, and finding them
    # takes half the time of a line. See "Optimization" in Python's logging HOWTO.
    logging._srcfile = None
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access"):
        logging.getLogger(name).handlers.clear()
    logging.getLogger("uvicorn").propagate = True
    logging.getLogger("uvicorn.access").propagate = False
