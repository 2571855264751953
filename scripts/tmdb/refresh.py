"""Choose the films that a daily run fetches: popular, new and changed films, and old records."""

import logging
from collections.abc import Iterable, Iterator
from datetime import date, datetime, timedelta
from itertools import chain, islice
from typing import Any, Final, TypeVar

import numpy as np

from scripts.store.index import EPOCH, Index, Ints, days_since_1970
from scripts.tmdb.client import MAX_PAGE, PAGE_SIZE, Tmdb
from scripts.tmdb.failures import FailingFilms
from scripts.tmdb.listing import FilmJson

logger = logging.getLogger(__name__)

# Number of films to fetch into an empty store: enough to train on. The backfill adds all others.
FIRST_FILMS: Final = 1500
POPULAR_SHARE: Final = 0.2  # of these first films; the others are the newest with enough votes
MIN_VOTES: Final = 50  # of these newest films
POPULAR_FILMS: Final = 200  # the most popular films are fetched every day
YOUNG_DAYS: Final = 365  # since the release; until then the votes are fetched more often
# Votes change fast at first. So a record may be a tenth as old as its film: one day in the first
# weeks after the release, a month when the film is nearly a year old.
_VOTES_MAY_AGE: Final = 10
KEEP_DAYS: Final = 180  # TMDB's terms allow to keep its content for six months
REFRESH_DAYS: Final = 150  # an older record is fetched again, well before it must be deleted
# The fame of a film to come is recorded when the film is fetched (see `store.fame`): every day in
# the last weeks before its release, and once a week before that.
DAILY_DAYS: Final = 28
_WEEKLY_DAYS: Final = 180
_SETTLED_DAYS: Final = 30  # a younger record is not fetched again because of its age

Milliseconds = TypeVar("Milliseconds", int, Ints)


def first_films(
    tmdb: Tmdb, until: date, limit: int, waiting: frozenset[int] = frozenset()
) -> list[int]:
    """Choose up to `limit` film ids to fetch into an empty store: popular films, then new films.

    The new films are the newest ones with enough votes that were released up to `until`. Films in
    `waiting` are left out, because they failed and are tried again on a later day.
    """
    popular = tmdb.films("/movie/popular", limit=max(1, round(limit * POPULAR_SHARE)))
    found = _unique(chain(popular, newest_rated(tmdb, until, limit + len(waiting))))
    return list(islice((film_id for film_id in found if film_id not in waiting), limit))


def due(
    tmdb: Tmdb, index: Index, changed_since: date, now: datetime, failing: FailingFilms
) -> list[int]:
    """Return the ids of the films that this daily run fetches, the most important first.

    Args:
        tmdb: The TMDB client, which requests the lists of popular, new and changed films.
        index: Ids and dates of the films in the store.
        changed_since: The first day whose changes at TMDB have not been read yet.
        now: The current time by TMDB's clock. The next run reads the changes of the current day,
            because more films may change today.
        failing: The films that TMDB could not send in earlier runs. Each is requested again on a
            later day.
    """
    today = days_since_1970(now.date())
    wanted = chain(
        listed(tmdb, index, today),
        changed(tmdb, index, days_since_1970(changed_since), today),
        sorted(failing.ids),
        soon_released(index, today),
        with_young_votes(index, today),
        getting_old(index, today),
    )
    waiting = failing.waiting(now.date())
    return list(dict.fromkeys(film_id for film_id in wanted if film_id not in waiting))


def listed(tmdb: Tmdb, index: Index, today: int) -> Iterator[int]:
    """Yield ids of popular, upcoming and currently shown films that were not fetched today."""
    lists = chain(
        tmdb.films("/movie/popular", limit=POPULAR_FILMS),
        tmdb.films("/movie/now_playing"),
        tmdb.films("/movie/upcoming"),
    )
    return (film_id for film_id in _unique(lists) if _day(index.fetched(film_id)) < today)


