"""Check the API keys and access tokens of requests to the TMDB stand-in, and limit their rate."""

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
    """Return whether a text looks like one of TMDB's read access tokens.

    It does not if somebody has used a v3 API key in place of the token.
    """
    return V3_KEY.fullmatch(text) is None and ("." in text or len(text) > TOKEN_LENGTH)


@dataclass
class Keys:
    """Decides which API keys and access tokens are valid.

    All keys in TMDB's format are valid, except those in `revoked`, which tests can set.
    """

    revoked: frozenset[str] = frozenset()

    def check(self, authorization: str, api_key: str) -> None:
        """Check that a request has a valid access token or a valid v3 API key.

        Args:
            authorization: The request's header `Authorization`, which may contain a token.
            api_key: The request's query parameter `api_key`.

        Raises:
            TmdbError: The request has no valid token and no valid key.
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
    """Limits how many requests all clients together may send within one second."""

    per_second: int
    _limiter: MovingWindowRateLimiter = field(
        default_factory=lambda: MovingWindowRateLimiter(MemoryStorage())
    )

    def count(self) -> None:
        """Count a request that has arrived.

        Raises:
            TmdbError: The request is above the limit. Such a request is not counted.
        """
        if not self._limiter.hit(RateLimitItemPerSecond(self.per_second)):
            raise TmdbError(errors.rate_limited(self.per_second, RETRY_AFTER_SECONDS))
