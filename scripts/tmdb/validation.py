"""Validate the records that TMDB sends before they are stored: types, ranges and consistency.

An impossible value is set to missing, except a running time that is too long. A film without an id
is dropped. The validation report gives the number of both, by reason. Fields that this code does
not know are kept as they are.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from functools import cache, partial
from math import isnan
from typing import Any, Final

import pandas as pd
import pyarrow as pa
from pandera.errors import SchemaErrors
from pandera.pandas import Check, Column, DataFrameSchema

from movierating.errors import ExplainedError
from movierating.films.releases import FIRST_FILM
from movierating.films.tmdb import PARTS
from scripts.runtime.clock import day_of
from scripts.store.fame import fame_entry
from scripts.store.schema import (
    FIELD_TYPES,
    HISTORIES,
    NESTED,
    NEVER_NULL,
    PART_TIMES,
    SCHEMA,
    FilmRecord,
    has_json_type,
)

Record = dict[Any, Any]  # a film's record, as TMDB or pandas gives it

MINUTES: Final = (1, 899)  # shortest and longest running time
YEARS_AHEAD: Final = 30  # a release date further in the future is a mistake
# The share of bad records is calculated as if at least 50 records were validated. Otherwise, one
# bad record among the first few would stop the run.
MIN_TO_JUDGE: Final = 50
_LARGEST: Final = 10**12  # largest possible number in any field; no film cost or earned as much
# In these fields TMDB writes 0 for unknown.
_ZERO_IS_UNKNOWN: Final = ("budget", "revenue", "runtime")
# Rules over several fields, and the fields that are set to missing when a rule is broken.
_VOTES: Final = ("vote_average", "vote_count")
_SET_MISSING: Final = {
    "rating without votes": ("vote_average",),
    "votes without rating": _VOTES,
}


class BadAnswersError(ExplainedError, ValueError):
    """Too many records are bad: perhaps TMDB has changed its format, or the server is not TMDB."""

    def __init__(self, report: "ValidationReport") -> None:
        """Create the error; its message has the number of bad records and their main faults."""
        worst = ", ".join(f"{name} ({count})" for name, count in report.faults.most_common(3))
        super().__init__(
            f"{report.bad} of {report.records} records are bad: {worst}; check whether TMDB "
            "has changed its format, or raise COLLECT_MAX_BAD_SHARE"
        )


@dataclass
class ValidationReport:
    """How many of a run's records were validated, and the faults found in them.

    Attributes:
        records: Number of records that were validated.
        bad: Number of these records with one or more faults.
        faults: How often each fault was found, such as "runtime: impossible" (field and reason).
            The faulty value is then set to missing. A record without an id is dropped.
        missing_parts: How often TMDB left out a part, such as `credits`; this is no fault, because
            the store keeps the part of an earlier record.
        unknown: How often TMDB wrote 0 for an unknown value, by field; this is no fault.
    """

    records: int = 0
    bad: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    missing_parts: Counter[str] = field(default_factory=Counter)
    unknown: Counter[str] = field(default_factory=Counter)

    def as_json(self) -> dict[str, Any]:
        """Return the numbers as a JSON object, with faults and fields in alphabetical order."""
        return {
            "records": self.records,
            "bad": self.bad,
            "faults": dict(sorted(self.faults.items())),
            "missing_parts": dict(sorted(self.missing_parts.items())),
            "unknown": dict(sorted(self.unknown.items())),
        }

    def check(self, max_bad_share: float) -> None:
        """Stop the run if too many of its records are bad.

        Raises:
            BadAnswersError: The fraction of bad records is larger than `max_bad_share`.
        """
        if self.bad > max_bad_share * max(self.records, MIN_TO_JUDGE):
            raise BadAnswersError(self)


def validate_records(records: list[FilmRecord], as_of: date, report: ValidationReport) -> pa.Table:
    """Validate records, and convert them to a table with the columns of the film store.

    Args:
        records: Results of `schema.film_record`, with values as TMDB sent them.
        as_of: The day of the run. The votes are stored in the vote history under this day, or under
            the day on which TMDB made the record, if that is earlier. The fame of a film to come is
            stored under the time at which TMDB sent it.
        report: The numbers of records and faults are added to this report.

    Returns:
        One row per record that has an id, with impossible values set to missing. Only a running
        time that is too long stays too long.
    """
    report.records += len(records)
    report.missing_parts.update(name for row in records for name in PARTS if row[name] is None)
    # Pandera needs 40 ms for all checks, even of one record; most batches have no fault.
    if all(_has_right_types(record) and _has_possible_values(record, as_of) for record in records):
        rows = [_zeros_as_missing(record, report) for record in records]
    else:
        rows = _mended_rows(records, as_of, report)
    for row in rows:
        row["release_date"] = _day(row["release_date"])
        sent_on = day_of(row["fetched_at"])
        row["votes"] = _votes(row, min(as_of, sent_on))
        row["fame"] = fame_entry(row, sent_on)
        row |= {sent: None for name, sent in PART_TIMES.items() if row[name] is None}
    return pa.Table.from_pylist(rows, schema=SCHEMA)


def _zeros_as_missing(record: Record, report: ValidationReport) -> Record:
    """Return a copy of a record with None instead of each zero that means unknown."""
    zeros = [name for name in _ZERO_IS_UNKNOWN if record[name] == 0]
    report.unknown.update({name: int(name in zeros) for name in _ZERO_IS_UNKNOWN})
    return record | dict.fromkeys(zeros)


def _mended_rows(records: list[FilmRecord], as_of: date, report: ValidationReport) -> list[Record]:
    """Find the faults of some records; return the rows to store, only for records with an id."""
    names = [name for name in SCHEMA.names if name not in HISTORIES]
    frame = pd.DataFrame(records, columns=names, dtype=object)
    faulty = Counter[int]()
    frame = _mend(frame, _types_schema(), report, faulty)
    rows = [_zeros_as_missing(row, report) for row in frame.to_dict("records")]
    frame = pd.DataFrame(rows, columns=frame.columns, dtype=object)
    frame = _mend(frame, _values_schema(as_of), report, faulty)
    report.bad += len(faulty)
    kept: list[Record] = frame[frame["id"].notna()].to_dict("records")
    return kept


def _mend(
    frame: pd.DataFrame, schema: DataFrameSchema, report: ValidationReport, faulty: Counter[int]
) -> pd.DataFrame:
    try:
        schema.validate(frame, lazy=True)
    except SchemaErrors as errors:
        frame = frame.copy()
        cases = errors.failure_cases
        # Pandera reports a broken rule over several fields once for each column of the frame. Give
        # all these reports the same column, so that the fault is counted only once.
        cases["column"] = cases["column"].mask(cases["check"].isin(_SET_MISSING), "votes")
        found = cases.drop_duplicates(["column", "check", "index"])
        for column, check, at in found[["column", "check", "index"]].itertuples(index=False):
            report.faults[f"{column}: {'is missing' if check == 'not_nullable' else check}"] += 1
            faulty[at] += 1
            for name in _SET_MISSING.get(check, (column,)):
                frame.at[at, name] = _mended(name, frame.at[at, name])
    return frame


def _mended(name: str, value: Any) -> int | None:
    """Return what to store instead of an impossible value: missing, or a running time too long.

    A film without a running time may be a feature film. A film of 900 minutes is none.
    """
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    too_long = name == "runtime" and is_number and value > MINUTES[1]
    return int(min(value, _LARGEST)) if too_long else None


def _has_right_types(record: FilmRecord) -> bool:
    """Whether each field of a record has TMDB's type, as `_types_schema` requires."""
    return all(
        name not in NEVER_NULL if record[name] is None else holds(record[name])
        for name, holds in _type_rules().items()
    ) and not any(isinstance(value, float) and isnan(value) for value in record.values())


