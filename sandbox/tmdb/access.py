"""Access to the stand-in: API keys, access tokens and the rate limit."""

import re
from dataclasses import dataclass, field

from limits import RateLimitItemPerSecond
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

from sandbox.tmdb import errors
from sandbox.tmdb.errors import TmdbError

V3_KEY = re.compile(r"[0-9a-f]{32}", re.IGNORECASE)
# A read access token is a JWT of about 200 characters; a v3 key has 32.
TOKEN_LENGTH = 40
RETRY_AFTER_SECONDS = 1  # the limit is per second, so one second later it allows requests again


def is_access_token(text: str) -> bool:
    """Whether this is a read access token, and not a v3 key pasted in its place."""
    return V3_KEY.fullmatch(text) is None and ("." in text or len(text) > TOKEN_LENGTH)


@dataclass
class Keys:
    """Decides which keys are valid: all in TMDB's format, except keys that a test revoked."""

    revoked: frozenset[str] = frozenset()

    def check(self, authorization: str, api_key: str) -> None:
        """Check that a request has a valid token or a valid v3 key.

        Raises:
            TmdbError: The request has neither.
        """
        scheme, _, token = authorization.partition(" ")
        by_token = scheme.lower() == "bearer" and is_access_token(token.strip())
        if by_token and token.strip() not in self.revoked:
            return
        if V3_KEY.fullmatch(api_key) and api_key not in self.revoked:
            return
        raise TmdbError(errors.INVALID_KEY)


@dataclass
class RateLimit:
    """Limits the number of requests from all clients together within any one second."""

    per_second: int
    _limiter: MovingWindowRateLimiter = field(
        default_factory=lambda: MovingWindowRateLimiter(MemoryStorage())
    )

    def count(self) -> None:
        """Count one request.

        Raises:
            TmdbError: The limit is exceeded; a refused request is not counted.
        """
        if not self._limiter.hit(RateLimitItemPerSecond(self.per_second)):
            raise TmdbError(errors.rate_limited(self.per_second, RETRY_AFTER_SECONDS))
