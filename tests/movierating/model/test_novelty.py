from datetime import date
from typing import Any

import pytest

from movierating.films.film import Film, Plot
from movierating.model.novelty import novelty_warnings, training_ranges

RANGES = {
    "runtime_minutes": (60.0, 200.0),
    "overview_len": (40.0, 900.0),
    "release_year": (1990.0, 2025.0),
    "budget_usd": (1e5, 2e8),
}
FEATURES = ("genre=Drama", "language=ko", "runtime_minutes")


def facts(**known: Any) -> list[str]:
    return [found.fact for found in novelty_warnings(Film(**known), RANGES, FEATURES)]


def test_film_like_those_it_learned_from_gets_no_warning():
    film = {
        "genres": ("Drama",),
        "original_language": "ko",
        "runtime_minutes": 100,
        "release_date": date(2026, 1, 1),
        "budget_usd": 1e6,
        "plot": Plot(300, 0.0),
    }
    assert facts(**film) == []


def test_what_is_unknown_gets_no_warning():
    assert facts() == []


@pytest.mark.parametrize(
    ("known", "fact"),
    [
        ({"plot": Plot(16, 0.0)}, "overview"),
        ({"plot": Plot(5000, 0.0)}, "overview"),
        ({"original_language": "qu"}, "language"),
        ({"genres": ("Puppetry",)}, "genres"),
        ({"release_date": date(2031, 1, 1)}, "release_date"),
        ({"release_date": date(1950, 1, 1)}, "release_date"),
        ({"runtime_minutes": 500}, "runtime"),
        ({"budget_usd": 1e9}, "budget"),
    ],
)
def test_fact_outside_of_what_it_has_seen_is_named(known: dict[str, Any], fact: str):
    assert facts(**known) == [fact]


@pytest.mark.parametrize(("year", "warned"), [(2027, False), (2028, True)])
def test_film_may_open_two_years_after_the_last_that_taught(year: int, warned: bool):
    assert bool(facts(release_date=date(year, 6, 1))) == warned


def test_warning_says_what_is_odd_and_what_is_usual():
    (found,) = novelty_warnings(Film(runtime_minutes=500), RANGES, FEATURES)
    assert found.reason == "500, and nearly all films it learned from have 60 to 200"


def test_ranges_hold_nearly_all_films_and_leave_out_what_no_film_tells():
    films = [Film(runtime_minutes=60 + at) for at in range(100)] + [
        Film(),
        Film(runtime_minutes=9e3),
    ]
    ranges = training_ranges(films)
    assert ranges.keys() == {"runtime_minutes"}
    low, high = ranges["runtime_minutes"]
    assert 60 <= low < 62
    assert 158 < high < 9e3
