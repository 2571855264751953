"""A client of TMDB's v3 API: lists, changes, and films with their parts."""

import logging
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import partial
from itertools import count, islice
from typing import Any, Final, NamedTuple, Self, TypeVar

from tenacity import (
    RetryCallState,
    stop_after_attempt,
    stop_when_event_set,
)

from movierating.films.tmdb import PARTS, incomplete_parts, is_complete
from movierating.settings import PipelineSettings
from scripts.runtime.clock import now
from scripts.store.schema import unexpected_fields
from scripts.tmdb.answers import Times, listing_of, object_of
from scripts.tmdb.errors import (
    NotFoundError,
    PageFailedError,
    TmdbError,
    TmdbUnavailableError,
)
from scripts.tmdb.listing import MAX_READINGS, FailedPages, FilmJson, Listing, ListReading
from scripts.tmdb.session import CONNECTIONS, GENRES, TmdbSession

logger = logging.getLogger(__name__)

Query = Mapping[str, str | int]
T = TypeVar("T")

MAX_PAGE: Final = 500
PAGE_SIZE: Final = 20
_AHEAD: Final = 2 * CONNECTIONS  # how many films are requested before the caller reads them
_ATTEMPTS: Final = 20  # with the waits between them, they last about three minutes
_FORMAT_ATTEMPTS: Final = 6  # fields of a wrong type may be a temporary fault, so ask again
_PART_ATTEMPTS: Final = 3  # for a part by its own path
_SINGLE_ATTEMPTS: Final = 6  # for a film or page that fails while TMDB answers other requests
_CHANGES: Final = "/movie/changes"


class TmdbAnswer(NamedTuple):
    """What TMDB answered to the request for one film or one person.

    Attributes:
        id: The requested id.
        content: TMDB's JSON; None if TMDB has nobody or nothing with this id, or if there was a
            problem.
        at: When TMDB made the answer, by its clock. Caches may hold it for hours.
        problem: Why TMDB could not send this answer in several attempts, although requests for
            others succeed; None if there was no problem.
    """

    id: int
    content: FilmJson | None
    at: datetime
    problem: str | None = None


class _SingleFailureError(Exception):
    """TMDB could not send one film or page, although it works; the text is the last problem."""


