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


def test_film_within_all_ranges_gets_no_warning():
    film = {
        "genres": ("Drama",),
        "original_language": "ko",
        "runtime_minutes": 100,
        "release_date": date(2026, 1, 1),
        "budget_usd": 1e6,
        "plot": Plot(300, 0.0),
    }
    assert facts(**film) == []


def test_unknown_facts_get_no_warning():
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
def test_fact_outside_the_training_range_is_named(known: dict[str, Any], fact: str):
    assert facts(**known) == [fact]


@pytest.mark.parametrize(("year", "warned"), [(2027, False), (2028, True)])
def test_release_may_be_two_years_after_the_last_training_film(year: int, warned: bool):
    assert bool(facts(release_date=date(year, 6, 1))) == warned


@pytest.mark.parametrize(
    ("known", "reason"),
    [
        (
            {"plot": Plot(16, 0.0)},
            "the plot has 16 characters; 99 % of training films have 40 to 900",
        ),
        (
            {"release_date": date(1950, 1, 1)},
            "the release is in 1950; 99 % of training films are from 1990 to 2025",
        ),
        (
            {"budget_usd": 1e9},
            "the budget is $1,000,000,000; 99 % of training films have $100,000 to $200,000,000",
        ),
        ({"genres": ("Puppetry",)}, "no or hardly any training films are of genre 'Puppetry'"),
        ({"original_language": "qu"}, "no or hardly any training films are in language 'qu'"),
    ],
)
def test_warning_compares_the_fact_with_the_training_films(known: dict[str, Any], reason: str):
    (found,) = novelty_warnings(Film(**known), RANGES, FEATURES)
    assert found.reason == reason


def test_warning_names_the_value_and_the_range():
    (found,) = novelty_warnings(Film(runtime_minutes=500), RANGES, FEATURES)
    assert found.reason == "the film has 500 minutes; 99 % of training films have 60 to 200"


def test_ranges_cover_nearly_all_films_and_skip_unknown_measurements():
    films = [Film(runtime_minutes=60 + at) for at in range(100)] + [
        Film(),
        Film(runtime_minutes=9e3),
    ]
    ranges = training_ranges(films)
    assert ranges.keys() == {"runtime_minutes"}
    low, high = ranges["runtime_minutes"]
    assert 60 <= low < 62
    assert 158 < high < 9e3