@cache
def _types_schema() -> DataFrameSchema:
    """Build the check that each field is present and has TMDB's type.

    Nested fields are JSON text at this point.
    """
    return DataFrameSchema(
        {name: _column(holds, "another form", name) for name, holds in _type_rules().items()}
    )


def _has_possible_values(record: FilmRecord, as_of: date) -> bool:
    """Whether each value of a record with TMDB's types is possible, as `_values_schema` requires.

    The record still has zeros that mean unknown; these count as possible.
    """
    return all(
        value is None or (value == 0 and name in _ZERO_IS_UNKNOWN) or holds(value)
        for name, holds in _value_rules(as_of).items()
        for value in [record[name]]
    ) and all(holds(record) for holds in _CONSISTENCY_RULES.values())


@cache
def _values_schema(as_of: date) -> DataFrameSchema:
    """Build the check that each value is possible, and that the values of a film are consistent."""
    return DataFrameSchema(
        {name: _column(holds, "impossible") for name, holds in _value_rules(as_of).items()},
        checks=[_rule(name, holds) for name, holds in _CONSISTENCY_RULES.items()],
    )


@cache
def _value_rules(as_of: date) -> dict[str, Callable[[Any], bool]]:
    """Return the rule for the possible values of each field; null is always possible."""
    shortest, longest = MINUTES
    last = date(as_of.year + YEARS_AHEAD, 12, 31)

    def is_possible(text: str) -> bool:
        day = _day(text)
        return not text or (day is not None and FIRST_FILM <= day <= last)

    return {
        "id": partial(_is_whole, lowest=1, highest=_LARGEST),
        "runtime": partial(_is_whole, lowest=shortest, highest=longest),
        "budget": partial(_is_whole, lowest=1, highest=_LARGEST),
        "revenue": partial(_is_whole, lowest=1, highest=_LARGEST),
        # TMDB sends a float; the store cannot hold every integer that JSON can.
        "popularity": lambda shown: 0 <= shown <= _LARGEST,
        "vote_average": lambda stars: 0 <= stars <= 10,  # noqa: PLR2004
        "vote_count": partial(_is_whole, lowest=0, highest=_LARGEST),
        "release_date": is_possible,
    }


