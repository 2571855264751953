"""Fetch a film from TMDB that the film catalogue does not have yet.

A film is kept in memory for an hour, so that a caller can try several changes of its facts with one
request to TMDB. TMDB's terms allow six months.
"""

import asyncio
import json
import logging
from collections.abc import Callable, Mapping, Set
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime
from math import ceil
from typing import Any, Final

import requests
from cachetools import TTLCache
from circuitbreaker import CircuitBreaker, CircuitBreakerError
from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

from app.clock import today
from app.film_facts import plain, read_usable
from app.outside_calls import OutsideCalls
from movierating.catalogue.films import FoundFilm
from movierating.films.text import normalise
from movierating.films.tmdb import PARTS, incomplete_parts, is_complete, korean
from movierating.films.tokens import MAX_CAST
from movierating.settings import ApiSettings
from movierating.time_limits import limited_session, reason
from movierating.tmdb_access import NOT_FOUND_CODE, authenticate, source_of

logger = logging.getLogger(__name__)

# For all callers together, so that nobody can make this service a crawler. TMDB allows about 40
# requests a second, and the pipeline uses most of them.
PER_MINUTE: Final = RateLimitItemPerMinute(30)
SECONDS: Final = 5.0  # for one film with its parts
_GRACE_SECONDS: Final = 1  # a call that has not ended this long after its time limit hangs
_AT_ONCE: Final = 4
_KEPT_SECONDS: Final = 3_600
_KEPT_FILMS: Final = 500  # a film needs a few kilobytes
_MAX_BYTES: Final = 4_000_000
_PIECE_BYTES: Final = 65_536
_LARGEST_ID: Final = 2**31 - 1  # TMDB refuses larger ones
# Of a 404 with another code, or without one, the sender may be a proxy. The second one is TMDB's
# code for an id of a wrong form.
_UNKNOWN_CODES: Final = frozenset({NOT_FOUND_CODE, 6})
# TMDB is there, and refuses this request.
_REFUSALS: Final = frozenset({requests.codes.bad_request, requests.codes.unprocessable_entity})
_FAILURES_TO_PAUSE: Final = 3
_PAUSE_SECONDS: Final = 60


class FetchError(Exception):
    """TMDB cannot be asked now, or sent no usable film; the message is for the caller.

    Attributes:
        seconds: After how many seconds TMDB can be asked again; None if this is unknown.
    """

    def __init__(self, message: str, seconds: int | None = None) -> None:
        """Keep the sentence for the caller, and the seconds."""
        super().__init__(message)
        self.seconds = seconds


class _OutageError(FetchError):
    """TMDB does not answer, whatever the film is."""


class NoSuchFilmError(Exception):
    """There is no such film, or none that this service forecasts; the message is for the caller.

    Attributes:
        code: The code of the error, from `app.field_errors.CODES`.
    """

    def __init__(self, code: str, message: str) -> None:
        """Keep the code and the sentence for the caller."""
        super().__init__(message)
        self.code = code


@dataclass(frozen=True)
class FetchedFilm:
    """A film of TMDB.

    Attributes:
        film: The film in the form of the film catalogue.
        facts: The known facts by the names of the fields of `POST /predict`.
        source: The source of the film (see `movierating.films.source`).
        fetched_on: The day of TMDB's answer.
        refused: The names of the facts with a value that cannot be used.
    """

    film: FoundFilm
    facts: Mapping[str, Any]
    source: str
    fetched_on: date
    refused: Set[str] = frozenset()


