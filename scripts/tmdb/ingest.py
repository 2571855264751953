"""Validate the films that TMDB sends, and add them to the store as they arrive."""

import logging
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Final

from scripts.store.film_store import FilmStore
from scripts.store.schema import film_record
from scripts.tmdb.client import TmdbAnswer
from scripts.tmdb.errors import TmdbError
from scripts.tmdb.failures import TooManyDeletedError, TooManyFailuresError, named
from scripts.tmdb.validation import MIN_TO_JUDGE, ValidationReport, validate_records

logger = logging.getLogger(__name__)

_STORE_EVERY_SECONDS: Final = 0.35  # if the process is killed, less than a second of work is lost


@dataclass
class Ingestion:
    """Adds the films that one run fetches to the film store, after validating them.

    Attributes:
        votes_as_of: The day under which the votes are stored in the vote history.
        run_date: The date of the daily run that fetches the films; None for a backfill.
        max_bad_share: The run stops if a larger fraction of the records is bad, or if a larger
            fraction of the films fails.
        known_failing: Ids of the films that failed in earlier runs. If they fail again, this is no
            sign of an outage.
        report: The numbers of records and faults so far.
        gone: The number of requested ids for which TMDB has no film.
        not_found: These ids, and when TMDB answered that it has no such film.
        failed: The films that TMDB could not send, by id, with the problem of each.
        recovered: The films of `known_failing` that TMDB answered.
        deleted: The films of the store that were replaced by tombstones.
    """

    store: FilmStore
    votes_as_of: date
    run_date: date | None
    max_bad_share: float
    known_failing: frozenset[int] = frozenset()
    report: ValidationReport = field(default_factory=ValidationReport)
    gone: int = 0
    not_found: dict[int, datetime] = field(default_factory=dict)
    failed: dict[int, str] = field(default_factory=dict)
    recovered: set[int] = field(default_factory=set)
    deleted: list[int] = field(default_factory=list)
    _asked: int = 0

    def add(self, answers: Iterable[TmdbAnswer]) -> Iterator[list[int]]:
        """Add films to the store in small batches, as they arrive from TMDB.

        If a later request fails, the films that have arrived are still added.

        Yields:
            The film ids in each stored batch, including ids for which TMDB has no film, and ids of
            films that failed.

        Raises:
            BadAnswersError: Too many records are bad; the current batch is not added.
            TooManyFailuresError: Too many films failed that did not fail in earlier runs.
            DataFileError: The store cannot be written.
            TmdbError: As raised by `answers`.
        """
        waiting: list[TmdbAnswer] = []
        since = time.monotonic()
        try:
            for answer in answers:
                waiting.append(answer)
                if time.monotonic() - since >= _STORE_EVERY_SECONDS:
                    yield self._store(waiting)
                    waiting, since = [], time.monotonic()
        except TmdbError:
            self._store(waiting)
            raise
        yield self._store(waiting)

    def _store(self, answers: list[TmdbAnswer]) -> list[int]:
        records = [
            film_record(answer.content, answer.at, self.run_date)
            for answer in answers
            if answer.content is not None
        ]
        failed = {each.id: each.problem for each in answers if each.problem is not None}
        not_found = {
            each.id: each.at for each in answers if each.content is None and each.problem is None
        }
        self.not_found |= not_found
        self.gone += len(not_found)
        if records:
            films = validate_records(records, self.votes_as_of, self.report)
            self.report.check(self.max_bad_share)
            self.store.add(films)
        ids = [answer.id for answer in answers]
        self.failed |= failed
        self.recovered |= self.known_failing.intersection(ids) - failed.keys()
        self._asked += len(ids)
        self._check_failures()
        return ids

    def bury_deleted(self) -> None:
        """Replace the films of the store that TMDB has deleted or merged by tombstones.

        Raises:
            TooManyDeletedError: These are too many films to believe; none of them is replaced.
            DataFileError: The store cannot be written.
        """
        if not self.not_found:
            return
        index = self.store.index()
        known = {film_id: at for film_id, at in self.not_found.items() if index.fetched(film_id)}
        if self._is_above_limit(len(known)):
            raise TooManyDeletedError(known, self._asked)
        self.store.bury(known)
        self.deleted = sorted(known)
        if known:
            logger.info("TMDB has deleted or merged films of the store: %s", named(known))

    def as_json(self) -> dict[str, Any]:
        """Return the result of the run, for its report."""
        return {
            "gone": self.gone,
            "deleted": self.deleted,
            "validation": self.report.as_json(),
        }

    def _is_above_limit(self, films: int) -> bool:
        return films > self.max_bad_share * max(self._asked, MIN_TO_JUDGE)

    def _check_failures(self) -> None:
        new = {film_id: self.failed[film_id] for film_id in self.failed.keys() - self.known_failing}
        if self._is_above_limit(len(new)):
            raise TooManyFailuresError(new, self._asked)