class Tmdb:
    """A client session for TMDB's API; several threads may use it at the same time.

    Attributes:
        unusable_entries: Number of entries without a film id in the lists that were read so far.
        failed_pages: The pages of lists that TMDB could not send.
        unread_changes: The first day whose list of changes lacks a page; None if there is none.
        changes_made_at: When TMDB made the oldest list of changes that was read so far, by its
            clock; None if none was read. The list has no later changes.
    """

    def __init__(
        self,
        settings: PipelineSettings,
        *,
        attempts: int = _ATTEMPTS,
        workers: int = 1,
        source: str | None = None,
    ) -> None:
        """Prepare a session without sending a request.

        Args:
            settings: TMDB's address, the key, and the rate limit of all workers together.
            attempts: The largest number of times that a request is sent.
            workers: How many sessions share the rate limit; this one uses an equal part of it.
            source: Only answers with films from this source are accepted; by default, the source of
                the first answer.

        Raises:
            SettingsError: TMDB_API_KEY is not set, or cannot be a key.
        """
        self._attempts = attempts
        self._session = TmdbSession(settings, workers, source)
        self.unusable_entries = 0
        self.failed_pages = FailedPages(settings.collect_max_bad_share)
        self.unread_changes: date | None = None
        self.changes_made_at: datetime | None = None

    def __enter__(self) -> Self:
        """Start a `with` block; its end closes the connections."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the connections."""
        self._session.close()

    def get(self, path: str, **query: str | int) -> Any:
        """Send one request, with retries while TMDB is overloaded or down, and parse the JSON.

        Raises:
            TmdbError: TMDB refuses the key or the request.
            TmdbUnavailableError: There was no usable response after all attempts.
            NotFoundError: TMDB has no such film or list.
            ClockError: This machine's clock is wrong.
        """
        return self._ask(path, query, lambda content, _: content)

    def page(self, path: str, number: int, **query: str | int) -> Listing:
        """Request one page of a list of films, without the entries that have no film id.

        Raises the errors of `get`, and `PageFailedError` if TMDB cannot send this page in several
        attempts, although it answers other requests.
        """

        def ask() -> tuple[Listing, datetime]:
            content, times = self._session.get(path, query | {"page": number})
            return listing_of(content), times.made_at

        attempts = self._session.retrying(TmdbError, _SingleStop(self._session, self._attempts))
        try:
            listing, made_at = attempts(ask)
        except _SingleFailureError as error:
            raise PageFailedError(_page_name(path, number, query), str(error)) from None
        self.failed_pages.count_read()
        if path == _CHANGES:
            self.changes_made_at = min(self.changes_made_at or made_at, made_at)
        if listing.unusable:
            self.unusable_entries += listing.unusable
            logger.warning("skipped %s entries of %s without a film id", listing.unusable, path)
        return listing

    def films(
        self, path: str, query: Query | None = None, limit: int | None = None
    ) -> Iterator[FilmJson]:
        """Request a list page by page, and again if it changed meanwhile; yield each film once.

        A film that was in the list all the time is not missed, unless TMDB cannot send its page.
        TMDB gives at most 500 pages of a list.

        Args:
            path: The list.
            query: The query parameters.
            limit: Read only so many films from the start of the list. There may be more results, if
                the list changed. By default, the whole list is read.

        Raises:
            PageFailedError: TMDB cannot send the first two pages.
            TooManyFailedPagesError: TMDB cannot send too many pages of all lists.
            TmdbError: As `get` raises it.
        """
        known: set[int] = set()
        for _ in range(MAX_READINGS):
            reading, failed = ListReading(), len(self.failed_pages)
            for listing in self.listings(path, query or {}):
                left = None if limit is None else limit - len(reading.ids)
                wanted = islice(reading.add(listing), left)
                new = [film for film in wanted if film["id"] not in known]
                known.update(film["id"] for film in new)
                yield from new
                if limit is not None and len(reading.ids) >= limit:
                    is_good = reading.is_steady
                    break
            else:
                is_good = reading.is_complete
            if is_good or len(self.failed_pages) > failed:
                return
        logger.warning("%s changed while it was read; it may have more films", path)

    def listings(self, path: str, query: Query, first: int = 1) -> Iterator[Listing]:
        """Request the pages of a list from page `first` on; skip a page that TMDB cannot send.

        Raises the errors of `films`.
        """
        last: int | None = None
        for number in count(first):
            try:
                listing = self.page(path, number, **query)
            except PageFailedError as error:
                logger.warning("left out %s: %s", error.page, error.problem)
                self.failed_pages.add(error)
                # Without any page, the number of pages is unknown.
                if last is None and number > first:
                    raise
            else:
                last = min(listing.pages, MAX_PAGE)
                yield listing._replace(number=number)
            if last is not None and number >= last:
                return

    def changed(self, day: date, known: Callable[[int], bool] = lambda _: False) -> Iterator[int]:
        """Request the ids of the films whose facts changed on a day. Raises the errors of `get`.

        Args:
            day: The day.
            known: Whether the store has a film. An adult film that it does not have is left out,
                because no model is for such a film.
        """
        following, failed = day + timedelta(days=1), len(self.failed_pages)
        dates = {"start_date": day.isoformat(), "end_date": following.isoformat()}
        found = self.films(_CHANGES, dates)
        yield from (film["id"] for film in found if not film.get("adult") or known(film["id"]))
        if len(self.failed_pages) > failed:
            self.unread_changes = min(self.unread_changes or day, day)

    def film_source(self) -> str:
        """Return the name of the source of the films. Raises the errors of `get`.

        TMDB sends its own films. The local imitation of TMDB names its films in each answer.
        """
        return self._session.source or self._ask(GENRES, {}, lambda *_: self._session.source or "")

    def server_time(self) -> datetime:
        """Request the time by TMDB's clock. Raises the errors of `get`."""
        return self._ask(GENRES, {}, lambda _, times: times.sent_at)

    def details(self, film_ids: Iterable[int]) -> Generator[TmdbAnswer]:
        """Fetch films with their parts (such as credits) in parallel; yield them as they arrive.

        If TMDB cannot send one film in several attempts, but answers other requests, the film is
        yielded with its problem, and the others are still fetched. If TMDB answers no request, the
        errors of `get` are raised. Ids are read only as fast as the caller reads films, so
        `film_ids` may be very long.
        """
        return self._in_parallel(film_ids, partial(self._answer, "film", self._ask_film))

    def people(self, person_ids: Iterable[int]) -> Generator[TmdbAnswer]:
        """Fetch people in parallel, without their films, as `details` fetches films."""
        return self._in_parallel(person_ids, partial(self._answer, "person", self._ask_person))

    def _in_parallel(
        self, all_ids: Iterable[int], ask: Callable[[int], TmdbAnswer]
    ) -> Generator[TmdbAnswer]:
        ids = iter(all_ids)
        requested: set[Future[TmdbAnswer]] = set()
        with ThreadPoolExecutor(CONNECTIONS) as pool:
            try:
                while True:
                    requested |= {
                        pool.submit(ask, each) for each in islice(ids, _AHEAD - len(requested))
                    }
                    if not requested:
                        return
                    done, requested = wait(requested, return_when=FIRST_COMPLETED)
                    yield from (each.result() for each in done)
            # Also GeneratorExit, which means that the caller stopped reading: cancel the requests.
            except BaseException:
                self._session.ended.set()
                raise
            finally:
                pool.shutdown(cancel_futures=True)

    def _answer(self, kind: str, ask: Callable[[int], TmdbAnswer], number: int) -> TmdbAnswer:
        attempts = self._session.retrying(TmdbError, _SingleStop(self._session, self._attempts))
        try:
            return attempts(ask, number)
        except NotFoundError as error:
            logger.info("%s %s is gone from TMDB", kind, number)
            return TmdbAnswer(number, None, error.at)
        except _SingleFailureError as error:
            logger.warning("%s %s fails: %s", kind, number, error)
            return TmdbAnswer(number, None, now(), str(error))

    def _ask_person(self, person_id: int) -> TmdbAnswer:
        content, times = self._session.get(f"/person/{person_id}", {})
        return TmdbAnswer(person_id, object_of(content, person_id, "person"), times.made_at)

    def _ask_film(self, film_id: int) -> TmdbAnswer:
        path = f"/movie/{film_id}"
        query: dict[str, str | int] = {"append_to_response": ",".join(PARTS)}
        for _ in range(_FORMAT_ATTEMPTS):
            content, times = self._film_answer(path, query)
            film = object_of(content, film_id, "film")
            if PARTS.keys() >= set(unexpected_fields(film)):
                break
        parts = {name: self._part(film_id, name) for name in incomplete_parts(film)}
        found = {name: part for name, part in parts.items() if part is not None}
        return TmdbAnswer(film_id, film | found, times.made_at)

    def _film_answer(self, path: str, query: dict[str, str | int]) -> tuple[Any, Times]:
        """Send one request for a film, and a second one if TMDB says that it has no such film.

        The film may be deleted from the store because of this answer. So the answer must not come
        from a moment's mistake, or from a cache that has kept such a mistake. The second request
        comes later and has another address.
        """
        with suppress(NotFoundError):
            return self._session.get(path, query)
        self._session.wait()
        self._session.get(path, {})
        raise TmdbUnavailableError("has a film only in one of two answers")

    def _part(self, film_id: int, name: str) -> FilmJson | None:
        """Request a part by its own path, because TMDB left it out of its answer for the film.

        Returns:
            The part; None if TMDB sends no complete one here either.
        """
        stop = stop_after_attempt(_PART_ATTEMPTS) | stop_when_event_set(self._session.ended)
        attempts = self._session.retrying(TmdbUnavailableError, stop)
        try:
            content, _ = attempts(self._session.get, f"/movie/{film_id}/{name}", {})
        except TmdbError:
            return None
        if not is_complete(name, content):
            return None
        return {key: value for key, value in content.items() if key != "id"}

    def _ask(self, path: str, query: dict[str, str | int], parse: Callable[[Any, Times], T]) -> T:
        stop = stop_after_attempt(self._attempts) | stop_when_event_set(self._session.ended)
        attempts = self._session.retrying(TmdbUnavailableError, stop)
        return attempts(lambda: parse(*self._session.get(path, query)))


