import dataclasses
import json
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from movierating.films.film import Film, Plot
from movierating.films.tokens import TRACKED_TRAITS, TRAITS
from movierating.model.plot_weights import DIMENSIONS
from movierating.model.target_encoding import (
    ALL_EFFECTS,
    EFFECT_FEATURES,
    MEANING_EFFECT,
    PAST_RATING_FEATURES,
    PAST_RATINGS,
    PLOT_SCORE,
    Effects,
    PlotVector,
)
from tests.support.bundles import FULL_FILM, effects_of
from tests.support.encoders import plot_weights

EFFECTS = effects_of(
    average=6.25,
    tables={
        "genre": {"Drama": (1.0, 0.5), "Crime": (1.0, 0.25)},
        "director": {"Ada Novak": (1.0, 0.75), "Kim Minseo": (1.0, -0.5)},
        "plot": {"lantern": (3.0, 0.5), "keeper": (4.0, -0.25)},
    },
)
numbers = st.floats(-9, 9)
tables = st.sampled_from([2, 2 + len(PAST_RATINGS)]).flatmap(
    lambda width: st.dictionaries(st.text(max_size=6), st.tuples(*[numbers] * width), max_size=4)
)
effects = st.builds(
    effects_of, st.dictionaries(st.sampled_from(list(TRAITS)), tables, max_size=4), st.floats(0, 10)
)


@pytest.mark.parametrize("trait", TRAITS)
def test_effect_of_an_unknown_trait_is_nan(trait: str):
    assert math.isnan(EFFECTS.encode(Film())[EFFECT_FEATURES[trait]])


@pytest.mark.parametrize("trait", TRAITS)
def test_trait_without_a_known_token_has_effect_zero(trait: str):
    assert effects_of({}).encode(FULL_FILM)[EFFECT_FEATURES[trait]] == 0.0


def test_new_director_has_effect_zero():
    assert EFFECTS.encode(Film(directors=("Someone New",)))["effect=director"] == 0.0
    assert EFFECTS.encode(Film(directors=("Someone New", "Ada Novak")))["effect=director"] == 0.75


def test_film_without_known_facts_has_the_average_rating():
    assert EFFECTS.encode(Film())[ALL_EFFECTS] == 6.25


@pytest.mark.parametrize(
    ("film", "expected"),
    [
        (Film(directors=("Ada Novak",)), 6.25 + 0.75),
        (Film(directors=("Ada Novak",), genres=("Crime",)), 6.25 + 0.75 + 0.25),
        (Film(directors=("Kim Minseo",), cast=("Nobody",)), 6.25 - 0.5),
    ],
)
def test_sum_is_the_average_plus_the_effects_of_known_traits(film: Film, expected: float):
    assert EFFECTS.encode(film)[ALL_EFFECTS] == pytest.approx(expected)


def test_effect_of_several_tokens_is_their_weighted_sum_over_the_norm():
    assert EFFECTS.encode(FULL_FILM)["effect=genre"] == pytest.approx((0.5 + 0.25) / math.sqrt(2))
    assert EFFECTS.encode(FULL_FILM)["effect=plot"] == pytest.approx((3 * 0.5 - 4 * 0.25) / 5)


@pytest.mark.parametrize("names", [("Ada Novak", "Ada Novak"), ("Ada Novak", "A", "B", "C")])
def test_token_named_twice_or_beside_unknown_ones_counts_once(names: tuple[str, ...]):
    assert EFFECTS.encode(Film(directors=names))["effect=director"] == 0.75


@pytest.mark.parametrize("name", ["ADA  NOVAK", "Ada Nov\u00e1k", "Ａｄａ Novak", "ada-novak"])
def test_name_is_known_in_every_spelling(name: str):
    assert EFFECTS.encode(Film(directors=(name,)))["effect=director"] == 0.75
    assert name in EFFECTS.tables["director"]
    assert EFFECTS.tables["director"].tokens.find(name) == 0
    assert EFFECTS.tables["director"].tokens.find("Nobody") is None


def test_table_without_names_knows_only_its_own_spelling():
    assert "drama" not in EFFECTS.tables["genre"]


def test_bundle_with_a_row_for_each_spelling_is_read_with_the_row_of_most_films():
    rows = {"Jose Rey": (1.0, 0.1, 0.7, 5.0, 5.0), "José Rey": (1.0, 0.9, 2.0, 7.0, 8.0)}
    table = effects_of({"director": {**rows, "Ada": (1.0, 0.0, 0.7, 6.0, 6.0)}}).tables["director"]
    assert list(table) == ["José Rey", "Ada"]
    assert table["jose rey"] == rows["José Rey"]
    assert table.rows(["jose rey", "nobody", "ada", "ada"]) == [
        list(rows["José Rey"]),
        [1.0, 0.0, 0.7, 6.0, 6.0],
    ]
    assert type(table).from_json(table.to_json(), named=True) == table


WITH_PAST_RATINGS = effects_of(
    {
        "director": {
            "Ada Novak": (1.0, 0.75, 2.0, 7.0, 6.0),
            "Kim Minseo": (1.0, -0.5, 1.0, 5.0, 5.5),
        }
    }
)


def packed(**others: Any) -> dict[str, Any]:
    """Return effects as a dictionary for JSON, with one table (genres).

    The fields `others` replace those of the table."""
    raw = effects_of({"genre": {"A": (1.0, 0.5), "B": (1.0, 0.25)}}).to_json()
    raw["tables"]["genre"] |= others
    return raw