class TmdbFilms:
    """Fetches films, each within a time limit, and a limited number per minute.

    All methods belong to one event loop. If TMDB does not answer three times in a row, it is not
    asked for a minute.
    """

    def __init__(self, settings: ApiSettings) -> None:
        """Prepare requests; none is sent.

        Args:
            settings: TMDB's address and the key.

        Raises:
            SettingsError: TMDB_API_KEY is not set.
        """
        self._base_url = settings.tmdb_base_url
        self._key = settings.require("tmdb_api_key")
        self._limiter = MovingWindowRateLimiter(MemoryStorage())
        self._service = CircuitBreaker(_FAILURES_TO_PAUSE, _PAUSE_SECONDS, _OutageError, "tmdb")
        # In the thread of the call, so that a call counts that ends after its caller's time limit.
        self._fetch: Callable[[str], FetchedFilm | NoSuchFilmError] = self._service.decorate(
            self._fetch_now
        )
        self._calls = OutsideCalls(_AT_ONCE, SECONDS + _GRACE_SECONDS, self._count_hang)
        self._kept: TTLCache[int, FetchedFilm | NoSuchFilmError] = TTLCache(
            _KEPT_FILMS, _KEPT_SECONDS
        )
        self._under_way: dict[int, asyncio.Task[FetchedFilm | NoSuchFilmError]] = {}

    async def film(self, film_id: int) -> FetchedFilm:
        """Return a film of TMDB, from memory if it was fetched in the last hour.

        Raises:
            NoSuchFilmError: TMDB has no such film, or it is one that this service never forecasts.
            FetchError: Too many films were fetched, TMDB does not answer in time, or its answer
                cannot be used.
        """
        if film_id > _LARGEST_ID:
            raise _unknown(film_id)
        found = self._kept.get(film_id)
        if found is None:
            # One caller who leaves must not end the request for which another one waits.
            found = await asyncio.shield(self._task(film_id))
        if isinstance(found, NoSuchFilmError):
            raise NoSuchFilmError(found.code, str(found))
        return found

    def _task(self, film_id: int) -> "asyncio.Task[FetchedFilm | NoSuchFilmError]":
        if (task := self._under_way.get(film_id)) is None:
            self._take_turn()
            task = asyncio.create_task(self._fetch_in_time(film_id))
            self._under_way[film_id] = task
            task.add_done_callback(lambda _: self._under_way.pop(film_id))
        return task

    def _take_turn(self) -> None:
        if not self._limiter.hit(PER_MINUTE):
            free_at = self._limiter.get_window_stats(PER_MINUTE).reset_time
            seconds = max(1, ceil(free_at - datetime.now(UTC).timestamp()))
            raise FetchError(
                f"this service fetches at most {PER_MINUTE.amount} films a minute from TMDB; send "
                f"the request again in {seconds} s, or send the facts",
                seconds,
            )

    async def _fetch_in_time(self, film_id: int) -> FetchedFilm | NoSuchFilmError:
        seconds = None
        try:
            async with asyncio.timeout(SECONDS):
                found = await self._calls.run(self._fetch, str(film_id))
        except CircuitBreakerError:
            problem, seconds = "TMDB does not answer at present", self._pause()
        except FetchError as error:
            problem = str(error)
        except TimeoutError:
            problem = f"TMDB did not answer within {SECONDS:.0f} s"
        except Exception as error:  # noqa: BLE001 - TMDB's answer can raise anything
            problem = f"TMDB sent no film that can be read ({type(error).__name__})"
        else:
            self._kept[film_id] = found
            return found
        # Not raised in the `except` blocks: the text of the first error may contain the key.
        logger.warning("a film could not be fetched: %s", problem)
        when = f"in {seconds} s" if seconds else "later"
        raise FetchError(f"{problem}; send the request again {when}, or send the facts", seconds)

    def _pause(self) -> int:
        """Return after how many seconds TMDB is asked again."""
        return max(1, int(self._service.open_remaining))

    def _count_hang(self) -> None:
        with suppress(_OutageError), self._service:
            raise _OutageError("TMDB's answer hangs")

    def _fetch_now(self, film_id: str) -> FetchedFilm | NoSuchFilmError:
        """Request a film, and the parts that TMDB left out of its answer; runs in a thread."""
        with limited_session(SECONDS) as session:
            authenticate(session, self._key)
            path = f"/movie/{film_id}"
            raw, source = self._get(session, path, {"append_to_response": ",".join(PARTS)})
            if raw is None:
                return _unknown(int(film_id))
            if raw.get("id") != int(film_id):
                raise FetchError("TMDB sent another film")
            if refusal := _refusal(raw):
                return refusal
            for name in incomplete_parts(raw):
                raw[name] = self._part(session, f"{path}/{name}", name)
        return _read(raw, source)

    def _part(self, session: requests.Session, path: str, name: str) -> Any:
        with suppress(FetchError):  # without this part, the film has some unknown facts
            part, _ = self._get(session, path, {})
            return part if is_complete(name, part) else None
        return None

    def _get(
        self, session: requests.Session, path: str, query: Mapping[str, str]
    ) -> tuple[dict[str, Any] | None, str]:
        """Send one request; return the JSON object, None if TMDB has no such one, and its source.

        Raises:
            FetchError: There was no usable answer.
        """
        try:
            with session.get(
                self._base_url + path, params=dict(query), stream=True, allow_redirects=False
            ) as answer:
                content, source = _json_of(answer), source_of(answer, self._base_url)
        except requests.RequestException as error:
            problem = f"TMDB cannot be reached ({reason(error)})"
        else:
            if answer.status_code == requests.codes.ok and isinstance(content, dict):
                return content, source
            if _says_unknown(answer.status_code, content):
                return None, source
            problem = f"TMDB answered HTTP {answer.status_code} without a film"
            if answer.status_code in _REFUSALS:
                raise FetchError(problem)
            if answer.status_code in {requests.codes.unauthorized, requests.codes.forbidden}:
                problem = "TMDB refuses the TMDB_API_KEY of this service"
        raise _OutageError(problem)


