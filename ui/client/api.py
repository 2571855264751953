"""Asking the API, and saying why there is no answer."""

import logging
import math
import os
from collections.abc import Callable, Iterable
from typing import Any, Final, TypeVar

import requests

logger = logging.getLogger("page")

DEFAULT_URL: Final = "http://127.0.0.1:8000"
# Reading takes longer than the API allows itself for a translation.
CONNECT_AND_READ_SECONDS: Final = (3, 15)
NOT_FOUND: Final = 404
# What the service reads from the bucket and not from the model.
_FROM_THE_BUCKET: Final = frozenset({"/forecasts", "/track-record", "/history"})

Facts = dict[str, Any]
Answer = TypeVar("Answer")


class ApiError(Exception):
    """The API gave no answer that can be shown.

    Attributes:
        kind: The key of the texts' section `problem` that says why.
        detail: The API's own words.
        errors: Pairs of a field and what is wrong with it.
        status: Of HTTP; None where nothing came back.
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


def read_names(answer: Any) -> list[str]:
    """Names from an answer of `GET /people`."""
    return [str(name) for name in answer["names"]]


def finite(value: Any) -> float:
    """A number that can be shown.

    Raises:
        ValueError: It is NaN or infinite.
    """
    if math.isfinite(number := float(value)):
        return number
    raise ValueError(f"{number} cannot be shown")


def ask(
    read: Callable[[Any], Answer],
    path: str,
    facts: Facts | None = None,
    params: dict[str, str] | None = None,
) -> Answer:
    """Send facts to the API, or get what it has under a path, and read its answer.

    Raises:
        ApiError: There is no answer, or none that can be read.
    """
    answer = _request(path, facts, params)
    try:
        return read(answer.json())
    except (AttributeError, KeyError, TypeError, ValueError, OverflowError) as error:
        logger.warning("the answer to %s cannot be read: %s", path, type(error).__name__)
        raise ApiError("unexpected") from None


def ask_text(path: str) -> str:
    """The text that the API has under a path.

    Raises:
        ApiError: There is no answer.
    """
    return _request(path).text


def _request(
    path: str, facts: Facts | None = None, params: dict[str, str] | None = None
) -> requests.Response:
    url = (os.environ.get("API_URL") or DEFAULT_URL).rstrip("/") + path
    method = "GET" if facts is None else "POST"
    try:
        answer = requests.request(
            method,
            url,
            json=facts,
            params=params,
            headers=_key(),
            timeout=CONNECT_AND_READ_SECONDS,
        )
    except requests.RequestException as error:
        # The type alone: the text may hold the URL, and the URL a password.
        logger.warning("no answer to %s: %s", path, type(error).__name__)
        kind = "slow" if isinstance(error, requests.Timeout) else "away"
        raise ApiError(kind) from None
    if not answer.ok:
        raise _refusal(path, answer)
    return answer


def _key() -> dict[str, str]:
    key = os.environ.get("API_KEY")
    return {"X-API-Key": key} if key else {}


def _refusal(path: str, answer: requests.Response) -> ApiError:
    """What a problem document of RFC 9457 tells, or the bare status where there is none."""
    unready = "unread" if path in _FROM_THE_BUCKET else "no_model"
    kinds = {503: unready, 422: "refused", 429: "busy", 401: "key"}
    kind = kinds.get(answer.status_code, "unexpected")
    try:
        body = answer.json()
        errors = [(str(error["field"]), str(error["message"])) for error in body["errors"]]
        return ApiError(kind, str(body["detail"]), errors, answer.status_code)
    except (KeyError, TypeError, ValueError):
        return ApiError(kind, f"HTTP {answer.status_code}", status=answer.status_code)
