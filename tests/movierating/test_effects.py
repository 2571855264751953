import json
import math
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from movierating.effects import ALL, RECORDED, Effects
from movierating.film import Film, Plot
from movierating.traits import MAX_CAST, TRAITS

FULL = Film(
    title="The Lantern: Part 2",
    genres=("Drama", "Crime"),
    original_language="ko",
    countries=("KR", "US"),
    runtime_minutes=101,
    release_date=date(2026, 10, 1),
    budget_usd=5_000_000,
    directors=("Ada Novak",),
    writers=("Kim Minseo", "Ada Novak"),
    cast=("Jo Lindqvist", "Kim Minseo"),
    companies=("Lantern Films",),
    franchise="Lanterns",
    keywords=("lantern", "island"),
    plot=Plot(40, 0.0, 0.0, "The keeper of a Lantern, and what she keeps."),
)
EFFECTS = Effects(
    date(2026, 1, 1),
    6.25,
    {
        "genre": {"Drama": (1.0, 0.5), "Crime": (1.0, 0.25)},
        "director": {"Ada Novak": (1.0, 0.75), "Kim Minseo": (1.0, -0.5)},
        "plot": {"lantern": (3.0, 0.5), "keeper": (4.0, -0.25)},
    },
)
tables = st.dictionaries(
    st.text(max_size=6), st.tuples(st.floats(0.1, 9), st.floats(-5, 5)), max_size=4
)
effects = st.builds(
    Effects,
    st.dates(),
    st.floats(0, 10),
    st.dictionaries(st.sampled_from(list(TRAITS)), tables, max_size=4),
)


def tokens(trait: str, film: Film = FULL) -> list[str]:
    return list(TRAITS[trait](film))


@pytest.mark.parametrize(
    ("trait", "expected"),
    [
        ("genre", ["Drama", "Crime"]),
        ("genre_pair", ["Crime, Drama"]),
        ("language", ["ko"]),
        ("country", ["KR", "US"]),
        ("runtime", ["6"]),
        ("budget", ["2 Drama", "2 Crime"]),
        ("director", ["Ada Novak"]),
        ("writer", ["Kim Minseo", "Ada Novak"]),
        ("cast", ["Jo Lindqvist", "Kim Minseo"]),
        ("company", ["Lantern Films"]),
        ("franchise", ["Lanterns"]),
        ("keyword", ["lantern", "island"]),
        ("title", ["the", "lantern", ":", "part", "2"]),
        ("plot", ["keeper", "lantern", "keeps"]),
    ],
)
def test_film_is_described_by_tokens_of_each_trait(trait: str, expected: list[str]):
    assert tokens(trait) == expected


def test_record_has_every_trait_and_all():
    assert tuple(sorted(EFFECTS.of(FULL))) == tuple(sorted(RECORDED))


@pytest.mark.parametrize("trait", TRAITS)
def test_trait_of_which_nothing_is_told_is_missing(trait: str):
    assert tokens(trait, Film()) == []
    assert math.isnan(EFFECTS.of(Film())[trait])


@pytest.mark.parametrize("trait", TRAITS)
def test_told_trait_without_a_known_token_adds_nothing(trait: str):
    assert Effects(EFFECTS.as_of, 6.25, {}).of(FULL)[trait] == 0.0


def test_first_film_of_a_director_adds_nothing():
    assert EFFECTS.of(Film(directors=("Someone New",)))["director"] == 0.0
    assert EFFECTS.of(Film(directors=("Someone New", "Ada Novak")))["director"] == 0.75


def test_film_of_which_nothing_is_known_is_average():
    assert EFFECTS.of(Film())[ALL] == 6.25


@pytest.mark.parametrize(
    ("film", "expected"),
    [
        (Film(directors=("Ada Novak",)), 6.25 + 0.75),
        (Film(directors=("Ada Novak",), genres=("Crime",)), 6.25 + 0.75 + 0.25),
        (Film(directors=("Kim Minseo",), cast=("Nobody",)), 6.25 - 0.5),
    ],
)
def test_all_is_the_average_with_what_every_known_trait_adds(film: Film, expected: float):
    assert EFFECTS.of(film)[ALL] == pytest.approx(expected)


def test_several_tokens_add_their_weighted_sum_over_the_length_of_their_weights():
    assert EFFECTS.of(FULL)["genre"] == pytest.approx((0.5 + 0.25) / math.sqrt(2))
    assert EFFECTS.of(FULL)["plot"] == pytest.approx((3 * 0.5 - 4 * 0.25) / 5)


@pytest.mark.parametrize("names", [("Ada Novak", "Ada Novak"), ("Ada Novak", "A", "B", "C")])
def test_token_named_twice_or_beside_unknown_ones_counts_once(names: tuple[str, ...]):
    assert EFFECTS.of(Film(directors=names))["director"] == 0.75


def test_cast_beyond_the_leads_says_nothing():
    leads = tuple(f"Lead {at}" for at in range(MAX_CAST))
    assert tokens("cast", Film(cast=(*leads, "Extra"))) == list(leads)


def test_running_times_of_one_band_are_alike_and_of_two_bands_not():
    bands = [tokens("runtime", Film(runtime_minutes=minutes)) for minutes in (100, 104.9, 105)]
    assert bands[0] == bands[1] != bands[2]


def test_budget_of_a_film_without_genre_still_counts():
    assert tokens("budget", Film(budget_usd=5e6)) == ["2 "]


def test_plot_known_by_its_numbers_alone_has_no_words():
    assert tokens("plot", Film(plot=Plot(40, 0.5))) == []


@pytest.mark.parametrize("text", ["", "...", "It is what it is.", "A b c"])
def test_plot_of_no_telling_word_is_as_good_as_none(text: str):
    assert math.isnan(EFFECTS.of(Film(plot=Plot(len(text), 0.0, 0.0, text)))["plot"])


@given(effects)
def test_effects_survive_json(some: Effects):
    assert Effects.from_json(json.loads(json.dumps(some.to_json()))) == some


@given(effects)
def test_effects_that_survived_json_say_the_same(some: Effects):
    again = Effects.from_json(json.loads(json.dumps(some.to_json(), ensure_ascii=False)))
    assert again.of(FULL) == some.of(FULL)


@pytest.mark.parametrize(
    "raw",
    [
        {},
        {"as_of": "2026-01-01", "average": 6.0},
        {"as_of": "someday", "average": 6.0, "tables": {}},
        {"as_of": "2026-01-01", "average": "high", "tables": {}},
        {"as_of": "2026-01-01", "average": 6.0, "tables": {"genre": {"Drama": [1.0]}}},
        {"as_of": "2026-01-01", "average": 6.0, "tables": {"genre": {"Drama": 1.0}}},
        {"as_of": "2026-01-01", "average": 6.0, "tables": []},
    ],
)
def test_what_is_no_table_of_effects_is_refused(raw: dict[str, Any]):
    with pytest.raises((KeyError, ValueError, TypeError, AttributeError)):
        Effects.from_json(raw)
