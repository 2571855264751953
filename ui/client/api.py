"""The HTTP client with which the UI calls the API. It reports every failure as an `ApiError`."""

import logging
import math
import os
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from threading import Timer
from typing import Any, Final, TypeVar
from urllib.parse import urlencode

import requests

from ui.client import recent
from ui.client.proxies import is_local
from ui.client.visitor import consent_to_translation, forwarded_for

logger = logging.getLogger("page")

DEFAULT_URL: Final = "http://127.0.0.1:8000"
# The read timeout must be longer than the API's own time limit for a translation, because the API
# still returns a forecast when the translation fails.
CONNECT_AND_READ_SECONDS: Final = (3, 15)
NOT_FOUND: Final = 404
REFUSED: Final = 422
_HEADER: Final = re.compile(r"[ -~]+")  # the characters that an HTTP header may contain
_LIMIT: Final = re.compile(r";r=(?P<room>\d{1,9});t=(?P<seconds>\d{1,9})")
# For these paths the API needs data from S3 and no model. So status 503 means that it could not
# read the data, not that it has no model.
_BUCKET_PATHS: Final = frozenset({"films", "forecasts", "track-record", "history"})

# Facts about a film by field name, as in the body of `POST /predict`.
Facts = dict[str, Any]
# Query parameters of a request; one with several values is sent once for each value.
Params = Mapping[str, str | Sequence[str]]
Parsed = TypeVar("Parsed")


class ApiError(Exception):
    """A request to the API has failed.

    Either the API sent an error, or no response arrived, or the UI cannot read the response.

    Attributes:
        kind: The reason, such as "slow". The section `[problem]` in `en.toml` has a text for it.
        detail: The API's own explanation of the error.
        errors: Pairs of a field's name and a description of the problem with the field's value.
        status: The HTTP status of the response; None if no response arrived.
        room: How many more requests the API would take now, if it limits them; otherwise 0.
        wait_seconds: After how many seconds the API takes more; 0 if it does not say.
    """

    def __init__(
        self,
        kind: str,
        detail: str = "",
        errors: Iterable[tuple[str, str]] = (),
        status: int | None = None,
    ) -> None:
        super().__init__(kind, detail)
        self.kind, self.detail, self.errors, self.status = kind, detail, list(errors), status
        self.room = self.wait_seconds = 0


def parse_names(body: Any) -> list[str]:
    """Return the names of people, companies or film series in the API's response to `/people`."""
    return [str(name) for name in body["names"]]


def finite(value: Any) -> float:
    """Convert a JSON value to a finite number, because the UI cannot show NaN or infinity.

    Raises:
        ValueError: The value is not a number, or it is NaN or infinite.
    """
    if math.isfinite(number := float(value)):
        return number
    raise ValueError(f"{number} cannot be shown")


def fetch(
    parse: Callable[[Any], Parsed],
    path: str,
    facts: Facts | None = None,
    params: Params | None = None,
    fresh: bool = False,
) -> Parsed:
    """Send a request to the API, and convert the JSON response to a Python object.

    If the API has allowed to keep an earlier response to the same GET request, no request is sent.

    Args:
        parse: A function that converts the decoded JSON to the object.
        path: The path of the request, such as `/predict`.
        facts: The JSON body of a POST request. If it is None, a GET request is sent.
        params: The query parameters.
        fresh: Whether to send the request in any case.

    Raises:
        ApiError: No response arrived, or the API sent an error, or `parse` cannot read the
            response.
    """
    response = _response(path, facts, params, fresh)
    try:
        return parse(response.json())
    except (AttributeError, KeyError, TypeError, ValueError, OverflowError) as error:
        # A proxy or an API of another version may send JSON with any content.
        logger.warning("cannot read the response to %s: %s", path, type(error).__name__)
        raise ApiError("unexpected") from None