@dataclass
class _SingleStop:
    """Decide after a failed attempt whether to stop fetching one film, or one page of a list.

    Attributes:
        session: The connections to TMDB, to ask whether it works.
        limit: The largest number of attempts while TMDB is down.
        was_well: Whether TMDB worked after the previous attempt.
    """

    session: TmdbSession
    limit: int
    was_well: bool = False

    def __call__(self, state: RetryCallState) -> bool:
        """Return true if TMDB is down for too long, or if the caller has stopped.

        Raises:
            _SingleFailureError: All attempts for the film or page failed, although TMDB works.
            TmdbError: TMDB refuses the key.
            ClockError: This machine's clock is wrong.
        """
        error = state.outcome.exception() if state.outcome else None
        if self.session.ended.is_set() or not isinstance(error, TmdbError):
            return True
        if isinstance(error, NotFoundError):
            return True
        if not error.retryable:
            self.session.is_well(checks=1)  # raises if TMDB refuses every request
        if state.attempt_number >= _SINGLE_ATTEMPTS - 1:
            # TMDB must work before and after an attempt. Otherwise an outage that has just ended,
            # or begun, would look like a fault of the film or page.
            was_well, self.was_well = self.was_well, self.session.is_well()
            if was_well and self.was_well:
                raise _SingleFailureError(str(error).partition(";")[0])
        return state.attempt_number >= self.limit


def _page_name(path: str, number: int, query: dict[str, str | int]) -> str:
    dates = [str(value) for name, value in query.items() if "_date" in name and name != "sort_by"]
    return f"page {number} of {path}" + (f" ({' to '.join(dates)})" if dates else "")
