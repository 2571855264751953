"""A client of TMDB's v3 API: authenticated, paced, patient, and silent about its key."""

import logging
import re
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, ClassVar, Final, Self

import requests
from pyrate_limiter import Duration, Limiter, Rate
from requests.adapters import HTTPAdapter
from tenacity import RetryCallState, Retrying, retry_if_exception_type, stop_after_attempt

from movierating.errors import ExplainedError
from movierating.settings import Settings, SettingsError

logger = logging.getLogger(__name__)

MAX_PAGE: Final = 500
PAGE_SIZE: Final = 20
_THREADS: Final = 8
_ATTEMPTS: Final = 7
_TIMEOUT_SECONDS: Final = (5, 20)  # to connect, to read
_LONGEST_WAIT_SECONDS: Final = 30.0
_KEY: Final = re.compile(r"[!-~]+")  # as a header can carry it
_V3_KEY: Final = re.compile(r"[0-9a-f]{32}")


class TmdbError(ExplainedError, RuntimeError):
    """TMDB cannot be used; the message names the setting to look at."""


class TmdbUnavailableError(TmdbError):
    """TMDB did not give a usable answer; trying again later may help."""

    retryable: ClassVar[bool] = True

    def __init__(self, problem: str, wait_seconds: float | None = None) -> None:
        """Keep how long the server asked to wait, if it did."""
        super().__init__(f"TMDB {problem}; check TMDB_BASE_URL and the network")
        self.wait_seconds = wait_seconds


class _KeyFilter(logging.Filter):
    """Masks `api_key=` in the debug lines of urllib3, which print whole addresses."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg = re.sub(r"api_key=\w+", "api_key=***", record.getMessage())
        record.args = ()
        return True


logging.getLogger("urllib3.connectionpool").addFilter(_KeyFilter())


class Tmdb:
    """One session with TMDB, safe to use from several threads."""

    def __init__(self, settings: Settings, attempts: int = _ATTEMPTS) -> None:
        """Prepare a session that tries each request so often; nothing is sent.

        Raises:
            SettingsError: TMDB_API_KEY is not set, or cannot be a key.
        """
        self._attempts = attempts
        self._base_url = settings.tmdb_base_url
        self._session = requests.Session()
        self._authenticate(settings.require("tmdb_api_key").strip())
        adapter = HTTPAdapter(pool_maxsize=_THREADS)
        self._session.mount("https://", adapter)
        self._session.mount("http://", adapter)
        self._limiter = Limiter(Rate(settings.tmdb_requests_per_second, Duration.SECOND))

    def __enter__(self) -> Self:
        """Use as a context, which closes the connections."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the connections."""
        self._session.close()

    def get(self, path: str, **query: str | int) -> Any:
        """The parsed answer to one request, tried again while TMDB is busy or broken.

        Raises:
            TmdbError: The key is refused, or the request is wrong.
            TmdbUnavailableError: No usable answer came after several attempts.
            LookupError: TMDB knows no such thing.
        """
        attempts = Retrying(
            retry=retry_if_exception_type(TmdbUnavailableError),
            stop=stop_after_attempt(self._attempts),
            wait=_wait_seconds,
            reraise=True,
        )
        return attempts(self._get_once, path, query)

    def pages(self, path: str, **query: str | int) -> Iterator[dict[str, Any]]:
        """The films of a list in its order, up to TMDB's last page of 500."""
        page, last = 1, 1
        while page <= last:
            films, total = _listed(self.get(path, **query, page=page))
            yield from films
            page, last = page + 1, min(total, MAX_PAGE)

    def details(self, film_ids: Iterable[int]) -> Iterator[dict[str, Any]]:
        """Whole films in the given order, fetched side by side; deleted ones are left out."""
        with ThreadPoolExecutor(_THREADS) as pool:
            try:
                yield from (film for film in pool.map(self._film, film_ids) if film)
            finally:
                pool.shutdown(cancel_futures=True)

    def _film(self, film_id: int) -> dict[str, Any] | None:
        try:
            film: dict[str, Any] = self.get(f"/movie/{film_id}")
        except LookupError:
            logger.info("film %s is gone from TMDB", film_id)
            return None
        return film

    def _authenticate(self, key: str) -> None:
        if not _KEY.fullmatch(key):
            raise SettingsError("TMDB_API_KEY holds characters that are in no key; copy it anew")
        # A read access token goes into a header; a v3 key works only as a query parameter.
        if _V3_KEY.fullmatch(key):
            self._session.params = {"api_key": key}
        else:
            self._session.headers["Authorization"] = f"Bearer {key}"

    def _get_once(self, path: str, query: dict[str, str | int]) -> Any:
        self._limiter.try_acquire("tmdb")
        # Raised outside of the handlers: the text of what they caught may hold the key, and
        # would stay at hand as the context of what is raised inside.
        try:
            answer = self._session.get(
                self._base_url + path, params=query, timeout=_TIMEOUT_SECONDS
            )
            if answer.ok:
                return answer.json()
            problem = _refusal(answer)
        except requests.exceptions.JSONDecodeError:
            problem = TmdbUnavailableError("sent something that is not JSON")
        except (requests.RequestException, UnicodeError) as error:
            problem = TmdbUnavailableError(f"cannot be reached ({type(error).__name__})")
        raise problem


def _listed(answer: Any) -> tuple[list[dict[str, Any]], int]:
    try:
        films, total = answer["results"], int(answer["total_pages"])
        if all(isinstance(film["id"], int) for film in films):
            return films, total
    except (KeyError, TypeError, ValueError):
        pass
    raise TmdbUnavailableError("sent a list of films in a form of its own")


def _refusal(answer: requests.Response) -> Exception:
    status = answer.status_code
    if status == requests.codes.not_found:
        return LookupError("TMDB knows no such thing")
    if status in {requests.codes.unauthorized, requests.codes.forbidden}:
        return TmdbError(f"TMDB refuses the key (HTTP {status}); check TMDB_API_KEY")
    if status == requests.codes.too_many_requests or status >= requests.codes.server_error:
        return TmdbUnavailableError(f"answered HTTP {status}", _retry_after(answer))
    return TmdbError(f"TMDB answered HTTP {status} to a request it should understand")


def _retry_after(answer: requests.Response) -> float | None:
    value = answer.headers.get("Retry-After", "")
    return float(value) if value.isdigit() else None


def _wait_seconds(state: RetryCallState) -> float:
    error = state.outcome.exception() if state.outcome else None
    asked = error.wait_seconds if isinstance(error, TmdbUnavailableError) else None
    doubling = 0.5 * 2 ** (state.attempt_number - 1)
    return min(doubling if asked is None else asked, _LONGEST_WAIT_SECONDS)
