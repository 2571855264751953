"""The columns of the film store: TMDB's fields for a film, and its votes and fame over time.

A number, text or date field has a column of that type. A nested field is stored as JSON text,
without the parts that only a web page needs. Fields that TMDB may add later are stored in the
column `extra`. None means unknown.
"""

import json
from datetime import date, datetime
from typing import Any, Final

import pyarrow as pa

from movierating.films.tmdb import PARTS, incomplete_parts, is_complete

FilmRecord = dict[str, Any]

TEXT: Final = pa.string()
_NUMBERS: Final = {
    "budget": pa.int64(),  # US dollars
    "revenue": pa.int64(),  # US dollars
    "runtime": pa.int64(),  # minutes
    "popularity": pa.float64(),
    "vote_average": pa.float64(),  # 0.5 to 10
    "vote_count": pa.int64(),
}
_FLAGS: Final = ("adult", "video")
_TEXTS: Final = (
    "backdrop_path",
    "homepage",
    "imdb_id",
    "original_language",
    "original_title",
    "overview",
    "poster_path",
    "release_date",
    "status",
    "tagline",
    "title",
)
_LISTS: Final = (
    "genres",
    "origin_country",
    "production_companies",
    "production_countries",
    "spoken_languages",
)
# The JSON types of the 26 fields of /movie/{id}.
FIELD_TYPES: Final[dict[str, tuple[type, ...]]] = {
    "id": (int,),
    "belongs_to_collection": (dict,),
    **dict.fromkeys(_NUMBERS, (int, float)),
    **dict.fromkeys(_FLAGS, (bool,)),
    **dict.fromkeys(_TEXTS, (str,)),
    **dict.fromkeys(_LISTS, (list,)),
}
FIELDS: Final = tuple(sorted(FIELD_TYPES))  # alphabetical, as TMDB sends them
# By part: the column with the time at which TMDB sent it. It is null if the record has no such
# part. It may be older than the record: TMDB leaves out parts at times, and the store then keeps
# the part of an earlier record.
PART_TIMES: Final = {part: f"{part}_at" for part in PARTS}
NEVER_NULL: Final = frozenset(
    {"id", "title", "adult", "video", "popularity", "vote_average", "vote_count", *_LISTS}
)
NESTED: Final = (*_LISTS, "belongs_to_collection", *PARTS)

VOTE: Final = pa.struct(
    [("date", pa.date32()), ("vote_average", pa.float64()), ("vote_count", pa.int64())]
)
# How well known a film is before its release, as TMDB showed it at one time (see `store.fame`).
FAME: Final = pa.struct(
    [
        ("date", pa.date32()),  # the day of `at` in the pipeline's time zone
        ("at", pa.timestamp("ms", "UTC")),  # by TMDB's clock
        ("popularity", pa.float64()),
        ("votes", pa.int64()),
        ("languages", pa.int64()),  # in which TMDB has the film's texts
        ("countries", pa.int64()),  # for which TMDB has a release date
    ]
)
# The columns with a list of values over time, and what each value holds.
HISTORIES: Final[dict[str, pa.StructType]] = {"votes": VOTE, "fame": FAME}
SCHEMA: Final = pa.schema(
    [
        ("id", pa.int64()),
        ("fetched_at", pa.timestamp("ms", "UTC")),  # by TMDB's clock
        ("run_date", pa.date32()),  # date of the daily run that fetched the film; None: a backfill
        *((name, kind) for name, kind in _NUMBERS.items()),
        *((name, pa.bool_()) for name in _FLAGS),
        *((name, pa.date32() if name == "release_date" else TEXT) for name in _TEXTS),
        *((name, TEXT) for name in NESTED),
        ("extra", TEXT),
        *((name, pa.timestamp("ms", "UTC")) for name in PART_TIMES.values()),
        ("deleted", pa.bool_()),  # true in a tombstone: TMDB no longer has the film
        ("votes", pa.list_(VOTE)),  # one entry for each day the film was fetched, sorted by date
        ("fame", pa.list_(FAME)),  # up to `fame.WEEKS` entries, sorted by time
    ]
)
ABSENT: Final = ...  # for a field that TMDB did not send; None is for one that it sent as null
# The columns about the film itself, without those about how it was fetched.
FACTS: Final = tuple(
    name
    for name in SCHEMA.names
    if name not in {"fetched_at", "run_date", "deleted", *HISTORIES, *PART_TIMES.values()}
)
_WEB_PAGE_ONLY: Final = frozenset(
    {
        "cast_id",
        "character",
        "credit_id",
        "descriptors",
        "homepage",
        "known_for_department",
        "logo_path",
        "note",
        "original_name",
        "popularity",
        "profile_path",
    }
)


