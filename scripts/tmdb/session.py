"""Send requests to TMDB: with the key, a rate limit, time limits, and waits between retries.

Nothing here logs the API key.
"""

import time
from threading import Event
from typing import Any, Final

import requests
from pyrate_limiter import Duration, InMemoryBucket, Limiter, Rate
from tenacity import RetryCallState, Retrying, retry_if_exception_type
from tenacity.stop import StopBaseT

from movierating.settings import PipelineSettings
from movierating.time_limits import LimitedAdapter, ProxyProblemError
from movierating.tmdb_access import authenticate, source_of
from scripts.tmdb.answers import Times, refusal, times_of
from scripts.tmdb.errors import OtherFilmsError, TmdbError, TmdbUnavailableError

GENRES: Final = "/genre/movie/list"  # a small answer that TMDB always has
CONNECTIONS: Final = 16  # to TMDB, at the same time
# TMDB works if this many requests in a row succeed. With fewer, a TMDB that refuses every second
# request would often seem to work, and good films would be left out.
_HEALTH_CHECKS: Final = 5
_TIMEOUT_SECONDS: Final = (5, 20)  # to connect, and to wait for data
_RESPONSE_SECONDS: Final = 60.0  # for a whole response
_LARGEST_GROWTH: Final = 20  # the longest wait between two attempts, as a multiple of the first
_LONGEST_RETRY_AFTER_SECONDS: Final = 60.0  # even if TMDB asks for a longer wait
_EVENLY: Final = 0.75  # the shortest gap between requests, as a fraction of the mean gap


class TmdbSession:
    """Connections to TMDB; several threads may use them at the same time.

    Attributes:
        ended: Set when the caller stops; then no wait lasts longer.
        source: Name of the source of the films; None until the first answer. Answers with films
            of another source are refused.
    """

    def __init__(self, settings: PipelineSettings, workers: int, source: str | None) -> None:
        """Prepare the connections without sending a request.

        Args:
            settings: TMDB's address, the key, and the rate limit of all workers together.
            workers: How many sessions share the rate limit; this one uses an equal part of it.
            source: The source of the films, if it is known.

        Raises:
            SettingsError: TMDB_API_KEY is not set, or cannot be a key.
        """
        self.ended = Event()
        self.source = source
        self._base_url = settings.tmdb_base_url
        self._http = requests.Session()
        authenticate(self._http, settings.require("tmdb_api_key"))
        adapter = LimitedAdapter(_RESPONSE_SECONDS, pool_maxsize=CONNECTIONS)
        self._http.mount("https://", adapter)
        self._http.mount("http://", adapter)
        self._limiter = _limiter(settings.tmdb_requests_per_second / workers)
        self._retry_seconds = settings.tmdb_retry_seconds
        self._quiet_until = 0.0

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def get(self, path: str, query: dict[str, str | int]) -> tuple[Any, Times]:
        """Send one request when the rate limit allows it; return the JSON and the answer's times.

        Raises:
            TmdbError: TMDB refuses the key or the request.
            TmdbUnavailableError: There was no usable response; a later request may get one.
            NotFoundError: TMDB has no such film or list.
            OtherFilmsError: The films come from another source than before.
            ClockError: This machine's clock is wrong.
        """
        self._await_turn()
        # Raise the error only after the `except` blocks. An error raised inside one would carry the
        # caught exception as its context, and the text of that exception may contain the key.
        try:
            answer = self._http.get(self._base_url + path, params=query, timeout=_TIMEOUT_SECONDS)
            if answer.ok:
                # Parsed first, because a portal's page says nothing about the films.
                content = answer.json()
                self._check_source(answer)
                return content, times_of(answer)
            problem = refusal(answer)
        except (requests.exceptions.JSONDecodeError, RecursionError):
            problem = TmdbUnavailableError("sent something that is not JSON")
        except ProxyProblemError as error:
            problem = _proxy_problem(error)
        except (requests.RequestException, UnicodeError) as error:
            problem = TmdbUnavailableError(f"cannot be reached ({type(error).__name__})")
        except ValueError:  # of Python's parser, for an integer of thousands of digits
            problem = TmdbUnavailableError("sent an impossible number")
        if isinstance(problem, TmdbUnavailableError) and problem.wait_seconds:
            # TMDB limits the client, not the request, so all threads must wait.
            wait_seconds = min(problem.wait_seconds, _LONGEST_RETRY_AFTER_SECONDS)
            self._quiet_until = max(self._quiet_until, time.monotonic() + wait_seconds)
        raise problem

    def retrying(self, kind: type[TmdbError], stop: StopBaseT) -> Retrying:
        """Return a function that calls another one, and again after errors of this kind."""
        return Retrying(
            retry=retry_if_exception_type(kind),
            stop=stop,
            sleep=self._sleep,
            wait=self._wait_seconds,
            reraise=True,
        )

    def wait(self) -> None:
        """Wait as long as after the first failed request."""
        self._sleep(self._retry_seconds)

    def is_well(self, checks: int = _HEALTH_CHECKS) -> bool:
        """Whether TMDB answers a simple request, several times in a row and without retries.

        Raises:
            TmdbError: TMDB refuses the key.
            ClockError: This machine's clock is wrong.
        """
        try:
            for _ in range(checks):
                self.get(GENRES, {})
        except TmdbUnavailableError:
            return False
        return True

    def _wait_seconds(self, state: RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome else None
        if isinstance(error, TmdbUnavailableError) and error.wait_seconds is not None:
            return min(error.wait_seconds, _LONGEST_RETRY_AFTER_SECONDS)
        growth: int = 2 ** (state.attempt_number - 1)
        return self._retry_seconds * min(growth, _LARGEST_GROWTH)

    def _check_source(self, answer: requests.Response) -> None:
        found = source_of(answer, self._base_url)
        self.source = self.source or found
        if found != self.source:
            raise OtherFilmsError(self.source, found)

    def _await_turn(self) -> None:
        if (quiet_seconds := self._quiet_until - time.monotonic()) > 0:
            self._sleep(quiet_seconds)
        self._limiter.try_acquire("tmdb")

    def _sleep(self, seconds: float) -> None:
        self.ended.wait(seconds)


def _limiter(per_second: float) -> Limiter:
    """Build a limiter that allows `per_second` requests per second, spread over the second.

    Without the spread, all requests of one second could come at its end, and those of the next
    second at its start. TMDB would see twice the limit within a short time.
    """
    count = max(1, int(per_second))
    rates = [Rate(count, round(Duration.SECOND * count / per_second))]
    if count > 1:
        rates.insert(0, Rate(1, max(1, int(_EVENLY * Duration.SECOND / per_second))))
    return Limiter(InMemoryBucket(rates), buffer_ms=1)


def _proxy_problem(error: ProxyProblemError) -> TmdbError:
    if error.retryable:
        return TmdbUnavailableError(f"cannot be reached: {error}", remedy="")
    return TmdbError(f"TMDB cannot be reached: {error}")
