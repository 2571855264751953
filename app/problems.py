"""Errors as RFC 9457 problem details."""

from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from starlette.exceptions import HTTPException

MEDIA_TYPE = "application/problem+json"


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
    app.add_exception_handler(Exception, _unexpected)


def documented(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The OpenAPI entries of the problems that a route can answer with."""
    content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {
        status: {"description": HTTPStatus(status).phrase, "model": Problem, "content": content}
        for status in statuses
    }


def _answer(status: int, detail: str, errors: list[FieldProblem] | None = None) -> JSONResponse:
    problem = Problem(
        title=HTTPStatus(status).phrase, status=status, detail=detail, errors=errors or []
    )
    return JSONResponse(problem.model_dump(), status, media_type=MEDIA_TYPE)


async def _http(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for this class alone
    return _answer(error.status_code, str(error.detail))


async def _invalid(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)  # noqa: S101 - registered for this class alone
    # Only place and message: what was sent stays with the sender.
    errors = [_field_problem(each) for each in error.errors()]
    detail = "; ".join(f"{each.field}: {each.message}" for each in errors)
    return _answer(HTTPStatus.UNPROCESSABLE_ENTITY, detail, errors)


def _field_problem(error: dict[str, Any]) -> FieldProblem:
    if error["type"] == "json_invalid":  # whose place is a position in the text
        return FieldProblem(field="body", message="this is not JSON")
    place = error["loc"][1:] or error["loc"]
    return FieldProblem(
        field=".".join(map(str, place)), message=error["msg"].removeprefix("Value error, ")
    )


async def _no_model(_: Request, error: Exception) -> JSONResponse:
    return _answer(HTTPStatus.SERVICE_UNAVAILABLE, str(error))


async def _unexpected(_: Request, __: Exception) -> JSONResponse:
    return _answer(
        HTTPStatus.INTERNAL_SERVER_ERROR, "something broke here; the log of the service has it"
    )
