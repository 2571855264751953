import dataclasses
import math
from datetime import date
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from movierating.films.film import Film, Plot
from movierating.model.features import (
    AFTER_RELEASE,
    MEASUREMENTS,
    UnknownFeatureError,
    build_features,
    build_matrix,
    choose_features,
)
from movierating.model.target_encoding import ALL_EFFECTS, ENCODED_FEATURES, TargetEncoding

FULL = Film(
    genres=("Crime", "Drama"),
    original_language="ko",
    runtime_minutes=131,
    release_date=date(2019, 5, 30),
    budget_usd=11_400_000,
    plot=Plot(200, -0.25, 0.5),
)
ENCODING = {trait: at / 8 for at, trait in enumerate(ENCODED_FEATURES)}
UNKNOWN = dict.fromkeys(ENCODED_FEATURES, math.nan)
NAMES = (
    *MEASUREMENTS,
    "effect=all",
    "effect=director",
    "genre=Crime",
    "genre=Horror",
    "language=ko",
    "language=en",
)
names_of_features = st.lists(
    st.sampled_from([*MEASUREMENTS, *ENCODED_FEATURES])
    | st.text(min_size=1, max_size=8).map("genre={}".format)
    | st.text(min_size=1, max_size=3).map("language={}".format),
    max_size=8,
)
films = st.builds(
    Film,
    genres=st.lists(st.sampled_from(["Crime", "Drama", "Horror"]), unique=True).map(tuple),
    original_language=st.none() | st.sampled_from(["ko", "en"]),
    runtime_minutes=st.none() | st.floats(1, 600),
    release_date=st.none() | st.dates(),
    budget_usd=st.none() | st.floats(1, 1e9),
    plot=st.none()
    | st.builds(
        Plot, st.integers(1, 9999), st.floats(-1, 1), subjectivity=st.none() | st.floats(0, 1)
    ),
)
encodings = st.fixed_dictionaries(
    dict.fromkeys(ENCODED_FEATURES, st.just(math.nan) | st.floats(-5, 5, width=32))
)


def test_every_fact_becomes_its_number():
    encoding = ENCODING | {ALL_EFFECTS: 6.5, "effect=director": -0.25}
    assert dict(zip(NAMES, build_features(FULL, NAMES, encoding), strict=True)) == {
        "runtime_minutes": 131.0,
        "overview_len": 200.0,
        "overview_sentiment": -0.25,
        "overview_subjectivity": 0.5,
        "release_year": 2019.0,
        "release_month": 5.0,
        "budget_usd": 11_400_000.0,
        "effect=all": 6.5,
        "effect=director": -0.25,
        "genre=Crime": 1.0,
        "genre=Horror": 0.0,
        "language=ko": 1.0,
        "language=en": 0.0,
    }


def test_film_without_known_facts_has_no_known_feature():
    assert all(math.isnan(value) for value in build_features(Film(), NAMES, UNKNOWN))


@pytest.mark.parametrize(
    ("fact", "unknown", "gone"),
    [
        ("genres", (), {"genre=Crime", "genre=Horror"}),
        ("original_language", None, {"language=ko", "language=en"}),
        ("runtime_minutes", None, {"runtime_minutes"}),
        ("release_date", None, {"release_year", "release_month"}),
        ("budget_usd", None, {"budget_usd"}),
        ("plot", None, {"overview_len", "overview_sentiment", "overview_subjectivity"}),
        ("plot", Plot(200, -0.25), {"overview_subjectivity"}),
    ],
)
def test_unknown_fact_is_nan_and_never_zero(fact: str, unknown: Any, gone: set[str]):
    values = build_features(dataclasses.replace(FULL, **{fact: unknown}), NAMES, ENCODING)
    assert {name for name, value in zip(NAMES, values, strict=True) if math.isnan(value)} == gone


@pytest.mark.parametrize("unknown", ENCODED_FEATURES)
def test_unknown_encoding_is_the_only_nan(unknown: str):
    values = build_features(FULL, ENCODED_FEATURES, ENCODING | {unknown: math.nan})
    missing = [
        name for name, value in zip(ENCODED_FEATURES, values, strict=True) if math.isnan(value)
    ]
    assert missing == [unknown]


@given(names_of_features)
def test_values_follow_the_order_of_the_names(names: list[str]):
    one_by_one = [build_features(FULL, [name], ENCODING)[0] for name in names]
    assert build_features(FULL, names, ENCODING) == one_by_one


@given(st.lists(st.tuples(films, encodings), max_size=5), names_of_features)
def test_matrix_has_a_row_for_each_film_and_a_column_for_each_name(
    some: list[tuple[Film, TargetEncoding]], names: list[str]
):
    matrix = build_matrix((film for film, _ in some), names, (encoding for _, encoding in some))
    assert matrix.shape == (len(some), len(names))
    assert matrix.dtype == np.float32
    for (film, encoding), row in zip(some, matrix, strict=True):
        expected = np.asarray(build_features(film, names, encoding), dtype=np.float32)
        np.testing.assert_array_equal(row, expected)


@pytest.mark.parametrize("name", sorted(AFTER_RELEASE))
def test_feature_known_only_after_release_is_refused_by_name(name: str):
    with pytest.raises(UnknownFeatureError, match=f"'{name}' is known only after release"):
        build_features(FULL, [name], ENCODING)


@pytest.mark.parametrize(
    "name",
    [
        "",
        "director=7",
        "genre",
        "genre=",
        "Runtime_minutes",
        "language:ko",
        "effect",
        "effect=",
        "effect=vote_count",
        "effect=Director",
    ],
)
def test_unknown_feature_is_refused_by_name(name: str):
    with pytest.raises(UnknownFeatureError, match=f"'{name}' is not known here"):
        build_features(FULL, [name], ENCODING)


def test_each_film_needs_an_encoding():
    with pytest.raises(ValueError, match="zip"):
        build_matrix([FULL, FULL], NAMES, [ENCODING])


def test_no_measurement_is_known_only_after_release():
    assert not AFTER_RELEASE & MEASUREMENTS.keys()


@pytest.mark.parametrize("name", ["overview_len", "overview_sentiment", "overview_subjectivity"])
def test_korean_plot_has_neither_length_nor_sentiment(name: str):
    film = Film(plot=Plot(None, None, None, "등대에서 편지를", "ko"))
    assert MEASUREMENTS[name](film) is None


def test_flag_needs_enough_films_that_carry_it():
    crime, horror = Film(genres=("Crime",), original_language="ko"), Film(genres=("Horror",))
    assert choose_features([crime, crime, horror, Film()], min_films=2) == (
        *MEASUREMENTS,
        *ENCODED_FEATURES,
        "genre=Crime",
        "language=ko",
    )


@given(st.lists(films, max_size=6), st.integers(1, 3))
def test_chosen_features_can_always_be_computed(some: list[Film], min_films: int):
    names = choose_features(some, min_films)
    assert len(set(names)) == len(names)
    build_matrix(some, names, [ENCODING] * len(some))
