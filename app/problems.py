"""Errors as RFC 9457 problem details."""

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
    """What is wrong with one field."""

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
    """No verified model is in service."""


def install(app: FastAPI) -> None:
    """Let every error of the application leave as a problem."""
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(NoModelError, _no_model)


def documented(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The OpenAPI entries of the problems that a route can answer with."""
    content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {
        status: {"description": HTTPStatus(status).phrase, "model": Problem, "content": content}
        for status in statuses
    }


def problem(status: int, detail: str, errors: list[FieldProblem] | None = None) -> Problem:
    """The problem of a status."""
    title = HTTPStatus(status).phrase
    return Problem(title=title, status=status, detail=detail, errors=errors or [])


def invalid(errors: Sequence[Any]) -> Problem:
    """The problem of input with errors as pydantic tells them; what was sent is not repeated.

    The place of each begins with where the input came from, such as `body`.
    """
    fields = [_field_problem(each) for each in errors]
    detail = "; ".join(f"{each.field}: {each.message}" for each in fields)
    return problem(HTTPStatus.UNPROCESSABLE_ENTITY, detail, fields)


def answer(status: int, detail: str, headers: Mapping[str, str] | None = None) -> JSONResponse:
    """A problem as an answer."""
    return _sent(problem(status, detail), headers)


def unexpected() -> JSONResponse:
    """The answer where something broke that nobody thought of."""
    return answer(
        HTTPStatus.INTERNAL_SERVER_ERROR, "something broke here; the log of the service has it"
    )


def _sent(told: Problem, headers: Mapping[str, str] | None = None) -> JSONResponse:
    return JSONResponse(told.model_dump(), told.status, headers, MEDIA_TYPE)


async def _http(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for this class alone
    if error.status_code == HTTPStatus.BAD_REQUEST:  # FastAPI could not read the body at all
        return _sent(invalid([_NOT_JSON]))
    return answer(error.status_code, str(error.detail), error.headers)


async def _invalid(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)  # noqa: S101 - registered for this class alone
    return _sent(invalid(error.errors()))


def _field_problem(error: dict[str, Any]) -> FieldProblem:
    if error["type"] == "json_invalid":  # whose place is a position in the text
        return FieldProblem(field="body", message="this is not JSON")
    place = error["loc"][1:] or error["loc"]
    return FieldProblem(
        field=".".join(map(str, place)), message=error["msg"].removeprefix("Value error, ")
    )


async def _no_model(_: Request, error: Exception) -> JSONResponse:
    return answer(HTTPStatus.SERVICE_UNAVAILABLE, str(error))
