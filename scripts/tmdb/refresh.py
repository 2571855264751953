"""Which films a daily run brings in: what is popular or new, what changed, what is getting old."""

import logging
from collections.abc import Iterable, Iterator
from datetime import date, datetime, timedelta
from itertools import chain, islice
from typing import Any, Final, TypeVar

import numpy as np

from scripts.store.index import EPOCH, Index, Ints, days_since_1970
from scripts.tmdb.client import MAX_PAGE, PAGE_SIZE, FilmJson, Tmdb

logger = logging.getLogger(__name__)

FIRST_FILMS: Final = 1500  # into an empty store; the rest is the backfill's
POPULAR_SHARE: Final = 0.2  # of the first films; the others are the newest with enough votes
MIN_VOTES: Final = 50
POPULAR_FILMS: Final = 200  # looked at every day
YOUNG_DAYS: Final = 365
# A tenth of a film's age is how old its votes may be: a day in its first weeks, a month in a year.
_VOTES_MAY_AGE: Final = 10
KEEP_DAYS: Final = 180  # TMDB's terms: six months
_REFRESH_DAYS: Final = 150  # so that a film that never changes is not lost to these terms
_SETTLED_DAYS: Final = 30

Moment = TypeVar("Moment", int, Ints)


def first_films(tmdb: Tmdb, until: date, limit: int) -> list[int]:
    """Ids for an empty store, each once: popular films, then the newest rated ones."""
    popular = islice(tmdb.pages("/movie/popular"), max(1, round(limit * POPULAR_SHARE)))
    return list(islice(_unique(chain(popular, newest_rated(tmdb, until))), limit))


def due(tmdb: Tmdb, index: Index, changed_since: date, now: datetime) -> list[int]:
    """Ids of the films to bring in, each once, the most wanted first.

    Args:
        tmdb: Where lists come from.
        index: What the store has.
        changed_since: The first day whose changes have not been looked at.
        now: By TMDB's clock. Changes of the day that is not over yet are left to the next run.
    """
    today = days_since_1970(now.date())
    wanted = chain(
        listed(tmdb, index, today),
        changed(tmdb, index, days_since_1970(changed_since), today),
        with_young_votes(index, today),
        getting_old(index, today),
    )
    return list(dict.fromkeys(wanted))


def listed(tmdb: Tmdb, index: Index, today: int) -> Iterator[int]:
    """What people look at now: popular films, those in cinemas, and those to come."""
    lists = chain(
        islice(tmdb.pages("/movie/popular"), POPULAR_FILMS),
        tmdb.pages("/movie/now_playing"),
        tmdb.pages("/movie/upcoming"),
    )
    return (film_id for film_id in _unique(lists) if _day(index.fetched(film_id)) < today)


def changed(tmdb: Tmdb, index: Index, since: int, until: int) -> Iterator[int]:
    """Films that changed on a day from `since` to before `until`, unless fetched after it."""
    for day in range(since, until):
        for film_id in tmdb.changed(EPOCH + timedelta(days=day)):
            if _day(index.fetched(film_id)) <= day:
                yield film_id


def with_young_votes(index: Index, today: int) -> Iterator[int]:
    """Films of the last year whose record is older than a tenth of the film."""
    age = today - index.release_day
    is_young = (index.release_day != Index.UNDATED) & (age >= 0) & (age <= YOUNG_DAYS)
    may_age = np.maximum(1, age // _VOTES_MAY_AGE)
    is_due = is_young & (today - _day(index.fetched_at) >= may_age)
    return iter(index.ids[is_due].tolist())


def getting_old(index: Index, today: int) -> Iterator[int]:
    """Films that would soon be purged, and each day some of the oldest, so that these stay few."""
    age = today - _day(index.fetched_at)
    oldest = np.argsort(-age, kind="stable")
    per_day = -(-len(index) // _REFRESH_DAYS)
    share = oldest[:per_day][age[oldest[:per_day]] >= _SETTLED_DAYS]
    expiring = oldest[age[oldest] >= _REFRESH_DAYS]
    return iter(index.ids[np.union1d(share, expiring)].tolist())


def newest_rated(tmdb: Tmdb, until: date) -> Iterator[FilmJson]:
    """Rated films from `until` backwards; past TMDB's last page it goes on by date."""
    while True:
        count, last = 0, until
        query: dict[str, str | int] = {
            "sort_by": "primary_release_date.desc",
            "primary_release_date.lte": until.isoformat(),
            "vote_count.gte": MIN_VOTES,
        }
        for film in tmdb.pages("/discover/movie", **query):
            count, last = count + 1, _opened(film) or last
            yield film
        if count < MAX_PAGE * PAGE_SIZE or last == until:
            return
        until = last


def _unique(films: Iterable[FilmJson]) -> Iterator[int]:
    seen: set[int] = set()
    for film in films:
        if film["id"] not in seen:
            seen.add(film["id"])
            yield film["id"]


def _day(milliseconds: Moment) -> Moment:
    """The day of a moment; both count from 1970."""
    return milliseconds // 86_400_000


def _opened(film: dict[str, Any]) -> date | None:
    try:
        return date.fromisoformat(film["release_date"])
    except (KeyError, TypeError, ValueError):
        return None
