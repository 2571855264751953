"""Validate the films that TMDB sends, and add them to the store as they arrive."""

import logging
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import Final

from scripts.store.film_store import FilmStore
from scripts.store.schema import film_record
from scripts.tmdb.client import TmdbAnswer, TmdbError
from scripts.tmdb.validation import ValidationReport, validate_records

logger = logging.getLogger(__name__)

_STORE_EVERY_SECONDS: Final = 0.35  # if the process is killed, less than a second of work is lost


@dataclass
class Ingestion:
    """Adds the films that one run fetches to the film store, after validating them.

    Attributes:
        votes_as_of: The day under which the votes are stored in the vote history.
        run_date: The date of the daily run that fetches the films; None for a backfill.
        max_bad_share: The run stops if a larger fraction of the records is bad.
        report: The numbers of records and faults so far.
        gone: The number of requested ids for which TMDB has no film.
    """

    store: FilmStore
    votes_as_of: date
    run_date: date | None
    max_bad_share: float
    report: ValidationReport = field(default_factory=ValidationReport)
    gone: int = 0

    def add(self, answers: Iterable[TmdbAnswer]) -> Iterator[list[int]]:
        """Add films to the store in small batches, as they arrive from TMDB.

        If a later request fails, the films that have arrived are still added.

        Yields:
            The film ids in each stored batch, including ids for which TMDB has no film.

        Raises:
            BadAnswersError: Too many records are bad; the current batch is not added.
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
            film_record(answer.film, answer.at, self.run_date)
            for answer in answers
            if answer.film is not None
        ]
        self.gone += len(answers) - len(records)
        if records:
            films = validate_records(records, self.votes_as_of, self.report)
            self.report.check(self.max_bad_share)
            self.store.add(films)
        return [answer.film_id for answer in answers]
