"""Validate TMDB's records before they enter the store: types, ranges and consistency.

An impossible value is set to missing and a film without an id is dropped; both are counted by
reason. Unknown fields are kept.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from functools import cache, partial
from typing import Any, Final

import pandas as pd
import pyarrow as pa
from pandera.errors import SchemaErrors
from pandera.pandas import Check, Column, DataFrameSchema

from movierating.errors import ExplainedError
from scripts.store.schema import (
    FIELD_TYPES,
    NESTED,
    NEVER_NULL,
    PARTS,
    SCHEMA,
    FilmRecord,
    has_json_type,
)

MINUTES: Final = (1, 899)  # shortest and longest running time
YEARS_AHEAD: Final = 30  # a later release date is a mistake
MIN_TO_JUDGE: Final = 50  # the share of bad records is noise with fewer, so it is taken of 50
_LARGEST: Final = 10**12  # of any number; no film cost or earned as much
_FIRST_FILM: Final = date(1874, 1, 1)
# In these fields TMDB writes 0 for unknown.
_ZERO_IS_UNKNOWN: Final = ("budget", "revenue", "runtime")
# Rules over several fields, and the fields that are set to missing when a rule is broken.
_VOTES: Final = ("vote_average", "vote_count")
_SET_MISSING: Final = {
    "rating without votes": ("vote_average",),
    "votes without rating": _VOTES,
    "votes before release": _VOTES,
}


class BadAnswersError(ExplainedError, ValueError):
    """So many records are bad that TMDB's format has changed, or the server is not TMDB."""

    def __init__(self, report: "ValidationReport") -> None:
        """Give the number of bad records and the most frequent faults."""
        worst = ", ".join(f"{name} ({count})" for name, count in report.faults.most_common(3))
        super().__init__(
            f"{report.bad} of {report.records} records are bad: {worst}; check whether TMDB "
            "has changed its format, or raise COLLECT_MAX_BAD_SHARE"
        )


@dataclass
class ValidationReport:
    """The result of validation, over all batches of a run.

    Attributes:
        records: How many records were validated.
        bad: How many of them had a fault.
        faults: How often a value was set to missing or a record dropped, by "field: reason".
        unknown: How often TMDB wrote 0 for unknown, by field; this is no fault.
    """

    records: int = 0
    bad: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    unknown: Counter[str] = field(default_factory=Counter)

    def as_json(self) -> dict[str, Any]:
        """The counts, with reasons in alphabetical order."""
        return {
            "records": self.records,
            "bad": self.bad,
            "faults": dict(sorted(self.faults.items())),
            "unknown": dict(sorted(self.unknown.items())),
        }

    def check(self, max_bad_share: float) -> None:
        """Stop a run whose records cannot be trusted.

        Raises:
            BadAnswersError: More than this share of the records is bad.
        """
        if self.bad > max_bad_share * max(self.records, MIN_TO_JUDGE):
            raise BadAnswersError(self)


def validate_records(records: list[FilmRecord], as_of: date, report: ValidationReport) -> pa.Table:
    """Validate records, and return those with an id in the columns of the store.

    Args:
        records: Results of `schema.film_record`, with values as TMDB sent them.
        as_of: The day that the votes are stored for.
        report: The counts are added to it.
    """
    frame = pd.DataFrame(records, columns=SCHEMA.names[:-1], dtype=object)
    faulty = Counter[int]()
    for schema in (_types_schema(), _values_schema(as_of)):
        frame = _mend(frame, schema, report, faulty)
        for name in _ZERO_IS_UNKNOWN:
            zero = frame[name] == 0
            report.unknown[name] += int(zero.sum())
            frame.loc[zero, name] = None
    report.records += len(records)
    report.bad += len(faulty)
    frame = frame[frame["id"].notna()]
    rows = frame.to_dict("records")
    for row in rows:
        row["release_date"] = _day(row["release_date"])
        row["votes"] = _votes(row, as_of)
    return pa.Table.from_pylist(rows, schema=SCHEMA)