def _has_no_rating_without_votes(record: Record) -> bool:
    return record["vote_count"] != 0 or (record["vote_average"] or 0) <= 0


def _has_no_votes_without_rating(record: Record) -> bool:
    return record["vote_average"] != 0 or (record["vote_count"] or 0) <= 0


_CONSISTENCY_RULES: Final[dict[str, Callable[[Record], bool]]] = {
    "rating without votes": _has_no_rating_without_votes,
    "votes without rating": _has_no_votes_without_rating,
}


def _column(holds: Callable[[Any], bool], fault: str, name: str = "") -> Column:
    check = Check(holds, element_wise=True, error=fault)
    return Column(object, check, nullable=name not in NEVER_NULL)


def _rule(name: str, holds: Callable[[Record], bool]) -> Check:
    def hold(frame: pd.DataFrame) -> "pd.Series[bool]":
        held = [holds(record) for record in frame.to_dict("records")]
        return pd.Series(held, frame.index, dtype=bool)

    return Check(hold, error=name)


def _is_whole(number: float, lowest: int, highest: int) -> bool:
    return lowest <= number <= highest and number == int(number)


@cache
def _type_rules() -> dict[str, Callable[[Any], bool]]:
    """Return the type rule of each field; it applies to values that are not null."""
    plain: dict[str, Callable[[Any], bool]] = {
        name: partial(has_json_type, types=types)
        for name, types in FIELD_TYPES.items()
        if name not in NESTED
    }
    return plain | {name: partial(_is_json, name=name) for name in NESTED}


def _is_json(text: Any, name: str) -> bool:
    is_object = name in PARTS or FIELD_TYPES[name] == (dict,)
    return isinstance(text, str) and text.startswith("{" if is_object else "[")


def _day(text: str | None) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        return None


def _votes(row: Record, as_of: date) -> list[FilmRecord]:
    """Build the vote history's entry for a day; no entry if rating or number of votes is missing.

    Rating and number of votes are only useful together, so one without the other is set to missing.
    """
    if row["vote_count"] == 0:
        row["vote_average"] = None
    elif None in (row["vote_count"], row["vote_average"]):
        row["vote_count"] = row["vote_average"] = None
        return []
    return [{"date": as_of, **{name: row[name] for name in _VOTES}}]
