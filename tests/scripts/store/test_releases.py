import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from movierating.films.releases import Release, ReleaseType
from scripts.store.releases import first_release, with_first_releases
from tests.support.films import columns, releases

OPENED = date(2026, 10, 1)  # the film's `release_date`


@pytest.mark.parametrize(
    ("dates", "expected"),
    [
        ([], (OPENED, None, "")),
        ([("KR", 3, "2026-10-01")], (OPENED, ReleaseType.THEATRICAL, "KR")),
        ([("IT", 1, "2026-09-03")], (date(2026, 9, 3), ReleaseType.PREMIERE, "IT")),
        (
            [("KR", 3, "2026-10-01"), ("KR", 2, "2026-09-20"), ("JP", 4, "2026-09-25")],
            (date(2026, 9, 20), ReleaseType.LIMITED, "KR"),
        ),
        ([("JP", 3, "2026-09-03"), ("IT", 1, "2026-09-03")], (date(2026, 9, 3), 1, "IT")),
        ([("US", 6, "2026-09-03")], (date(2026, 9, 3), ReleaseType.TV, "US")),
        ([("KR", 3, "2031-05-01")], (OPENED, None, "")),  # TMDB only has the re-release
        ([(None, 3, "2026-09-03")], (date(2026, 9, 3), ReleaseType.THEATRICAL, "")),
    ],
)
def test_first_release_is_the_earliest_of_any_type_in_any_country(
    dates: list[Any], expected: tuple[date, int | None, str]
):
    assert first_release(OPENED, json.dumps(releases(*dates))) == expected


@pytest.mark.parametrize(
    ("dates", "expected"),
    [
        # One country's date with a wrong year is a mistake.
        ([("FR", 3, "2006-10-01"), ("IT", 1, "2026-09-03")], date(2026, 9, 3)),
        ([("FR", 3, "2006-10-01")], OPENED),
        ([("FR", 3, "1926-10-01"), ("IT", 1, "2016-09-03"), ("KR", 3, "2026-10-01")], OPENED),
        # Two dates confirm each other: the film waited for its opening, or this is a re-release.
        ([("FR", 3, "2006-10-01"), ("IT", 1, "2006-09-03")], date(2006, 9, 3)),
        ([("IT", 1, "2024-10-02")], date(2024, 10, 2)),
    ],
)
def test_date_long_before_the_release_counts_only_if_a_second_date_confirms_it(
    dates: list[Any], expected: date
):
    first = first_release(OPENED, json.dumps(releases(*dates)))
    assert first
    assert first.day == expected


def test_earliest_date_counts_if_tmdb_has_no_release_date_of_the_film():
    text = json.dumps(releases(("FR", 3, "2006-10-01"), ("KR", 3, "2026-10-01")))
    first = first_release(None, text)
    assert first
    assert first.day == date(2006, 10, 1)


@pytest.mark.parametrize(
    ("country", "kind", "day"),
    [
        ("IT", 0, "2026-09-03"),
        ("IT", 7, "2026-09-03"),
        ("IT", True, "2026-09-03"),
        ("IT", "1", "2026-09-03"),
        ("IT", None, "2026-09-03"),
        ("IT", 1, "0001-01-01"),
        ("IT", 1, "1873-12-31"),
        ("IT", 1, "2026-02-30"),
        ("IT", 1, ""),
        ("IT", 1, 20260903),
        ("IT", 1, None),
    ],
)
def test_release_with_an_impossible_date_or_type_does_not_count(country: str, kind: Any, day: Any):
    text = json.dumps({"results": [{"iso_3166_1": country, "release_dates": [
        {"release_date": day, "type": kind}]}]})  # fmt: skip
    assert first_release(OPENED, text) == Release(OPENED, None, "")
    assert first_release(None, text) is None


@pytest.mark.parametrize(
    "part",
    [
        None,
        "",
        "null",
        "[]",
        '{"results": "release_date"}',
        '{"results": [null, 7, {"release_dates": 7}, {"release_dates": ["release_date"]}]}',
    ],
)
def test_unusable_part_leaves_the_release_date_of_the_film(part: str | None):
    assert first_release(OPENED, part) == Release(OPENED, None, "")
    assert first_release(None, part) is None


def test_first_releases_of_a_table_replace_its_release_dates():
    premiere = releases(("IT", 1, "2026-09-03"))
    films = columns(
        {"id": 1, "release_dates": premiere},
        {"id": 2},
        {"id": 3, "release_date": "", "release_dates": premiere},
        {"id": 4, "release_date": ""},
    )
    found = with_first_releases(films)
    assert found["release_date"].to_pylist() == [date(2026, 9, 3), OPENED, date(2026, 9, 3), None]
    assert found.schema == films.schema
    assert found.drop_columns("release_date") == films.drop_columns("release_date")


def test_real_film_was_first_shown_at_a_festival(tmdb_shared: Path):
    film = json.loads((tmdb_shared / "api/recorded/movie_550_append.json").read_text("utf-8"))
    assert film["release_date"] == "1999-10-15"
    (row,) = columns(film).to_pylist()
    assert first_release(row["release_date"], row["release_dates"]) == Release(
        date(1999, 9, 10),
        ReleaseType.PREMIERE,
        "IT",
    )
