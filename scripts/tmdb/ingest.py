"""From TMDB's answers to films in the store: checked at the door, kept at once."""

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

_KEEP_EVERY_SECONDS: Final = 0.35  # so that a kill costs less than a second of work


@dataclass
class Ingestion:
    """The way of one run's films into the store.

    Attributes:
        votes_as_of: The day that their votes count for.
        run_date: The daily run that brings them in; None for a backfill.
        max_bad_share: Of the records; more than that stops the run.
        report: What was found so far.
        gone: How many ids TMDB has no film for.
    """

    store: FilmStore
    votes_as_of: date
    run_date: date | None
    max_bad_share: float
    report: ValidationReport = field(default_factory=ValidationReport)
    gone: int = 0

    def add(self, answers: Iterable[TmdbAnswer]) -> Iterator[list[int]]:
        """Keep films as they come; yields the ids that are dealt with, some at a time.

        What has come is kept also when what follows fails.

        Raises:
            BadAnswersError: Too many records are bad; those at hand are not kept.
            DataFileError: The store cannot be written.
            TmdbError: As raised by `answers`.
        """
        waiting: list[TmdbAnswer] = []
        since = time.monotonic()
        try:
            for answer in answers:
                waiting.append(answer)
                if time.monotonic() - since >= _KEEP_EVERY_SECONDS:
                    yield self._keep(waiting)
                    waiting, since = [], time.monotonic()
        except TmdbError:
            self._keep(waiting)
            raise
        yield self._keep(waiting)

    def _keep(self, answers: list[TmdbAnswer]) -> list[int]:
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
