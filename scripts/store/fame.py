"""The fame of films to come: how well known each was at TMDB, on days before its release.

A forecast may use a film's fame only as it was before the release, and TMDB shows only today's. So
the store records it whenever it fetches a film that is not released yet, and never afterwards. A
history keeps the last day of each of the newest `WEEKS` weeks that have one. An entry of a day
never changes: if a film is fetched twice on a day, the first fetch counts. So the order in which
files are merged makes no difference, and each process may merge its own.
"""

import json
from datetime import date
from typing import Any, Final

import numpy as np
import pyarrow as pa

from movierating.films import tmdb
from scripts.store.histories import entries_of, no_entries, with_entries
from scripts.store.index import Ints, days_since_1970, ints, is_last
from scripts.store.releases import first_release
from scripts.store.schema import FilmRecord

WEEKS: Final = 3  # with four numbers each, a film has a dozen numbers
NO_FAME: Final = no_entries("fame")
_MONDAY: Final = 3  # 1970 began on a Thursday, three days after a Monday


def fame_entry(record: FilmRecord, day: date) -> list[FilmRecord]:
    """Build the entry of one fetched film; no entry if the film is released, or has no date.

    Args:
        record: A validated row of the store, with `release_date` as a date.
        day: The day on which TMDB sent the film. It is not the date of the run: a run that is late
            would record its values for a day on which nobody knew them.
    """
    release = first_release(record["release_date"], record["release_dates"])
    if release is None or day >= release.day:
        return []
    return [
        {
            "date": day,
            "at": record["fetched_at"],
            "popularity": record["popularity"],
            "votes": record["vote_count"],
            "languages": _count(record["translations"], "translations", "iso_639_1"),
            "countries": _count(record["release_dates"], "results", "iso_3166_1"),
        }
    ]


def merge_fame(films: pa.Table, older: pa.Table) -> pa.Table:
    """Add entries of other records to the films' fame, and drop the entries that are not kept.

    Args:
        films: A table with the columns of `schema.SCHEMA`, one row per film.
        older: A table with the columns of `NO_FAME`. Rows of films that are not in `films` are
            ignored.
    """
    older = older.filter(np.isin(ints(older, "id"), ints(films, "id")))
    if older.num_rows == 0:
        return films
    return with_entries(films, "fame", _kept(pa.concat_tables([older, entries_of(films, "fame")])))


def fame_before_release(films: pa.Table, day: date) -> pa.Table:
    """Keep only the fame from before each film's release, and from no later than `day`.

    A release date may have moved since the fame was recorded: to an earlier day, for example
    because TMDB learned of a premiere. Then entries that were recorded in between are left out.

    Args:
        films: A table with the columns of `schema.SCHEMA`, with the day of each film's first
            release as `release_date` (see `releases.with_first_releases`).
        day: The last day whose entries are kept.
    """
    entries = entries_of(films, "fame")
    if entries.num_rows == 0:
        return films
    recorded, opens = ints(entries, "date"), _release_days(films, entries)
    kept = entries.filter((recorded <= days_since_1970(day)) & (recorded < opens))
    order = np.lexsort((ints(kept, "date"), ints(kept, "id")))
    rank = np.argsort(np.argsort(ints(films, "id")))  # the films' own order is restored
    return with_entries(films, "fame", kept.take(order)).take(rank)


def _release_days(films: pa.Table, entries: pa.Table) -> Ints:
    """Return the day of the first release for each entry; before all days if it is unknown."""
    order = np.argsort(ints(films, "id"))
    at = order[np.searchsorted(ints(films, "id")[order], ints(entries, "id"))]
    unknown = np.iinfo(np.int64).min
    return ints(films, "release_date", unknown)[at]


def _kept(entries: pa.Table) -> pa.Table:
    """Keep the first entry of each day, then the last day of each of the newest weeks."""
    ids, days = ints(entries, "id"), ints(entries, "date")
    order = np.lexsort((-ints(entries, "at"), days, ids))
    order = order[is_last(ids[order], days[order])]  # the first time of each day
    weeks = (days[order] + _MONDAY) // 7
    order = order[is_last(ids[order], weeks)]
    from_end = _positions_from_end(ids[order])
    return entries.take(order[from_end < WEEKS])


def _positions_from_end(ids: Ints) -> Ints:
    """For each row, count the later rows of the same film; rows are sorted by film."""
    ends = np.searchsorted(ids, ids, side="right")
    return ends - 1 - np.arange(len(ids))


def _count(part: str | None, name: str, key: str) -> int | None:
    """Count the different codes in a part of TMDB's answer; None if TMDB left the part out."""
    if part is None:
        return None
    found: set[Any] = {each.get(key) for each in tmdb.objects(json.loads(part), name)}
    return len({code for code in found if isinstance(code, str) and code})
