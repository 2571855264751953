"""Faults: errors that the TMDB stand-in (a local imitation of TMDB) makes on purpose.

Tests switch them on. A middleware then puts them into the stand-in's responses.
"""

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal, Self, cast

import orjson
from pydantic import BaseModel, ConfigDict, Field, model_validator
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sandbox.tmdb import errors
from sandbox.tmdb.errors import Status
from sandbox.tmdb.stats import Stats

PREFIX = "/3"
FAULT_LIMIT = 40

Kind = Literal[
    "429",
    "429_retry_after",
    "400",
    "401",
    "404",
    "404_6",
    "500",
    "503",
    "slow",
    "cut",
    "truncated",
    "not_json",
    "missing_field",
    "wrong_type",
    "null",
]
ERRORS: dict[str, Status] = {
    "400": errors.BAD_INPUT,
    "401": errors.INVALID_KEY,
    "404": errors.NOT_FOUND,
    "404_6": errors.INVALID_ID,
    "500": errors.INTERNAL_ERROR,
    "503": errors.OFFLINE,
}


class Fault(BaseModel):
    """One kind of fault, and which responses of the TMDB stand-in get it.

    Attributes:
        kind: The kind of fault. For "cut", the connection is closed in the middle of the body. For
            "truncated", only half of the body is sent. But its stated length matches, so that the
            response looks complete.
        share: The fraction of responses that get the fault, from 0 to 1. They are chosen at random.
        first: If given, only the next `first` responses get the fault, and `share` is not used.
        after: How many responses are sent without the fault before it begins.
        path: Only responses to requests whose path starts with this text get the fault.
        exact: Whether the path of the request must be exactly `path`.
        seconds: For "slow", the delay of the response. For "429_retry_after", the value of the
            header `Retry-After`.
        field: The JSON field that is changed: "missing_field" removes it, "wrong_type" gives it a
            value of another type, and "null" sets it to null. If the response contains a list, the
            field is changed in the entries of the list.
        entries: In how many entries of the list the field is changed, from the first one on. By
            default, in all entries.
    """

    model_config = ConfigDict(extra="forbid")

    kind: Kind
    share: float = Field(default=1.0, ge=0.0, le=1.0)
    first: int | None = Field(default=None, ge=1)
    after: int = Field(default=0, ge=0)
    path: str = PREFIX
    exact: bool = False
    seconds: float = Field(default=1.0, ge=0.0)
    field: str = "runtime"
    entries: int | None = Field(default=None, ge=1)

    @model_validator(mode="after")
    def _share_or_first(self) -> Self:
        if {"share", "first"} <= self.model_fields_set:
            raise ValueError("give share or first, not both")
        return self


@dataclass
class FaultPlan:
    """The faults that are switched on, and the random choice of the responses that get them.

    With the same seed, the same responses are chosen every time, so that a test can be repeated.
    """

    faults: list[Fault] = field(default_factory=list)
    seed: int = 0

    def __post_init__(self) -> None:
        """Create the random generator from the seed, and the counters of each fault.

        The counters say how many responses are still sent without the fault, and how many with it.
        """
        self._random = random.Random(self.seed)  # noqa: S311 - must be repeatable
        self._left = [fault.first for fault in self.faults]
        self._before = [fault.after for fault in self.faults]

    def draw(self, path: str) -> Fault | None:
        """Choose the fault for the next response to a request with this path.

        If several faults apply, the first one in the list is used. The result is None if the
        response gets no fault.
        """
        for at, fault in enumerate(self.faults):
            reaches = path == fault.path if fault.exact else path.startswith(fault.path)
            if reaches and self._strikes(at, fault):
                return fault
        return None

    def _strikes(self, at: int, fault: Fault) -> bool:
        if self._before[at] > 0:
            self._before[at] -= 1
            return False
        left = self._left[at]
        if left is None:
            return self._random.random() < fault.share
        self._left[at] = max(0, left - 1)
        return left > 0


