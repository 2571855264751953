from datetime import date, timedelta
from itertools import permutations
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from scripts.store.fame import WEEKS, fame_before_release
from scripts.store.film_store import FilmStore
from scripts.store.releases import with_first_releases
from scripts.store.schema import film_record
from scripts.tmdb.validation import ValidationReport, validate_records
from tests.support.films import FILM, columns, moment, releases, stored, unreleased_film

DAY = timedelta(days=1)
MONDAY = date(2026, 11, 16)
OPENS = date(2026, 12, 20)


@pytest.fixture
def store(tmp_path: Path) -> FilmStore:
    return FilmStore(tmp_path / "films")


def fetched(day: date, popularity: float = 1.0, hour: int = 12, **others: Any) -> pa.Table:
    """Return the record of one film to come, as if it was fetched on `day`."""
    film = unreleased_film(1, OPENS, popularity=popularity) | others
    return columns(film, day=day, hour=hour)


def kept(store: FilmStore) -> list[tuple[date, float]]:
    return [(each["date"], each["popularity"]) for each in stored(store)[1]["fame"]]


def as_of(store: FilmStore, day: date) -> list[date]:
    (films,) = store.as_of(day)
    return [each["date"] for each in films["fame"].to_pylist()[0]]


def test_film_to_come_has_its_popularity_votes_languages_and_countries():
    part = releases(("KR", 3, "2026-12-24"), ("US", 3, "2026-12-25"), ("US", 4, "2027-01-01"))
    texts = [{"iso_639_1": code} for code in ("ko", "en", "ko", None)]
    film = fetched(
        MONDAY, 7.5, vote_count=2, vote_average=8.0, release_dates=part,
        translations={"translations": texts},
    )  # fmt: skip
    assert film["fame"].to_pylist() == [
        [
            {
                "date": MONDAY,
                "at": moment(MONDAY),
                "popularity": 7.5,
                "votes": 2,
                "languages": 2,
                "countries": 2,
            }
        ]
    ]


def test_numbers_of_a_part_that_tmdb_left_out_are_unknown():
    (entry,) = fetched(MONDAY, release_dates=None, translations=None)["fame"].to_pylist()[0]
    assert (entry["languages"], entry["countries"]) == (None, None)


@pytest.mark.parametrize(
    ("opened", "part", "recorded"),
    [
        ("2026-11-17", releases(), True),
        ("2026-11-16", releases(), False),
        ("2026-11-01", releases(), False),
        ("", releases(), False),
        ("2026-12-20", releases(("IT", 1, "2026-11-16")), False),  # a premiere at a festival
    ],
)
def test_fame_is_recorded_only_before_the_first_release(
    opened: str, part: dict[str, Any], recorded: bool
):
    film = fetched(MONDAY, release_date=opened, release_dates=part)
    assert len(film["fame"].to_pylist()[0]) == recorded


def test_late_run_records_the_day_on_which_tmdb_sent_the_film():
    record = film_record(FILM | unreleased_film(1, OPENS), moment(MONDAY), MONDAY - 5 * DAY)
    film = validate_records([record], MONDAY - 5 * DAY, ValidationReport()).to_pylist()[0]
    assert film["votes"][0]["date"] == MONDAY - 5 * DAY
    assert film["fame"][0]["date"] == MONDAY


def test_second_run_of_a_day_changes_nothing(store: FilmStore):
    store.add(fetched(MONDAY, 1.0, hour=6))
    store.add(fetched(MONDAY, 2.0, hour=14))
    assert kept(store) == [(MONDAY, 1.0)]
    store.merge_written()
    assert kept(store) == [(MONDAY, 1.0)]


def test_history_keeps_the_last_day_of_each_of_the_newest_weeks(store: FilmStore):
    for at in range(5 * 7):
        store.add(fetched(MONDAY - at * DAY, float(at)))
    expected = [(MONDAY - at * DAY, float(at)) for at in (8, 1, 0)]
    assert kept(store) == expected
    assert len(expected) == WEEKS
    store.compact()
    store.purge(moment(MONDAY - 100 * DAY))
    assert kept(store) == expected