def _says_unknown(status: int, content: Any) -> bool:
    found = content.get("status_code") if isinstance(content, dict) else None
    return status == requests.codes.not_found and found in _UNKNOWN_CODES


def _unknown(film_id: int) -> NoSuchFilmError:
    return NoSuchFilmError(
        "unknown_film", f"neither the film catalogue nor TMDB has a film {film_id}"
    )


def _json_of(answer: requests.Response) -> Any:
    """Read an answer of limited size; None if it is not JSON."""
    raw = b""
    for piece in answer.iter_content(_PIECE_BYTES):
        raw += piece
        if len(raw) > _MAX_BYTES:
            raise FetchError(f"TMDB sent more than {_MAX_BYTES // 1_000_000} MB")
    try:
        return json.loads(raw)
    except (ValueError, RecursionError):
        return None


def _refusal(raw: Mapping[str, Any]) -> NoSuchFilmError | None:
    """Return why this service does not forecast the film.

    TMDB sends both flags for every film. Without one of them, the film could be an adult film.
    """
    for flag, kind in (("adult", "an adult film"), ("video", "a video")):
        if raw.get(flag) is not False:
            return NoSuchFilmError(
                "unsuitable_film",
                f"TMDB's film {raw['id']} is {kind}, and this service forecasts none",
            )
    return None


def _read(raw: dict[str, Any], source: str) -> FetchedFilm:
    # A film without an English plot gets its Korean one, as in the catalogue.
    raw["overview"] = raw.get("overview") or korean(raw["translations"], "overview")
    facts, refused = read_usable(raw)
    facts.cast = facts.cast[:MAX_CAST]  # more are never used
    poster, votes, rating = raw.get("poster_path"), raw.get("vote_count"), raw.get("vote_average")
    if not isinstance(votes, int) or votes <= 0 or not isinstance(rating, int | float):
        votes, rating = 0, None
    film = FoundFilm(
        film_id=raw["id"],
        title=facts.title,
        original_title=normalise(str(raw.get("original_title") or "")) or None,
        korean_title=korean(raw["translations"], "title"),
        release_date=facts.release_date,
        poster_path=poster if isinstance(poster, str) else None,
        votes=votes,
        rating=rating,
    )
    return FetchedFilm(
        film,
        {name: plain(getattr(facts, name)) for name in facts.known},
        source,
        today(),
        frozenset(refused),
    )