class Gate:
    """ASGI middleware that counts the requests to the TMDB stand-in's API.

    It also changes the responses that must get a fault.
    """

    def __init__(
        self, app: ASGIApp, plan: Callable[[], FaultPlan], stats: Callable[[], Stats]
    ) -> None:
        self.app = app
        self.plan = plan
        self.stats = stats

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Count a request, pass it to the API, and change the response if it must get a fault."""
        # The routes by which tests control the stand-in must work while faults are active.
        if scope["type"] != "http" or not scope["path"].startswith(f"{PREFIX}/"):
            await self.app(scope, receive, send)
            return
        stats = self.stats()
        stats.arrived(scope["path"].removeprefix(PREFIX))
        fault = self.plan().draw(scope["path"])
        if fault is None:
            await self.app(scope, receive, _counting(send, stats))
            return
        stats.faults[fault.kind] += 1
        answer = Answer()
        await self.app(_uncompressed(scope), receive, answer.collect)
        await _commit(fault, answer)
        stats.by_status[str(answer.status)] += 1
        await answer.send(send, cut=fault.kind == "cut")


@dataclass
class Answer:
    """A complete response, kept in memory so that a fault can change it before it is sent."""

    status: int = 200
    headers: dict[bytes, bytes] = field(default_factory=dict)
    body: bytes = b""

    async def collect(self, message: Message) -> None:
        """Store an ASGI message that the application sends: the start or a part of its response."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.headers = dict(message["headers"])
        else:
            self.body += message.get("body", b"")

    async def send(self, send: Send, *, cut: bool) -> None:
        """Send the stored response to the client.

        Args:
            send: The function that sends an ASGI message.
            cut: Whether to send only half of the body, although the header `Content-Length` gives
                the full length.
        """
        headers = self.headers | {b"content-length": str(len(self.body)).encode()}
        await send(
            {
                "type": "http.response.start",
                "status": self.status,
                "headers": list(headers.items()),
            }
        )
        body = self.body[: len(self.body) // 2] if cut else self.body
        # If the application returns after promising more body, the server closes the connection.
        await send({"type": "http.response.body", "body": body, "more_body": cut})

    def replace(self, error: Status) -> None:
        """Replace the stored response by one of TMDB's error responses."""
        self.status = error.http
        # ASGI requires lower-case header names.
        self.headers = {
            b"content-type": self.headers[b"content-type"],
            **{key.lower().encode(): text.encode() for key, text in error.headers.items()},
        }
        self.body = orjson.dumps(error.body())


async def _commit(fault: Fault, answer: Answer) -> None:
    match fault.kind:
        case "429":
            answer.replace(errors.rate_limited(FAULT_LIMIT, None))
        case "429_retry_after":
            wait = round(fault.seconds)
            answer.replace(errors.rate_limited(FAULT_LIMIT, wait))
        case "400" | "401" | "404" | "404_6" | "500" | "503":
            answer.replace(ERRORS[fault.kind])
        case "slow":
            await asyncio.sleep(fault.seconds)
        case "cut":
            pass
        case "truncated":
            answer.body = answer.body[: len(answer.body) // 2]
        case "not_json":
            answer.headers[b"content-type"] = b"text/html"
            answer.body = b"<html><body><h1>Bad gateway</h1></body></html>"
        case "missing_field" | "wrong_type" | "null":
            answer.body = _spoil_field(answer.body, fault)


def _spoil_field(body: bytes, fault: Fault) -> bytes:
    content = orjson.loads(body)
    spoilt = content.get("results", [content]) if isinstance(content, dict) else content
    for entry in spoilt[: fault.entries]:
        if fault.field not in entry:
            continue
        if fault.kind == "missing_field":
            del entry[fault.field]
        elif fault.kind == "null":
            entry[fault.field] = None
        else:
            entry[fault.field] = _of_another_type(entry[fault.field])
    return orjson.dumps(content)


def _of_another_type(value: object) -> object:
    """Return a value of a type that TMDB never uses for the field with the given value."""
    return ["unexpected"] if isinstance(value, int | float | str | None) else "unexpected"


def _uncompressed(scope: Scope) -> Scope:
    """Return the request without its header `Accept-Encoding`.

    Then the application does not compress the response, so that a fault can change its JSON.
    """
    headers = [each for each in scope["headers"] if each[0] != b"accept-encoding"]
    return {**scope, "headers": headers}


def _counting(send: Send, stats: Stats) -> Send:
    async def counted(message: Message) -> None:
        if message["type"] == "http.response.start":
            stats.by_status[str(cast(int, message["status"]))] += 1
        await send(message)

    return counted
