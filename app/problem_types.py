"""The kinds of problems that the API reports: each has a URI, a title, and a page for people."""

from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

PAGES: Final = "/problems"  # the path under which the API serves the pages


@dataclass(frozen=True)
class ProblemType:
    """A kind of problem.

    Attributes:
        name: The last part of its URI, which never changes.
        title: The kind of problem, in a few words.
        cause: When this problem occurs.
        remedy: What the caller can do about it.
    """

    name: str
    title: str
    cause: str
    remedy: str

    @property
    def uri(self) -> str:
        """The `type` of a problem: the path of the page that explains it."""
        return f"{PAGES}/{self.name}"


PROBLEM_TYPES: Final = {
    HTTPStatus.BAD_REQUEST: ProblemType(
        "bad-request",
        "The request is not valid HTTP",
        "The server could not read the request, for example because a header is malformed.",
        "Use an HTTP library, and send the request again without changes made by hand.",
    ),
    HTTPStatus.UNAUTHORIZED: ProblemType(
        "unknown-key",
        "The request has no valid API key",
        "This service answers only callers that it knows.",
        "Send your key in the header X-API-Key. The operator of the service issues keys.",
    ),
    HTTPStatus.NOT_FOUND: ProblemType(
        "not-found",
        "There is nothing at this address",
        "The API has no such path, or the model in service has no such data.",
        "Compare the path with the list at /docs. The detail says what is missing.",
    ),
    HTTPStatus.METHOD_NOT_ALLOWED: ProblemType(
        "wrong-method",
        "The path does not accept this method",
        "The path exists, but not for this method, for example DELETE.",
        "Use one of the methods in the header Allow of the answer.",
    ),
    HTTPStatus.CONFLICT: ProblemType(
        "other-films",
        "The film catalogue has other films than the model",
        "A film's id belongs to one source of films, such as TMDB, or invented films. The model in "
        "service has learned from films of another source than the one of the film catalogue, so "
        "facts from the catalogue would say nothing to it.",
        "Send the facts about the film yourself, without tmdb_id. The operator of the service "
        "should publish a catalogue of the model's films: run the pipeline with the settings of "
        "these films.",
    ),
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: ProblemType(
        "too-large",
        "The request is too large",
        "The body of the request is above the size that the detail states. A body that is "
        "compressed with gzip counts with its size after decompression.",
        "Send fewer films in a request, or shorter plots.",
    ),
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE: ProblemType(
        "wrong-content-type",
        "The body has a form that the API does not read",
        "The header Content-Type is missing or does not say JSON, or the header Content-Encoding "
        "names another compression than gzip.",
        "Send JSON with the header `Content-Type: application/json`; most HTTP libraries do this "
        "if you give them an object. Send the body as it is, or compressed with gzip and the "
        "header `Content-Encoding: gzip`.",
    ),
    HTTPStatus.UNPROCESSABLE_ENTITY: ProblemType(
        "invalid-input",
        "The input is invalid",
        "One or more fields of the request have a value that the API cannot use. The list "
        "`errors` names each of them, with a sentence for people and a code for programs.",
        "Change the fields in `errors`, and send the request again.",
    ),
    HTTPStatus.TOO_MANY_REQUESTS: ProblemType(
        "too-many-requests",
        "Too many requests",
        "You have sent more requests than this service allows each caller.",
        "Wait for the number of seconds in the header Retry-After, and send the request again.",
    ),
    HTTPStatus.INTERNAL_SERVER_ERROR: ProblemType(
        "internal-error",
        "The service failed",
        "The request met a fault of this service. The fault is in the log of the service.",
        "Send the request again later. If it fails again, report the X-Request-ID of the answer "
        "to the operator.",
    ),
    HTTPStatus.SERVICE_UNAVAILABLE: ProblemType(
        "not-ready",
        "The service cannot answer now",
        "The service has no verified model yet, could not read its data yet, or is shutting down.",
        "Send the request again after some seconds.",
    ),
}
