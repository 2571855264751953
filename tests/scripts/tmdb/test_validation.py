import json
from datetime import date, timedelta
from typing import Any

import pytest

from movierating.films.tmdb import PARTS
from scripts.store.schema import PART_TIMES, SCHEMA, film_record
from scripts.tmdb.validation import (
    MIN_TO_JUDGE,
    BadAnswersError,
    ValidationReport,
    validate_records,
)
from tests.support.bundles import RUN_DATE
from tests.support.films import FILM, columns, moment

VOTES = ["vote_average", "vote_count", "votes"]


def admitted(*changes: dict[str, Any]) -> tuple[list[dict[str, Any]], ValidationReport]:
    report = ValidationReport()
    records = [film_record(FILM | change, moment(), None) for change in changes]
    return validate_records(records, RUN_DATE, report).to_pylist(), report


def test_good_film_is_unchanged_and_has_its_votes():
    (row,), report = admitted({})
    assert report.as_json() == {
        "records": 1,
        "bad": 0,
        "faults": {},
        "missing_parts": {},
        "unknown": {"budget": 0, "revenue": 0, "runtime": 0},
    }
    assert row["title"] == "The Lantern"
    assert row["release_date"].isoformat() == "2026-10-01"
    assert json.loads(row["genres"]) == FILM["genres"]
    assert row["votes"] == [{"date": RUN_DATE, "vote_average": 7.25, "vote_count": 60}]


@pytest.mark.parametrize(
    ("change", "fault", "missing"),
    [
        ({"runtime": -1}, "runtime: impossible", ["runtime"]),
        ({"runtime": "101"}, "runtime: another form", ["runtime"]),
        ({"runtime": ["unexpected"]}, "runtime: another form", ["runtime"]),
        ({"runtime": 101.5}, "runtime: impossible", ["runtime"]),
        ({"budget": -5}, "budget: impossible", ["budget"]),
        ({"budget": 2**70}, "budget: impossible", ["budget"]),
        ({"revenue": float("inf")}, "revenue: impossible", ["revenue"]),
        ({"popularity": -0.1}, "popularity: impossible", ["popularity"]),
        ({"popularity": 2**70}, "popularity: impossible", ["popularity"]),
        ({"title": None}, "title: is missing", ["title"]),
        ({"title": 7}, "title: another form", ["title"]),
        ({"genres": "unexpected"}, "genres: another form", ["genres"]),
        ({"credits": "unexpected"}, "credits: another form", ["credits", "credits_at"]),
        ({"release_date": "19 May 2026"}, "release_date: impossible", ["release_date"]),
        ({"release_date": "1726-10-01"}, "release_date: impossible", ["release_date"]),
        (
            {"release_date": "9999-12-31", "vote_count": 0, "vote_average": 0.0},
            "release_date: impossible",
            ["release_date"],
        ),
        ({"vote_average": 10.5}, "vote_average: impossible", VOTES),
        ({"vote_count": -1}, "vote_count: impossible", VOTES),
        ({"vote_count": ["x"]}, "vote_count: another form", VOTES),
        ({"vote_count": 0}, "votes: rating without votes", ["vote_average"]),
        (
            {"vote_average": 0.0},
            "votes: votes without rating",
            VOTES,
        ),
    ],
)
def test_impossible_value_is_set_to_missing_and_counted(
    change: dict[str, Any], fault: str, missing: list[str]
):
    (row,), report = admitted(change)
    (good,) = columns({}).to_pylist()
    assert [name for name in missing if row[name]] == []
    others = [name for name in SCHEMA.names if name not in {*missing, *change, "votes"}]
    assert {name: row[name] for name in others} == {name: good[name] for name in others}
    assert report.faults == {fault: 1}
    assert report.bad == 1


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("value", [..., None, {}, [], {"id": 5}, {"cast": None, "keywords": None}])
def test_missing_part_is_counted_and_is_no_fault(part: str, value: object):
    film = FILM | {part: value}
    if value is ...:
        del film[part]
    report = ValidationReport()
    (row,) = validate_records([film_record(film, moment(), None)], RUN_DATE, report).to_pylist()
    assert row[part] is row[PART_TIMES[part]] is None
    assert (report.bad, report.faults) == (0, {})
    assert report.as_json()["missing_parts"] == {part: 1}


def test_part_has_the_time_at_which_tmdb_sent_it():
    (row,), _ = admitted({})
    assert {row[name] for name in PART_TIMES.values()} == {moment()}


