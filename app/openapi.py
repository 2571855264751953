"""Complete the OpenAPI description that FastAPI generates, so that generators make good clients."""

import json
from collections.abc import Iterator
from typing import Any, Final

from fastapi import FastAPI
from fastapi.routing import APIRoute

SERVERS: Final = [{"url": "/", "description": "The service that this description comes from."}]
CONTACT: Final = {"name": "The operator of this service"}
LICENSE: Final = {"name": "MIT", "identifier": "MIT"}
TAGS: Final = [
    {"name": "forecast", "description": "Forecast the rating of films."},
    {"name": "films", "description": "Find films in the catalogue, by title or by id."},
    {"name": "names", "description": "Find names that the model knows."},
    {"name": "model", "description": "The model in service, its errors and its history."},
    {"name": "ledger", "description": "Recorded forecasts of upcoming films, and their errors."},
    {"name": "health", "description": "For load balancers and monitoring."},
]

LIMITS: Final = ("RateLimit", "RateLimit-Policy")  # in each response of a limited service
_HEADERS: Final = {
    "X-Request-ID": "Id of the request in the log of the service; quote it if you report a fault.",
    "ETag": "Send it in `If-None-Match` to get status 304 if the response has not changed.",
    "Link": 'The next page of the list (`rel="next"`), or the page about a deprecated route.',
    "Retry-After": "Seconds to wait before the next request.",
    "RateLimit": "Requests left, if the service limits them (draft of the IETF).",
    "RateLimit-Policy": "The limit itself, if the service has one (draft of the IETF).",
    "Deprecation": "Since when the route is deprecated, in seconds since 1970 (RFC 9745).",
    "Sunset": "When the route may be switched off (RFC 8594).",
}


def operation_id(route: APIRoute) -> str:
    """Return the name of the function that a generator makes for a route."""
    is_old_path = not route.path.startswith("/v1") and f"/v1{route.path}" in _OLD_AND_NEW
    return f"{route.name}_unversioned" if is_old_path else route.name


# The routes that the description shows twice: with `/v1`, and without it.
_OLD_AND_NEW: Final = frozenset({"/v1/predict"})


def complete(app: FastAPI) -> None:
    """Let the application serve the completed description instead of FastAPI's own."""
    generate = app.openapi

    def completed() -> dict[str, Any]:
        if app.openapi_schema is None:
            _complete(generate())
        assert app.openapi_schema  # noqa: S101 - `generate` has set it
        return app.openapi_schema

    app.openapi = completed  # type: ignore[method-assign]


def _complete(description: dict[str, Any]) -> None:
    # Routes that need a key say so themselves; for all others, this says that they need none.
    description["security"] = []
    description["components"]["headers"] = {
        name: {"description": text, "schema": {"type": "string"}} for name, text in _HEADERS.items()
    }
    for operation in _operations(description):
        _add_headers(operation)
    for schema in description["components"]["schemas"].values():
        _leave_out_empty_defaults(schema)
    _leave_out_unused_schemas(description)


def _operations(description: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for methods in description["paths"].values():
        yield from methods.values()


def _add_headers(operation: dict[str, Any]) -> None:
    """Add the headers that each response has, by rules which hold for all routes."""
    parameters = {each["name"] for each in operation.get("parameters", [])}
    for status, response in operation["responses"].items():
        names = ["X-Request-ID"]
        if "429" in operation["responses"]:
            names += LIMITS
        if "304" in operation["responses"] and status in {"200", "304"}:
            names.append("ETag")
        if status == "200" and "offset" in parameters:
            names.append("Link")
        if status == "200" and operation.get("deprecated"):
            names += ["Deprecation", "Sunset", "Link"]
        if status in {"429", "503"}:
            names.append("Retry-After")
        response["headers"] = {
            name: {"$ref": f"#/components/headers/{name}"} for name in names
        } | response.get("headers", {})


def _leave_out_empty_defaults(schema: dict[str, Any]) -> None:
    """Remove the default of optional lists: generators take a default for a required field."""
    for field in schema.get("properties", {}).values():
        if field.get("default") == []:
            del field["default"]


def _leave_out_unused_schemas(description: dict[str, Any]) -> None:
    """Remove schemas that nothing refers to: a field with a schema of its own leaves its type's."""
    schemas, text = description["components"]["schemas"], json.dumps(description)
    for name in [each for each in schemas if f'"#/components/schemas/{each}"' not in text]:
        del schemas[name]
