"""A film as the store keeps it: TMDB's fields as columns, and how its votes went.

Numbers, text and dates are columns of their own type; what TMDB nests stays JSON text, without what
only a page needs. Fields that TMDB may add later are kept in `extra`. None means unknown.
"""

import json
from datetime import date, datetime
from typing import Any, Final

import pyarrow as pa

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
# The type of each of the 26 fields of /movie/{id}, as JSON has it.
FIELD_TYPES: Final[dict[str, tuple[type, ...]]] = {
    "id": (int,),
    "belongs_to_collection": (dict,),
    **dict.fromkeys(_NUMBERS, (int, float)),
    **dict.fromkeys(_FLAGS, (bool,)),
    **dict.fromkeys(_TEXTS, (str,)),
    **dict.fromkeys(_LISTS, (list,)),
}
FIELDS: Final = tuple(sorted(FIELD_TYPES))  # TMDB's order too
# What else is asked for with a film, and the list within each that matters.
PARTS: Final = {
    "credits": "cast",
    "keywords": "keywords",
    "release_dates": "results",
    "translations": "translations",
}
NEVER_NULL: Final = frozenset(
    {"id", "title", "adult", "video", "popularity", "vote_average", "vote_count", *_LISTS}
)
NESTED: Final = (*_LISTS, "belongs_to_collection", *PARTS)

VOTE: Final = pa.struct(
    [("date", pa.date32()), ("vote_average", pa.float64()), ("vote_count", pa.int64())]
)
SCHEMA: Final = pa.schema(
    [
        ("id", pa.int64()),
        ("fetched_at", pa.timestamp("ms", "UTC")),  # when TMDB answered, by its clock
        ("run_date", pa.date32()),  # the daily run that brought it in; None: a backfill
        *((name, kind) for name, kind in _NUMBERS.items()),
        *((name, pa.bool_()) for name in _FLAGS),
        *((name, pa.date32() if name == "release_date" else TEXT) for name in _TEXTS),
        *((name, TEXT) for name in NESTED),
        ("extra", TEXT),
        ("votes", pa.list_(VOTE)),  # by date, as often as it was fetched
    ]
)
ABSENT: Final = ...  # in the place of a field that an answer lacks; null is an answer
# What a record says of the film itself.
FACTS: Final = tuple(
    name for name in SCHEMA.names if name not in {"fetched_at", "run_date", "votes"}
)
_FOR_PAGES_ONLY: Final = frozenset(
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
    """The fields of an answer that are absent or of a type that TMDB never gives them."""
    odd = [name for name, types in FIELD_TYPES.items() if not _has_type(film, name, types)]
    parts = [name for name, inner in PARTS.items() if not _is_part(film.get(name), inner)]
    return odd + parts


def has_json_type(value: Any, types: tuple[type, ...]) -> bool:
    """Whether a value is of one of JSON's types; in Python alone a flag is a number too."""
    return isinstance(value, types) and (types == (bool,) or not isinstance(value, bool))


def film_record(film: dict[str, Any], fetched_at: datetime, run_date: date | None) -> FilmRecord:
    """An answer to `/movie/{id}` with its parts, as a row of the store.

    Values are as TMDB sent them, `ABSENT` where it sent none; what is odd or impossible is for
    `validation` to find.
    """
    known = FIELD_TYPES.keys() | PARTS.keys()
    extra = {name: value for name, value in film.items() if name not in known}
    row: FilmRecord = {name: _storable(film.get(name, ABSENT)) for name in FIELDS}
    row |= {name: compact_json(film[name]) if name in film else ABSENT for name in NESTED}
    return row | {
        "fetched_at": fetched_at,
        "run_date": run_date,
        "extra": compact_json(extra or None),
    }


def compact_json(value: Any) -> str | None:
    """Nested values as compact JSON, without what only a page needs."""
    if value is None:
        return None
    return str(_storable(json.dumps(_slim(value), ensure_ascii=False, separators=(",", ":"))))


def _storable(value: Any) -> Any:
    """Text without halves of characters, which JSON can carry and UTF-8 cannot: they become `?`."""
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) else value


def _slim(value: Any) -> Any:
    if isinstance(value, list):
        return [_slim(each) for each in value]
    if isinstance(value, dict):
        return {name: _slim(each) for name, each in value.items() if name not in _FOR_PAGES_ONLY}
    return value


def _has_type(film: dict[str, Any], name: str, types: tuple[type, ...]) -> bool:
    if name not in film:
        return False
    value = film[name]
    if value is None:
        return name not in NEVER_NULL
    return has_json_type(value, types)


def _is_part(part: Any, inner: str) -> bool:
    return isinstance(part, dict) and isinstance(part.get(inner), list)
