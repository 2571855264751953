"""Error responses in the standard JSON form "problem details" (RFC 9457)."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any, Final

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from starlette.exceptions import HTTPException

MEDIA_TYPE: Final = "application/problem+json"
_NOT_JSON: Final = {"type": "json_invalid", "loc": ("body",), "msg": ""}


class FieldProblem(BaseModel):
    """A field of the request, and why its value is invalid."""

    field: str
    message: str


class Problem(BaseModel):
    """An error in the form of RFC 9457."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    errors: list[FieldProblem] = []


class NoModelError(RuntimeError):
    """The service cannot forecast now: it has no verified model, or it is shutting down."""


def documented(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Build the OpenAPI `responses` of a route that can return these HTTP error statuses."""
    content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {
        status: {"description": HTTPStatus(status).phrase, "model": Problem, "content": content}
        for status in statuses
    }


BAD_INPUT: Final = documented(HTTPStatus.UNPROCESSABLE_ENTITY)
NOT_FOUND: Final = documented(HTTPStatus.NOT_FOUND)
UNAVAILABLE: Final = documented(HTTPStatus.SERVICE_UNAVAILABLE)


def install(app: FastAPI) -> None:
    """Register the handlers that turn the application's errors into problem responses."""
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(NoModelError, _no_model)


def problem(status: int, detail: str, errors: list[FieldProblem] | None = None) -> Problem:
    """Build the problem for an HTTP status; its title is the standard phrase for that status."""
    title = HTTPStatus(status).phrase
    return Problem(title=title, status=status, detail=detail, errors=errors or [])


def invalid(errors: Sequence[Any]) -> Problem:
    """Build the problem for invalid input; it never repeats what the caller sent.

    Args:
        errors: The errors as pydantic lists them; each `loc` begins with the source of the input,
            such as `body`.
    """
    fields = [_field_problem(each) for each in errors]
    detail = "; ".join(f"{each.field}: {each.message}" for each in fields)
    return problem(HTTPStatus.UNPROCESSABLE_ENTITY, detail, fields)


def problem_response(
    status: int, detail: str, headers: Mapping[str, str] | None = None
) -> JSONResponse:
    """Build the response that carries a problem."""
    return _response(problem(status, detail), headers)


def unexpected() -> JSONResponse:
    """Build the response with status 500, for an error without a handler."""
    return problem_response(
        HTTPStatus.INTERNAL_SERVER_ERROR, "an internal error occurred; see the log of the service"
    )


def _response(body: Problem, headers: Mapping[str, str] | None = None) -> JSONResponse:
    return JSONResponse(body.model_dump(), body.status, headers, MEDIA_TYPE)


async def _http(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for this class alone
    if error.status_code == HTTPStatus.BAD_REQUEST:  # FastAPI could not decode the body
        return _response(invalid([_NOT_JSON]))
    return problem_response(error.status_code, str(error.detail), error.headers)


async def _invalid(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)  # noqa: S101 - registered for this class alone
    return _response(invalid(error.errors()))


def _field_problem(error: dict[str, Any]) -> FieldProblem:
    if error["type"] == "json_invalid":  # its `loc` is a position in the text, not a field
        return FieldProblem(field="body", message="this is not JSON")
    place = error["loc"][1:] or error["loc"]
    return FieldProblem(
        field=".".join(map(str, place)), message=error["msg"].removeprefix("Value error, ")
    )


async def _no_model(_: Request, error: Exception) -> JSONResponse:
    return problem_response(HTTPStatus.SERVICE_UNAVAILABLE, str(error))