def unexpected_fields(film: dict[str, Any]) -> list[str]:
    """Return the names of fields in TMDB's film JSON that are absent or have an unexpected type."""
    unexpected = [name for name, types in FIELD_TYPES.items() if not _has_type(film, name, types)]
    return unexpected + incomplete_parts(film)


def has_json_type(value: Any, types: tuple[type, ...]) -> bool:
    """Whether a value has one of the JSON types in `types`; a boolean is not a number here."""
    return isinstance(value, types) and (types == (bool,) or not isinstance(value, bool))


def film_record(film: dict[str, Any], fetched_at: datetime, run_date: date | None) -> FilmRecord:
    """Convert TMDB's JSON for a film to a row of the film store, without the histories.

    Values are as TMDB sent them, or `ABSENT` if TMDB sent none. `tmdb.validation` checks them
    afterwards. A part that is absent, null, empty or without its lists becomes None; so the store
    keeps the part of an earlier record.

    Args:
        film: The response to `/movie/{id}` with its parts.
        fetched_at: When TMDB sent it.
        run_date: The date of the daily run that fetched it; None for a backfill.
    """
    known = FIELD_TYPES.keys() | PARTS.keys()
    extra = {name: value for name, value in film.items() if name not in known}
    row: FilmRecord = {name: _storable(film.get(name, ABSENT)) for name in FIELDS}
    row |= {name: compact_json(film[name]) if name in film else ABSENT for name in NESTED}
    row |= {name: None for name in PARTS if _is_missing(name, film.get(name))}
    row |= {time: None if row[name] is None else fetched_at for name, time in PART_TIMES.items()}
    return row | {
        "fetched_at": fetched_at,
        "run_date": run_date,
        "extra": compact_json(extra or None),
        "deleted": False,
    }


def tombstone(film_id: int, at: datetime) -> FilmRecord:
    """Create the row that replaces a film which TMDB has deleted, or merged into another film.

    Args:
        film_id: TMDB's id.
        at: When TMDB answered that it has no such film.
    """
    nothing: FilmRecord = dict.fromkeys(SCHEMA.names)
    nothing |= {name: [] for name in HISTORIES}
    return nothing | {"id": film_id, "fetched_at": at, "deleted": True}


def compact_json(value: Any) -> str | None:
    """Convert nested values to compact JSON text, without the parts that only a web page needs."""
    if value is None:
        return None
    return str(_storable(json.dumps(_slim(value), ensure_ascii=False, separators=(",", ":"))))


def _storable(value: Any) -> Any:
    """Replace lone surrogates in text by `?`, because UTF-8 cannot encode them."""
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) else value


def _slim(value: Any) -> Any:
    if isinstance(value, list):
        return [_slim(each) for each in value]
    if isinstance(value, dict):
        return {name: _slim(each) for name, each in value.items() if name not in _WEB_PAGE_ONLY}
    return value


def _has_type(film: dict[str, Any], name: str, types: tuple[type, ...]) -> bool:
    if name not in film:
        return False
    value = film[name]
    if value is None:
        return name not in NEVER_NULL
    return has_json_type(value, types)


def _is_missing(name: str, part: Any) -> bool:
    """Whether TMDB sent nothing for a part; a part of another type is a fault instead."""
    return not part or (isinstance(part, dict) and not is_complete(name, part))
