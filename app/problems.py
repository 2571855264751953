"""Error responses in the standard JSON form "problem details" (RFC 9457)."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Annotated, Any, Final

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.routing import Match

from app.field_errors import described
from app.problem_types import PROBLEM_TYPES
from movierating.catalogue.films import CatalogueError

MEDIA_TYPE: Final = "application/problem+json"
MAX_FIELDS: Final = 50  # invalid fields in one response; each is longer than what was sent
JSON_HEADER: Final = "Content-Type: application/json"
_TRY_AGAIN: Final = {"Retry-After": "5"}  # seconds; a model or data are usually there by then


class FieldProblem(BaseModel):
    """A field of the request, and why its value is invalid."""

    field: Annotated[str, Field(examples=["runtime"])]
    code: Annotated[
        str,
        Field(
            description="What is wrong, for programs; `/problems/invalid-input` lists the codes. "
            "The message may change, the code does not.",
            examples=["too_small"],
        ),
    ]
    message: Annotated[str, Field(examples=["must be greater than 0"])]


class Problem(BaseModel):
    """An error in the form of RFC 9457."""

    type: Annotated[
        str,
        Field(
            description="The kind of problem: the path of a page of this service that explains it.",
            examples=["/problems/invalid-input"],
        ),
    ]
    title: str
    status: int
    detail: str
    errors: Annotated[
        list[FieldProblem],
        Field(description="The invalid fields, at most 50; empty for other problems."),
    ] = []


class NoModelError(RuntimeError):
    """The service cannot forecast now: it has no verified model, or it is shutting down."""


class UnreadableBodyError(ValueError):
    """The body of the request could not be decoded.

    Attributes:
        code: The code of the error, from `app.field_errors.CODES`.
    """

    def __init__(self, code: str, message: str) -> None:
        """Keep the code and the sentence for the caller."""
        super().__init__(message)
        self.code = code


def documented(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Build the OpenAPI `responses` of a route that can return these HTTP error statuses."""
    content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {
        status: {"description": HTTPStatus(status).phrase, "model": Problem, "content": content}
        for status in statuses
    }


BAD_INPUT: Final = documented(HTTPStatus.UNPROCESSABLE_ENTITY)
NOT_FOUND: Final = documented(HTTPStatus.NOT_FOUND)
CONFLICT: Final = documented(HTTPStatus.CONFLICT)
UNAVAILABLE: Final = documented(HTTPStatus.SERVICE_UNAVAILABLE)


def install(app: FastAPI) -> None:
    """Register the handlers that turn the application's errors into problem responses."""
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(NoModelError, _unavailable)
    app.add_exception_handler(CatalogueError, _unavailable)


def problem(status: int, detail: str, errors: list[FieldProblem] | None = None) -> Problem:
    """Build the problem for an HTTP status."""
    kind = PROBLEM_TYPES.get(HTTPStatus(status))
    return Problem(
        type=kind.uri if kind else "about:blank",
        title=kind.title if kind else HTTPStatus(status).phrase,
        status=status,
        detail=detail,
        errors=errors or [],
    )


def invalid(errors: Sequence[Any]) -> Problem:
    """Build the problem for invalid input; it never repeats what the caller sent.

    Args:
        errors: The errors as pydantic lists them; each `loc` begins with the source of the input,
            such as `body`.
    """
    return _invalid_fields([_field_problem(each) for each in errors])


def problem_response(
    status: int, detail: str, headers: Mapping[str, str] | None = None
) -> JSONResponse:
    """Build the response that carries a problem."""
    return _response(problem(status, detail), headers)


def unsupported_body(detail: str) -> JSONResponse:
    """Build the response with status 415, whose headers say what the API accepts."""
    accepted = {"Accept": "application/json", "Accept-Encoding": "gzip, identity"}
    return problem_response(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, detail, accepted)


def unexpected() -> JSONResponse:
    """Build the response with status 500, for an error without a handler."""
    return problem_response(
        HTTPStatus.INTERNAL_SERVER_ERROR, "an internal error occurred; see the log of the service"
    )