def fetch_text(path: str, params: dict[str, str] | None = None) -> str:
    """Send a GET request to the API, and return the body of the response as text.

    Raises:
        ApiError: No response arrived, or the API sent an error.
    """
    return _request(path, params=params).text


def _response(
    path: str, facts: Facts | None, params: Params | None, fresh: bool
) -> requests.Response:
    if facts is not None:
        return _request(path, facts, {**consent_to_translation(), **(params or {})})
    address = f"{_url(path)}?{urlencode(params or {}, doseq=True)}"
    known = None if fresh else recent.kept(address)
    if known is not None:
        return known
    response = _request(path, None, params)
    recent.keep(address, response)
    return response


def _url(path: str) -> str:
    return (_variable("API_URL") or DEFAULT_URL).rstrip("/") + path


def _request(
    path: str, facts: Facts | None = None, params: Params | None = None
) -> requests.Response:
    url = _url(path)
    method = "GET" if facts is None else "POST"
    try:
        with requests.Session() as session:
            session.trust_env = not is_local(url)  # otherwise the variables may name a proxy
            response = session.request(
                method,
                url,
                json=facts,
                params=params,
                headers=_key_header() | forwarded_for(),
                timeout=CONNECT_AND_READ_SECONDS,
                stream=True,
            )
            _read(response)
    except requests.RequestException as error:
        # Log only the type: the message may contain the URL, and the URL a password.
        logger.warning("no response to %s: %s", path, type(error).__name__)
        kind = "slow" if isinstance(error, requests.Timeout) else "away"
        raise ApiError(kind) from None
    if not response.ok:
        raise _error_from(path, response)
    return response


def _key_header() -> dict[str, str]:
    key = _variable("API_KEY")
    if not key:
        return {}
    if not _HEADER.fullmatch(key):
        logger.warning("API_KEY holds characters that no key has; copy it again")
        raise ApiError("key")
    return {"X-API-Key": key}


def _variable(name: str) -> str:
    """Return an environment variable without the space or quotes around its value.

    `movierating.settings`, which the UI must not import, reads the other settings in this way.
    """
    value = os.environ.get(name, "").strip("\ufeff \t\r\n")
    quotes = {value[:1], value[-1:]}
    return value[1:-1] if len(value) > 1 and quotes in ({'"'}, {"'"}) else value


def _read(response: requests.Response) -> None:
    """Read the body of a response; end the read if the body arrives too slowly.

    The timeout of requests only limits the time between two pieces of the body.
    """
    limit = Timer(CONNECT_AND_READ_SECONDS[1], response.raw.shutdown)
    limit.start()
    try:
        _ = response.content
    finally:
        limit.cancel()


def _error_from(path: str, response: requests.Response) -> ApiError:
    """Convert an error response to an `ApiError`.

    The API explains its errors in JSON, as RFC 9457 defines. If a proxy in front of the API sends
    the error, there is no such explanation. The `ApiError` then has only the HTTP status.
    """
    first = path.split("/")[1].partition(".")[0]  # `films` in `/films/7`
    unready = "unread" if first in _BUCKET_PATHS else "no_model"
    kinds = {503: unready, 422: "refused", 429: "busy", 401: "key"}
    kind = kinds.get(response.status_code, "unexpected")
    try:
        body = response.json()
        listed = [(str(each["field"]), str(each["message"])) for each in body["errors"]]
        error = ApiError(kind, str(body["detail"]), listed, response.status_code)
    except (KeyError, TypeError, ValueError):
        error = ApiError(kind, f"HTTP {response.status_code}", status=response.status_code)
    # The header says "r", the room that is left, and "t", the seconds until there is more.
    limit = _LIMIT.search(response.headers.get("RateLimit", ""))
    wait = response.headers.get("Retry-After", "")
    if limit:
        error.room, error.wait_seconds = int(limit["room"]), int(limit["seconds"])
    elif wait.isdecimal():
        error.wait_seconds = int(wait)
    return error
