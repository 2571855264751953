"""From TMDB's answers to films in the store: checked at the door, kept at once."""

import logging
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import Final

from scripts.store.film_store import FilmStore
from scripts.store.schema import record_of
from scripts.tmdb.client import Answer, TmdbError
from scripts.tmdb.validation import Report, admit

logger = logging.getLogger(__name__)

_KEEP_EVERY_SECONDS: Final = 0.35  # so that a kill costs less than a second of work


@dataclass
class Intake:
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
    report: Report = field(default_factory=Report)
    gone: int = 0

    def take(self, answers: Iterable[Answer]) -> Iterator[list[int]]:
        """Keep films as they come; yields the ids that are dealt with, some at a time.

        What has come is kept also when what follows fails.

        Raises:
            BadAnswersError: Too many records are bad; those at hand are not kept.
            DataFileError: The store cannot be written.
            TmdbError: As raised by `answers`.
        """
        waiting: list[Answer] = []
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

    def _keep(self, answers: list[Answer]) -> list[int]:
        records = [
            record_of(answer.film, answer.at, self.run_date)
            for answer in answers
            if answer.film is not None
        ]
        self.gone += len(answers) - len(records)
        if records:
            films = admit(records, self.votes_as_of, self.report)
            self.report.check(self.max_bad_share)
            self.store.add(films)
        return [answer.film_id for answer in answers]
