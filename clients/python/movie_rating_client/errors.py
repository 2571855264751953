"""The errors that the client raises."""

from dataclasses import dataclass
from typing import Any

import httpx


@dataclass(frozen=True)
class FieldError:
    """A field with an invalid value: its name, a stable code, and a sentence for people."""

    field: str
    code: str
    message: str


class ApiError(Exception):
    """The API answered with a problem (RFC 9457).

    Attributes:
        status: The HTTP status.
        type: The kind of problem: the path of a page of the API that explains it.
        detail: What went wrong, in a sentence.
        errors: The invalid fields; empty for other problems.
        request_id: The id of the request in the log of the service.
    """

    def __init__(self, response: httpx.Response) -> None:
        """Read the problem from a response."""
        problem = _problem_of(response)
        self.status = response.status_code
        self.type = str(problem.get("type", "about:blank"))
        self.detail = str(problem.get("detail", f"HTTP {response.status_code}"))
        self.errors = [_field_error(each) for each in problem.get("errors", [])]
        self.request_id = response.headers.get("x-request-id")
        super().__init__(self.detail)


class InvalidInputError(ApiError, ValueError):
    """The API cannot use the input; `errors` names each field to change."""


def error_from(response: httpx.Response) -> ApiError:
    """Return the error for a response with an error status."""
    kind = (
        InvalidInputError if response.status_code == httpx.codes.UNPROCESSABLE_ENTITY else ApiError
    )
    return kind(response)


def _problem_of(response: httpx.Response) -> dict[str, Any]:
    """Return the problem in a response; empty if a proxy answered, which sends none."""
    try:
        problem = response.json()
    except ValueError:
        return {}
    return problem if isinstance(problem, dict) else {}


def _field_error(error: dict[str, Any]) -> FieldError:
    return FieldError(str(error["field"]), str(error.get("code", "")), str(error["message"]))
