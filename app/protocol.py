"""Answer requests that are not valid HTTP: uvicorn refuses them before the application."""

import uuid
from http import HTTPStatus
from typing import Final

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from app.middleware.security_headers import headers_for
from app.middleware.telemetry import HEADER
from app.problems import problem_response

_DETAIL: Final = "this is not a valid HTTP request; send it with an HTTP library"
_ANSWERABLE: Final = (h11.IDLE, h11.SEND_RESPONSE)


class Protocol(H11Protocol):
    """Uvicorn's HTTP protocol, with an error response in the form of all others."""

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 - uvicorn's own text
        """Answer with a problem document, and close the connection."""
        if self.conn.our_state in _ANSWERABLE:  # otherwise another response has begun
            answer = problem_response(HTTPStatus.BAD_REQUEST, _DETAIL)
            headers = [
                *answer.raw_headers,
                *headers_for("", self.scheme == "https"),
                (HEADER.lower().encode(), uuid.uuid4().hex.encode()),
                (b"connection", b"close"),
            ]
            head = h11.Response(status_code=answer.status_code, headers=headers)
            for event in (head, h11.Data(data=bytes(answer.body)), h11.EndOfMessage()):
                self.transport.write(self.conn.send(event) or b"")
        self.transport.close()
