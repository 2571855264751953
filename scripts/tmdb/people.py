"""Choose the people whose names and photos are requested from TMDB, and request them."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from datetime import datetime, timedelta

from scripts.runtime.progress import progress
from scripts.store.credits import Credited
from scripts.store.people import PersonRecord
from scripts.tmdb.client import Tmdb
from scripts.tmdb.refresh import REFRESH_DAYS

logger = logging.getLogger(__name__)


def due_people(
    credited: Mapping[int, Credited], known: Mapping[int, PersonRecord], now: datetime
) -> list[int]:
    """Return the ids of the people to request: unknown ones, and those with an old record.

    Unknown people come first, and of these the ones with the most films.

    Args:
        credited: The directors, writers and leads of the film store.
        known: The people that are stored.
        now: The current time by TMDB's clock.
    """
    oldest = now - timedelta(REFRESH_DAYS)
    new = [number for number in credited if number not in known]
    old = [number for number in credited if number in known and known[number].fetched_at < oldest]
    new.sort(key=lambda number: (-credited[number].films.total(), number))
    old.sort(key=lambda number: known[number].fetched_at)
    return [*new, *old]


def fetch_people(tmdb: Tmdb, person_ids: Sequence[int]) -> Iterator[PersonRecord]:
    """Request people; yield them as they arrive, except people whom TMDB cannot send now.

    A person that TMDB no longer has is yielded without names, so that no run asks for it daily.

    Raises:
        TmdbError: TMDB refuses the requests or is unavailable.
    """
    failed = 0
    with progress(len(person_ids)) as bar, closing(tmdb.people(person_ids)) as answers:
        for answer in answers:
            bar.update(1)
            if answer.problem is not None:
                failed += 1
            elif answer.content is None:
                yield PersonRecord(answer.id, answer.at)
            else:
                yield PersonRecord.of(answer.content, answer.at)
    if failed:
        logger.warning("TMDB cannot send %s people; a later run asks for them again", failed)