def _response(body: Problem, headers: Mapping[str, str] | None = None) -> JSONResponse:
    if body.status == HTTPStatus.SERVICE_UNAVAILABLE:
        headers = _TRY_AGAIN | dict(headers or {})
    return JSONResponse(body.model_dump(), body.status, headers, MEDIA_TYPE)


async def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for this class alone
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        return _wrong_method(request)
    if error.status_code == HTTPStatus.BAD_REQUEST:  # FastAPI could not decode the body
        return _response(_invalid_fields([_unreadable_body(error.__cause__)]))
    detail = str(error.detail)
    if detail == HTTPStatus.NOT_FOUND.phrase:  # the router has raised it, not a route
        detail = "this API has no such path; /docs lists all paths"
    return problem_response(error.status_code, detail, error.headers)


def _wrong_method(request: Request) -> Response:
    """Name the methods that a path accepts; to OPTIONS, this is the answer and no problem."""
    allowed = ", ".join(sorted(_methods_of(request)))
    headers = {"Allow": allowed}
    if request.method == "OPTIONS":
        return Response(status_code=HTTPStatus.NO_CONTENT, headers=headers)
    detail = f"this path accepts only {allowed}"
    return problem_response(HTTPStatus.METHOD_NOT_ALLOWED, detail, headers)


def _methods_of(request: Request) -> set[str]:
    """Return the methods of all routes with the path; Starlette names those of the first alone."""
    found: set[str] = set()
    for route in request.app.routes:
        match, _ = route.matches(request.scope)
        if match is not Match.NONE:
            found |= route.methods
    found = found or {"GET"}  # a file of the documentation, which is no route of its own
    return found | {"OPTIONS"} | ({"HEAD"} if "GET" in found else set())


async def _invalid(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)  # noqa: S101 - registered for this class alone
    if isinstance(error.body, bytes):  # FastAPI parses a body only if it is announced as JSON
        announced = "content-type" in request.headers
        problem = "does not say JSON" if announced else "is missing"
        return unsupported_body(f"the header Content-Type {problem}; send `{JSON_HEADER}`")
    return _response(invalid(error.errors()))


def _invalid_fields(fields: list[FieldProblem]) -> Problem:
    detail = "; ".join(f"{each.field}: {each.message}" for each in fields[:MAX_FIELDS])
    if len(fields) > MAX_FIELDS:
        detail += f"; and {len(fields) - MAX_FIELDS} more"
    return problem(HTTPStatus.UNPROCESSABLE_ENTITY, detail, fields[:MAX_FIELDS])


def _field_problem(error: dict[str, Any]) -> FieldProblem:
    if error["type"] == "json_invalid":  # its `loc` is a position in the text, not a field
        message = f"this is not JSON; the first error is at character {error['loc'][-1] + 1}"
        return FieldProblem(field="body", code="not_json", message=message)
    place = error["loc"][1:] or error["loc"]
    code, message = described(error)
    return FieldProblem(field=".".join(map(str, place)), code=code, message=message)


def _unreadable_body(cause: BaseException | None) -> FieldProblem:
    """Say why a body could not be decoded. FastAPI's error does not say it, but its cause does."""
    code, message = "not_json", "this is not JSON"
    if isinstance(cause, UnreadableBodyError):
        code, message = cause.code, str(cause)
    elif isinstance(cause, RecursionError):
        code, message = "too_deep", "too many lists or objects are inside each other"
    elif isinstance(cause, UnicodeDecodeError):
        code, message = "not_utf8", "this is not text in UTF-8"
    elif isinstance(cause, ValueError):  # Python reads no integer of more than 4300 digits
        code, message = "too_long", "a number has too many digits"
    return FieldProblem(field="body", code=code, message=message)


async def _unavailable(_: Request, error: Exception) -> JSONResponse:
    return problem_response(HTTPStatus.SERVICE_UNAVAILABLE, str(error))