def past(film: Film, trait: str = "director") -> list[float]:
    encoding = WITH_PAST_RATINGS.encode(film)
    return [encoding[name] for name in PAST_RATING_FEATURES[trait]]


def test_past_ratings_of_several_people_are_the_mean_of_the_known_ones():
    assert past(Film(directors=("Ada Novak",))) == [2.0, 7.0, 6.0]
    assert past(Film(directors=("Ada Novak", "Kim Minseo", "New"))) == [1.5, 6.0, 5.75]


@pytest.mark.parametrize("trait", TRACKED_TRAITS)
def test_newcomer_has_zero_films_and_unknown_ratings(trait: str):
    films, *ratings = past(dataclasses.replace(FULL_FILM, directors=("New",)), trait)
    assert films == 0
    assert all(map(math.isnan, ratings))


@pytest.mark.parametrize("trait", TRACKED_TRAITS)
def test_past_ratings_of_an_unknown_trait_are_nan(trait: str):
    assert all(map(math.isnan, past(Film(), trait)))


@given(effects)
def test_effects_survive_json(some: Effects):
    assert Effects.from_json(json.loads(json.dumps(some.to_json()))) == some


@given(effects)
def test_effects_from_json_give_the_same_encoding(some: Effects):
    again = Effects.from_json(json.loads(json.dumps(some.to_json(), ensure_ascii=False)))
    assert again.encode(FULL_FILM) == some.encode(FULL_FILM)


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
        {"as_of": "2026-01-01", "average": 6, "tables": {"genre": {"A": [1, 2], "B": [1, 2, 3]}}},
        {"as_of": "2026-01-01", "average": 6, "tables": {"genre": {"A": [1, 2, 3]}}},
        packed(numbers="no base64!"),
        packed(numbers=""),
        packed(columns=3),
        packed(tokens=["A"]),
        packed(tokens=["A", "A"]),
    ],
)
def test_broken_effects_are_refused(raw: dict[str, Any]):
    with pytest.raises((KeyError, ValueError, TypeError, AttributeError)):
        Effects.from_json(raw)


ENGLISH_FILM = Film(plot=Plot(20, 0.0, 0.0, "The lantern keeper"))
KOREAN_FILM = Film(plot=Plot(None, None, None, "등대에서 편지를", "ko"))
READS_PLOTS = dataclasses.replace(
    effects_of({"plot": {"lantern": (3.0, 0.5, 0.2), "keeper": (4.0, -0.25, 0.6)}}),
    plots=plot_weights(effect=0.1, score=0.2, words_effect=0.3, words_score=0.4, shift=2.0),
)
VECTOR = np.full(DIMENSIONS, 1 / DIMENSIONS)


def test_english_plot_is_encoded_by_its_words_and_its_vector():
    encoding = READS_PLOTS.encode(ENGLISH_FILM, VECTOR)
    words = (3 * 0.5 - 4 * 0.25) / 5
    assert encoding["effect=plot"] == pytest.approx(words)
    assert encoding[MEANING_EFFECT] == pytest.approx(0.1)
    assert encoding[ALL_EFFECTS] == pytest.approx(6 + words + 0.1)
    assert encoding[PLOT_SCORE] == pytest.approx(0.2 + (3 * 0.2 + 4 * 0.6) / 5)


def test_korean_plot_is_encoded_by_its_shifted_vector_alone():
    encoding = READS_PLOTS.encode(KOREAN_FILM, VECTOR)
    times = 1 + 2.0 * DIMENSIONS  # of the vector, after the shift is added to each number
    assert encoding["effect=plot"] == pytest.approx(0.3 * times)
    assert encoding[MEANING_EFFECT] == pytest.approx(0.1 * times)
    assert encoding[ALL_EFFECTS] == pytest.approx(6 + 0.4 * times)
    assert encoding[PLOT_SCORE] == pytest.approx((0.2 + 0.4) * times)


@pytest.mark.parametrize("vector", [None, VECTOR])
def test_plot_without_vector_or_weights_has_no_meaning(vector: PlotVector | None):
    effects = READS_PLOTS if vector is None else dataclasses.replace(READS_PLOTS, plots=None)
    for film in (ENGLISH_FILM, KOREAN_FILM):
        encoding = effects.encode(film, vector)
        assert math.isnan(encoding[MEANING_EFFECT])
        assert math.isnan(encoding[PLOT_SCORE])
    assert encoding[ALL_EFFECTS] == 6.0
    assert math.isnan(encoding["effect=plot"])


def test_only_languages_with_a_shift_are_read():
    assert READS_PLOTS.plot_languages == ("en", "ko")
    assert EFFECTS.plot_languages == ("en",)


def test_weights_of_plots_survive_json():
    again = Effects.from_json(READS_PLOTS.to_json())
    for film in (ENGLISH_FILM, KOREAN_FILM):
        expected = READS_PLOTS.encode(film, VECTOR)
        assert again.encode(film, VECTOR) == pytest.approx(expected, nan_ok=True)


@pytest.mark.parametrize("broken", [{"weights": ""}, {"intercepts": [1.0]}, {"shifts": {"ko": ""}}])
def test_broken_weights_of_plots_are_refused(broken: dict[str, Any]):
    raw = READS_PLOTS.to_json()
    with pytest.raises(ValueError):  # noqa: PT011 - NumPy's message
        Effects.from_json(raw | {"plots": raw["plots"] | broken})