def changed(tmdb: Tmdb, index: Index, since: int, until: int) -> Iterator[int]:
    """Yield ids of films that changed at TMDB and were not fetched after the day of the change.

    Adult films that the store does not have are left out. Changes are read from the day `since` to
    the day before `until`; both are days since 1970.
    """
    for day in range(since, until):
        found = tmdb.changed(EPOCH + timedelta(days=day), lambda each: index.fetched(each) > 0)
        for film_id in found:
            if _day(index.fetched(film_id)) <= day:
                yield film_id


def soon_released(index: Index, today: int) -> Iterator[int]:
    """Yield ids of films to come whose fame is due to be recorded."""
    ahead = index.release_day - today
    is_to_come = (index.release_day != Index.UNDATED) & (ahead > 0) & (ahead <= _WEEKLY_DAYS)
    may_age = np.where(ahead <= DAILY_DAYS, 1, 7)
    is_due = is_to_come & (today - _day(index.fetched_at) >= may_age)
    yield from index.ids[is_due].tolist()


def with_young_votes(index: Index, today: int) -> Iterator[int]:
    """Yield ids of films released in the past year whose record is too old.

    A record is too old if its age is a tenth of the time since the release, or more. The votes of
    a new film change fast, so its record is fetched again sooner.
    """
    age = today - index.release_day
    is_young = (index.release_day != Index.UNDATED) & (age >= 0) & (age <= YOUNG_DAYS)
    may_age = np.maximum(1, age // _VOTES_MAY_AGE)
    is_due = is_young & (today - _day(index.fetched_at) >= may_age)
    yield from index.ids[is_due].tolist()


def getting_old(index: Index, today: int) -> Iterator[int]:
    """Yield ids of films whose records must soon be deleted, and of some more with old records.

    A backfill fetches all films within days, so all their records grow old at the same time. To
    spread the work, each daily run fetches some of the oldest records again.
    """
    age = today - _day(index.fetched_at)
    oldest = np.argsort(-age, kind="stable")
    per_day = -(-len(index) // REFRESH_DAYS)
    share = oldest[:per_day][age[oldest[:per_day]] >= _SETTLED_DAYS]
    expiring = oldest[age[oldest] >= REFRESH_DAYS]
    yield from index.ids[np.union1d(share, expiring)].tolist()


def newest_rated(tmdb: Tmdb, until: date, limit: int) -> Iterator[FilmJson]:
    """List the films with enough votes that were released up to `until`, the newest first.

    TMDB gives at most 500 pages of a list. After that, a new list starts at the last film's date.

    Args:
        tmdb: The TMDB client.
        until: The last release date.
        limit: About how many films are listed at most.
    """
    while limit > 0:
        query: dict[str, str | int] = {
            "sort_by": "primary_release_date.desc",
            "primary_release_date.lte": until.isoformat(),
            "vote_count.gte": MIN_VOTES,
        }
        found = list(tmdb.films("/discover/movie", query, min(limit, MAX_PAGE * PAGE_SIZE)))
        # Films that a second reading has found come last.
        found.sort(key=lambda film: _opened(film) or until, reverse=True)
        yield from found
        last = (_opened(found[-1]) if found else None) or until
        if len(found) < MAX_PAGE * PAGE_SIZE or last == until:
            return
        until, limit = last, limit - len(found)


def _unique(films: Iterable[FilmJson]) -> Iterator[int]:
    seen: set[int] = set()
    for film in films:
        if film["id"] not in seen:
            seen.add(film["id"])
            yield film["id"]


def _day(milliseconds: Milliseconds) -> Milliseconds:
    """Convert a time in milliseconds since 1970 to days since 1970."""
    return milliseconds // 86_400_000


def _opened(film: dict[str, Any]) -> date | None:
    try:
        return date.fromisoformat(film["release_date"])
    except (KeyError, TypeError, ValueError):
        return None
