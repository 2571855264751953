from datetime import date, timedelta
from pathlib import Path

from scripts.tmdb.failures import FILE, LONGEST_DISTANCE, FailingFilms, TooManyFailuresError, named
from tests.support.bundles import RUN_DATE

DAY = timedelta(days=1)


def test_film_is_left_for_a_growing_number_of_days(tmp_path: Path):
    day, distances = RUN_DATE, []
    for _ in range(8):
        FailingFilms(tmp_path).update({7: "TMDB answered HTTP 500"}, (), day)
        due = next(
            later
            for later in (day + count * DAY for count in range(1, 99))
            if 7 not in FailingFilms(tmp_path).waiting(later)
        )
        distances.append((due - day).days)
        day = due
    assert distances == [1, 2, 4, 8, 16, 30, 30, LONGEST_DISTANCE.days]


def test_film_that_answered_is_forgotten_and_starts_again(tmp_path: Path):
    failing = FailingFilms(tmp_path)
    failing.update({7: "TMDB answered HTTP 500", 8: "TMDB answered HTTP 400"}, (), RUN_DATE)
    failing.update({}, {7, 9}, RUN_DATE)
    assert FailingFilms(tmp_path).ids == failing.ids == {8}
    failing.update({7: "TMDB answered HTTP 500"}, (), RUN_DATE)
    assert failing.as_json()["7"] == {
        "problem": "TMDB answered HTTP 500",
        "days": 1,
        "next_day": "2026-11-24",
    }


def test_no_file_is_written_without_failing_films(tmp_path: Path):
    FailingFilms(tmp_path).update({}, {1}, date(2026, 11, 23))
    assert not (tmp_path / FILE).exists()
    assert FailingFilms(tmp_path).ids == frozenset()


def test_error_names_the_first_ids_and_counts_the_others():
    assert named([3, 1, 2]) == "1, 2, 3"
    assert named(range(1, 24)).endswith("19, 20 and 3 more")
    error = TooManyFailuresError({5: "TMDB answered HTTP 500", 3: "TMDB answered HTTP 400"}, 60)
    assert str(error).startswith("2 of 60 films failed")
    assert "3, 5; try again later, or raise COLLECT_MAX_BAD_SHARE" in str(error)
    assert error.retryable
