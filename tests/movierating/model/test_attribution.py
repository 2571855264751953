import dataclasses
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from movierating.films.film import Film, Plot
from movierating.films.tokens import TRAITS
from movierating.model.attribution import GROUPS, explain, group_of, mask_features
from movierating.model.features import MEASUREMENTS
from movierating.registry.bundle import Bundle
from tests.support.bundles import FEATURES, Packed, invented_films


@pytest.fixture(scope="module")
def bundle(packed: Packed) -> Bundle:
    return packed.load()


def reasons(bundle: Bundle, film: Film) -> dict[str, float]:
    return explain(bundle.model, bundle.matrix([film]), bundle.manifest.features)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_reasons_add_up_to_the_difference_from_a_film_without_known_facts(
    packed: Packed, seed: int
):
    bundle = packed.load()
    (film,) = invented_films(1, seed)
    rating, average = bundle.forecast([film, Film()])
    assert sum(reasons(bundle, film).values()) == pytest.approx(rating - average, abs=1e-4)


@pytest.mark.parametrize("seed", range(5))
def test_contribution_of_a_group_is_its_average_gain_over_all_rotations(bundle: Bundle, seed: int):
    (film,) = invented_films(1, seed)
    vector, features = bundle.matrix([film]), bundle.manifest.features
    found = reasons(bundle, film)
    circle = list(found)
    gains: dict[str, list[float]] = {group: [] for group in circle}
    for order in (circle, circle[::-1]):
        for start in range(len(circle)):
            visible = np.zeros_like(vector, np.bool_)
            ratings = [bundle.model.forecast(mask_features(vector, visible, features))[0]]
            for group in order[start:] + order[:start]:
                visible |= [group_of(name) == group for name in features]
                ratings.append(bundle.model.forecast(mask_features(vector, visible, features))[0])
                gains[group].append(float(ratings[-1] - ratings[-2]))
    assert found == pytest.approx({group: np.mean(gains[group]) for group in circle}, abs=1e-5)


def test_film_without_known_facts_has_no_reasons(bundle: Bundle):
    assert reasons(bundle, Film()) == {}


def test_only_known_facts_are_reasons(bundle: Bundle):
    film = Film(genres=("Drama",), plot=Plot(100, 0.1, 0.5, "A lantern."))
    assert reasons(bundle, film).keys() == {"genre", "plot"}


def test_decisive_fact_has_the_largest_contribution(bundle: Bundle):
    # The model in the test bundle forecasts higher ratings for longer films, whatever their genre.
    film = Film(genres=("Drama",), original_language="en", runtime_minutes=180)
    points = reasons(bundle, film)
    assert max(points, key=lambda group: abs(points[group])) == "length"
    assert points["length"] > 0


def test_reasons_do_not_depend_on_the_order_of_the_features(bundle: Bundle):
    film = invented_films(1, 3)[0]
    assert reasons(bundle, film) == reasons(bundle, dataclasses.replace(film))


@pytest.mark.parametrize("name", [*MEASUREMENTS, *TRAITS, "genre", "language"])
def test_every_measurement_trait_and_flag_belongs_to_a_group(name: str):
    assert name in GROUPS


@pytest.mark.parametrize(
    ("feature", "group"),
    [
        ("runtime_minutes", "length"),
        ("genre=Drama", "genre"),
        ("language=ko", "language"),
        ("effect=director", "people"),
        ("films=cast", "people"),
        ("mean=company", "company"),
        ("latest=franchise", "franchise"),
        ("effect=runtime", "length"),
        ("effect=all", None),
    ],
)
def test_feature_belongs_to_its_group(feature: str, group: str | None):
    assert group_of(feature) == group


def test_masked_effects_are_subtracted_from_the_sum_of_effects():
    film = np.full((1, len(FEATURES)), 2.0, np.float32)
    film[0, FEATURES.index("effect=all")] = 6 + 2 * len(TRAITS)
    visible = np.ones_like(film, np.bool_)
    visible[0, FEATURES.index("effect=director")] = False
    (row,) = mask_features(film, visible, FEATURES)
    assert math.isnan(row[FEATURES.index("effect=director")])
    assert row[FEATURES.index("effect=all")] == 6 + 2 * (len(TRAITS) - 1)
    assert np.isnan(row).sum() == 1


def test_largest_reason_comes_first(bundle: Bundle):
    for film in invented_films(5):
        sizes = [abs(points) for points in reasons(bundle, film).values()]
        assert len(sizes) > 3
        assert sizes == sorted(sizes, reverse=True)