def _mend(
    frame: pd.DataFrame, schema: DataFrameSchema, report: ValidationReport, faulty: Counter[int]
) -> pd.DataFrame:
    try:
        schema.validate(frame, lazy=True)
    except SchemaErrors as errors:
        frame = frame.copy()
        cases = errors.failure_cases
        # Pandera reports a broken rule once per field of the frame; count it once.
        cases["column"] = cases["column"].mask(cases["check"].isin(_SET_MISSING), "votes")
        found = cases.drop_duplicates(["column", "check", "index"])
        for column, check, at in found[["column", "check", "index"]].itertuples(index=False):
            report.faults[f"{column}: {'is missing' if check == 'not_nullable' else check}"] += 1
            faulty[at] += 1
            for name in _SET_MISSING.get(check, (column,)):
                frame.at[at, name] = None
    return frame


@cache
def _types_schema() -> DataFrameSchema:
    """Each field is present and of TMDB's type; nested fields are JSON text here."""
    plain = {
        name: _column(partial(has_json_type, types=types), "another form", name)
        for name, types in FIELD_TYPES.items()
        if name not in NESTED
    }
    nested = {name: _column(partial(_is_json, name=name), "another form", name) for name in NESTED}
    return DataFrameSchema(plain | nested)


@cache
def _values_schema(as_of: date) -> DataFrameSchema:
    """Each value is possible, and the values are consistent."""
    shortest, longest = MINUTES
    last = date(as_of.year + YEARS_AHEAD, 12, 31)

    def is_possible(text: str) -> bool:
        day = _day(text)
        return not text or (day is not None and _FIRST_FILM <= day <= last)

    def later(frame: pd.DataFrame) -> "pd.Series[bool]":
        return frame["release_date"].map(lambda text: bool(text) and text > as_of.isoformat())

    count, rating = "vote_count", "vote_average"
    return DataFrameSchema(
        {
            "id": _column(partial(_is_whole, lowest=1, highest=_LARGEST), "impossible"),
            "runtime": _column(partial(_is_whole, lowest=shortest, highest=longest), "impossible"),
            "budget": _column(partial(_is_whole, lowest=1, highest=_LARGEST), "impossible"),
            "revenue": _column(partial(_is_whole, lowest=1, highest=_LARGEST), "impossible"),
            rating: _column(lambda stars: 0 <= stars <= 10, "impossible"),  # noqa: PLR2004
            count: _column(partial(_is_whole, lowest=0, highest=_LARGEST), "impossible"),
            "release_date": _column(is_possible, "impossible"),
        },
        checks=[
            _rule("rating without votes", lambda f: ~((f[count] == 0) & (_number(f[rating]) > 0))),
            _rule("votes without rating", lambda f: ~((_number(f[count]) > 0) & (f[rating] == 0))),
            _rule("votes before release", lambda f: ~((_number(f[count]) > 0) & later(f))),
        ],
    )


def _column(holds: Callable[[Any], bool], fault: str, name: str = "") -> Column:
    check = Check(holds, element_wise=True, error=fault)
    return Column(object, check, nullable=name not in NEVER_NULL)


def _rule(name: str, holds: Callable[[pd.DataFrame], Any]) -> Check:
    return Check(holds, error=name)


def _number(values: "pd.Series[Any]") -> "pd.Series[float]":
    return pd.to_numeric(values, errors="coerce")


def _is_whole(number: float, lowest: int, highest: int) -> bool:
    return lowest <= number <= highest and number == int(number)


def _is_json(text: Any, name: str) -> bool:
    is_object = name in PARTS or FIELD_TYPES[name] == (dict,)
    return isinstance(text, str) and text.startswith("{" if is_object else "[")


def _day(text: str | None) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        return None


def _votes(row: dict[Any, Any], as_of: date) -> list[FilmRecord]:
    """The entry of the vote history for a day; rating and number are only useful together."""
    if row["vote_count"] == 0:
        row["vote_average"] = None
    elif None in (row["vote_count"], row["vote_average"]):
        row["vote_count"] = row["vote_average"] = None
        return []
    return [{"date": as_of, **{name: row[name] for name in _VOTES}}]
