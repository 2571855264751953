"""The error responses that TMDB sends.

Each has an HTTP status, and another status code that TMDB has defined itself.
"""

from dataclasses import dataclass, field

TOO_MANY_REQUESTS = 429


@dataclass(frozen=True)
class Status:
    """One of TMDB's error responses.

    Attributes:
        http: The HTTP status.
        code: TMDB's own status code in the JSON body.
        message: TMDB's text for this code, such as "Invalid API key".
        headers: Additional HTTP headers of the response.
    """

    http: int
    code: int
    message: str
    headers: dict[str, str] = field(default_factory=dict)

    def body(self) -> dict[str, object]:
        """Return the JSON body of the error response.

        As in TMDB, it has a field `success`, except if the request was above the rate limit.
        """
        body: dict[str, object] = {"status_code": self.code, "status_message": self.message}
        return body if self.http == TOO_MANY_REQUESTS else {"success": False} | body


class TmdbError(Exception):
    """Raised when the TMDB stand-in must answer a request with one of TMDB's error responses."""

    def __init__(self, status: Status) -> None:
        super().__init__(status.message)
        self.status = status


INVALID_KEY = Status(401, 7, "Invalid API key: You must be granted a valid key.")
OFFLINE = Status(503, 9, "Service offline: This service is temporarily offline, try again later.")
INTERNAL_ERROR = Status(500, 11, "Internal error: Something went wrong, contact TMDB.")
BAD_DATE_RANGE = Status(422, 20, "Invalid date range: Should be a range no longer than 14 days.")
BAD_PAGE = Status(
    400, 22, "Invalid page: Pages start at 1 and max at 500. They are expected to be an integer."
)
BAD_DATE = Status(400, 23, "Invalid date: Format needs to be YYYY-MM-DD.")
INVALID_ID = Status(404, 6, "Invalid id: The pre-requisite id is invalid or not found.")
TOO_MANY_PARTS = Status(
    400, 27, "Too many append to response objects: The maximum number of remote calls is 20."
)
NOT_FOUND = Status(404, 34, "The resource you requested could not be found.")
BAD_INPUT = Status(400, 47, "The input is not valid.")


def rate_limited(limit: int, retry_after_seconds: int | None) -> Status:
    """Return the error response to a request above the rate limit.

    Args:
        limit: The allowed number of requests per second.
        retry_after_seconds: The value of the header `Retry-After`; None to omit this header.
    """
    headers = {} if retry_after_seconds is None else {"Retry-After": str(retry_after_seconds)}
    message = f"Your request count ({limit + 1}) is over the allowed limit of {limit}."
    return Status(TOO_MANY_REQUESTS, 25, message, headers)