@pytest.mark.parametrize("order", list(permutations(range(4))))
def test_order_in_which_processes_merge_makes_no_difference(
    store: FilmStore, order: tuple[int, ...]
):
    days = [(MONDAY, 1.0, 6), (MONDAY, 2.0, 14), (MONDAY + DAY, 3.0, 12), (MONDAY - DAY, 4.0, 12)]
    for at in order:
        day, popularity, hour = days[at]
        store.add(fetched(day, popularity, hour))
        if at == order[1]:
            store.merge_written()
    assert kept(store) == [(MONDAY - DAY, 4.0), (MONDAY + DAY, 3.0)]


def test_films_are_not_mixed_up(store: FilmStore):
    films = [unreleased_film(film_id, OPENS, popularity=float(film_id)) for film_id in (9, 2, 5)]
    store.add(columns(*films, {"id": 4}, day=MONDAY))
    store.add(columns(*films[1:], {"id": 4}, day=MONDAY + DAY))
    values = {
        film: [(entry["date"], entry["popularity"]) for entry in row["fame"]]
        for film, row in stored(store).items()
    }
    later = MONDAY + DAY
    assert values == {9: [(MONDAY, 9.0)], 2: [(later, 2.0)], 5: [(later, 5.0)], 4: []}


def test_only_values_from_before_the_release_and_up_to_the_day_are_read(store: FilmStore):
    for week in range(3):
        store.add(fetched(MONDAY + 7 * week * DAY))
    assert as_of(store, OPENS) == [MONDAY, MONDAY + 7 * DAY, MONDAY + 14 * DAY]
    assert as_of(store, MONDAY + 7 * DAY) == [MONDAY, MONDAY + 7 * DAY]
    assert as_of(store, MONDAY - DAY) == []


@pytest.mark.parametrize("moved", ["release_date", "a premiere that TMDB learns of"])
def test_values_after_a_release_that_moved_to_an_earlier_day_are_not_read(
    store: FilmStore, moved: str
):
    for week in range(3):
        store.add(fetched(MONDAY + 7 * week * DAY))
    earlier = (MONDAY + 7 * DAY).isoformat()
    change: dict[str, Any] = (
        {"release_date": earlier}
        if moved == "release_date"
        else {"release_dates": releases(("IT", 1, earlier))}
    )
    store.add(fetched(MONDAY + 20 * DAY, **change))
    assert as_of(store, OPENS + 30 * DAY) == [MONDAY]
    assert len(kept(store)) == 3  # the release may move back


def test_recording_goes_on_if_the_release_moves_to_a_later_day(store: FilmStore):
    store.add(fetched(OPENS - DAY))
    store.add(fetched(OPENS))
    store.add(fetched(OPENS + DAY, release_date=(OPENS + 30 * DAY).isoformat()))
    assert as_of(store, OPENS + DAY) == [OPENS - DAY, OPENS + DAY]


def test_order_of_the_films_stays_when_fame_is_read():
    films = columns(*(unreleased_film(film_id, OPENS) for film_id in (9, 2, 5)), day=MONDAY)
    read = fame_before_release(with_first_releases(films), MONDAY)
    assert read["id"].to_pylist() == [9, 2, 5]
    assert read["fame"].to_pylist() == films["fame"].to_pylist()


def test_fame_of_a_film_without_a_date_is_not_read(store: FilmStore):
    store.add(fetched(MONDAY))
    store.add(fetched(MONDAY + DAY, release_date=""))
    assert as_of(store, OPENS) == []


def test_fame_leaves_with_the_record_of_its_film(store: FilmStore):
    store.add(fetched(MONDAY))
    store.purge(moment(MONDAY + DAY))
    assert stored(store) == {}
    store.add(fetched(MONDAY + 2 * DAY))
    assert kept(store) == [(MONDAY + 2 * DAY, 1.0)]


def test_fame_of_a_day_is_no_difference_between_stores(tmp_path: Path):
    one, other = FilmStore(tmp_path / "one"), FilmStore(tmp_path / "other")
    one.add(fetched(MONDAY))
    other.add(fetched(MONDAY + DAY))
    assert one.digest() == other.digest()
