"""When to repeat a request, and how long to wait before."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final

import httpx

# The service, or a proxy in front of it, will probably answer later.
_TEMPORARY: Final = frozenset({429, 502, 503, 504})
_FIRST_WAIT: Final = 0.5  # seconds, if the answer names no time; doubled for each further attempt


@dataclass(frozen=True)
class Retries:
    """How often to repeat a request, and the longest wait that is accepted.

    Attributes:
        attempts: The number of attempts in all; 1 means no repetition.
        max_wait_seconds: If the service asks to wait longer, the request fails at once.
    """

    attempts: int = 4
    max_wait_seconds: float = 60

    def wait_after(self, response: httpx.Response, attempt: int) -> float | None:
        """Return the seconds to wait before the next attempt; None if there must be none.

        Args:
            response: The answer to this attempt.
            attempt: The number of this attempt; the first is 1.
        """
        if response.status_code not in _TEMPORARY:
            return None
        asked = _retry_after(response.headers)
        return self._accepted(_growing(attempt) if asked is None else asked, attempt)

    def wait_after_failure(self, attempt: int) -> float | None:
        """Return the seconds to wait after an attempt that got no answer at all."""
        return self._accepted(_growing(attempt), attempt)

    def _accepted(self, seconds: float, attempt: int) -> float | None:
        return seconds if attempt < self.attempts and seconds <= self.max_wait_seconds else None


def _growing(attempt: int) -> float:
    return float(_FIRST_WAIT * 2 ** (attempt - 1))


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """Read the header `Retry-After`, which contains seconds or a date; None without it."""
    value = headers.get("retry-after", "").strip()
    if value.isdecimal():
        return float(value)
    try:
        date = parsedate_to_datetime(value)
    except ValueError:
        return None
    return max((date.astimezone(UTC) - datetime.now(UTC)).total_seconds(), 0)