@pytest.mark.parametrize("field", ["homepage", "runtime", "genres"])
def test_absent_field_is_missing_and_counted(field: str):
    film = {name: value for name, value in FILM.items() if name != field}
    report = ValidationReport()
    (row,) = validate_records([film_record(film, moment(), None)], RUN_DATE, report).to_pylist()
    assert row[field] is None
    assert report.faults == {f"{field}: another form": 1}


@pytest.mark.parametrize("field", ["budget", "revenue", "runtime"])
def test_zero_means_unknown_and_is_no_fault(field: str):
    (row,), report = admitted({field: 0})
    assert row[field] is None
    assert (report.bad, report.unknown[field]) == (0, 1)


def test_film_without_votes_has_no_rating_and_no_fault():
    (row,), report = admitted({"vote_count": 0, "vote_average": 0.0})
    assert (row["vote_count"], row["vote_average"], report.bad) == (0, None, 0)
    assert row["votes"] == [{"date": RUN_DATE, "vote_average": None, "vote_count": 0}]


@pytest.mark.parametrize(
    ("minutes", "kept"),
    [(900, 900), (51_420, 51_420), (950.5, 950), (2**70, 10**12), (float("inf"), 10**12)],
)
def test_running_time_that_is_too_long_is_a_fault_but_stays_too_long(minutes: Any, kept: int):
    (row,), report = admitted({"runtime": minutes})
    assert (row["runtime"], report.faults) == (kept, {"runtime: impossible": 1})


@pytest.mark.parametrize(
    ("hours", "day"), [(0, RUN_DATE), (20, RUN_DATE), (22, RUN_DATE - timedelta(1))]
)
def test_votes_are_dated_by_the_age_of_the_record(hours: int, day: date):
    """Noon in UTC is 21:00 in Seoul, the pipeline's time zone; so 21 hours earlier is midnight."""
    record = film_record(FILM, moment() - timedelta(hours=hours), RUN_DATE)
    (row,) = validate_records([record], RUN_DATE, ValidationReport()).to_pylist()
    assert [vote["date"] for vote in row["votes"]] == [day]


def test_votes_of_a_run_that_continues_after_midnight_belong_to_its_date():
    record = film_record(FILM, moment() + timedelta(hours=9), RUN_DATE)
    (row,) = validate_records([record], RUN_DATE, ValidationReport()).to_pylist()
    assert [vote["date"] for vote in row["votes"]] == [RUN_DATE]


def test_votes_before_the_release_are_ordinary():
    (row,), report = admitted({"release_date": "2027-06-01"})
    assert (row["vote_count"], row["vote_average"], report.bad) == (60, 7.25, 0)
    assert row["votes"] == [{"date": RUN_DATE, "vote_average": 7.25, "vote_count": 60}]


def test_lone_surrogate_becomes_a_question_mark():
    half = "half a \ud83d smile"
    (row,), report = admitted({"overview": half, "genres": [{"id": 1, "name": half}]})
    assert row["overview"] == "half a ? smile"
    assert json.loads(row["genres"]) == [{"id": 1, "name": "half a ? smile"}]
    assert report.bad == 0


@pytest.mark.parametrize("film_id", [None, "seven", 0, -3, 10**20])
def test_film_without_an_id_is_dropped_and_counted(film_id: Any):
    rows, report = admitted({"id": film_id}, {"id": 8})
    assert [row["id"] for row in rows] == [8]
    assert (report.records, report.bad, report.faults.total()) == (2, 1, 1)


def test_film_with_several_faults_is_one_bad_record():
    _, report = admitted({"runtime": -1, "budget": -1})
    assert (report.bad, report.faults.total()) == (1, 2)


def test_unknown_field_is_kept():
    (row,), _ = admitted({"awards": ["best lantern"]})
    assert json.loads(row["extra"]) == {"awards": ["best lantern"]}


def test_too_many_bad_records_are_reported_with_the_most_frequent_fault():
    report = ValidationReport()
    validate_records(
        [film_record(FILM | {"id": at, "runtime": "101"}, moment(), None) for at in range(1, 7)],
        RUN_DATE,
        report,
    )
    report.check(0.2)
    with pytest.raises(
        BadAnswersError,
        match=r"^6 of 6 records are bad: runtime: another form \(6\); .* COLLECT_MAX_BAD_SHARE$",
    ):
        report.check(0.1)


def test_bad_share_is_taken_of_a_minimum_of_records():
    ValidationReport(records=5, bad=5).check(0.1)
    with pytest.raises(BadAnswersError):
        ValidationReport(records=6, bad=6).check(0.1)
    ValidationReport(records=10 * MIN_TO_JUDGE, bad=MIN_TO_JUDGE).check(0.1)


def test_no_records_give_an_empty_table():
    assert validate_records([], RUN_DATE, ValidationReport()).num_rows == 0
