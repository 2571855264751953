"""The plots' vectors in training: components, effects, scores, and the functions for serving."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from movierating.films.film import Film, Plot
from movierating.model.features import build_matrix, choose_features
from movierating.model.plot_encoder import Vectors
from movierating.model.plot_weights import DIMENSIONS
from movierating.model.target_encoding import ALL_EFFECTS, MEANING_EFFECT, PLOT_SCORE, Effects
from scripts.dataset.plot_vectors import KOREAN_VECTOR, PLOT_VECTOR
from scripts.dataset.split import Sample
from scripts.training.plot_meaning import MIN_PAIRS, PlotComponents, language_shifts
from scripts.training.vectors import FilmVectors, build_vectors
from tests.support.bundles import invented_films
from tests.support.samples import SPLIT_DATE, rated, split_of

YEARS, PER_YEAR = 8, 40
SHIFT = 0.25  # between each number of an English and of a Korean vector


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    """Create films whose ratings depend on the first number of their plots' vectors."""
    rng = np.random.default_rng(2)
    days = np.round(np.linspace(YEARS * 365, -364, PER_YEAR * (YEARS + 1)))
    vectors = rng.normal(0, 0.04, (len(days), DIMENSIONS)).astype(np.float16)
    vectors[:, 0] *= 10
    plots = [Plot(30, 0.0, 0.0, f"The lantern {at % 7} island{at % 11}") for at in range(len(days))]
    films = [
        replace(film, plot=plot)
        for film, plot in zip(invented_films(len(days)), plots, strict=True)
    ]
    ratings = 6 + 2 * vectors[:, 0].astype(float) + rng.normal(0, 0.1, len(days))
    frame = rated(films, days, ratings, np.full(len(days), 500))
    frame[PLOT_VECTOR] = [*vectors]
    frame.loc[frame.index % 10 == 0, PLOT_VECTOR] = None
    frame[KOREAN_VECTOR] = [None if each is None else each - SHIFT for each in frame[PLOT_VECTOR]]
    return frame


@pytest.fixture(scope="module")
def features(frame: pd.DataFrame) -> tuple[str, ...]:
    return choose_features(split_of(frame).train.films, min_films=2)


@pytest.fixture(scope="module")
def learned(frame: pd.DataFrame, features: tuple[str, ...]) -> tuple[FilmVectors, Effects]:
    return build_vectors(split_of(frame), features)


def test_components_are_the_axes_along_which_vectors_differ_most():
    rng = np.random.default_rng(1)
    spread = np.asarray([5.0, 2.0, *np.full(DIMENSIONS - 2, 0.01)])
    vectors = (rng.normal(0, 1, (300, DIMENSIONS)) * spread + 3).astype(np.float16)
    components = PlotComponents.of(vectors)
    assert abs(components.axes[0][0]) > 0.99
    assert abs(components.axes[1][1]) > 0.99
    projected, known = components.project(vectors)
    assert known.all()
    np.testing.assert_allclose(projected.mean(axis=0), 0, atol=0.01)
    assert (np.diff(projected.std(axis=0)) <= 1e-6).all()


def test_films_without_a_vector_change_no_component():
    vectors = np.random.default_rng(1).normal(0, 1, (50, DIMENSIONS)).astype(np.float16)
    holes = np.full((3, DIMENSIONS), np.nan, np.float16)
    with_holes = PlotComponents.of(np.vstack([holes, vectors]))
    np.testing.assert_array_equal(with_holes.axes, PlotComponents.of(vectors).axes)
    projected, known = with_holes.project(holes)
    assert not projected.any()
    assert not known.any()


@pytest.mark.parametrize("count", [0, 1])
def test_too_few_vectors_have_no_components(count: int):
    vectors: Vectors = np.ones((count, DIMENSIONS), np.float16)
    projected, known = PlotComponents.of(vectors).project(vectors)
    assert projected.shape == (count, 0)
    assert not known.any()


def test_meaning_of_the_plot_explains_ratings(learned: tuple[FilmVectors, Effects]):
    films, _ = learned
    held_out = films.select((films.years == 0) & ~np.isnan(films.full[:, films.column(PLOT_SCORE)]))
    for name in (ALL_EFFECTS, MEANING_EFFECT, PLOT_SCORE):
        values = held_out.full[:, films.column(name)]
        assert np.corrcoef(values, held_out.ratings)[0, 1] > 0.6


def test_service_computes_the_same_features_as_training(
    frame: pd.DataFrame, features: tuple[str, ...], learned: tuple[FilmVectors, Effects]
):
    films, effects = learned
    held_out = Sample(split_of(frame).holdout.frame)
    encodings = [
        effects.encode(film, vector)
        for film, vector in zip(held_out.films, held_out.frame[PLOT_VECTOR], strict=True)
    ]
    served = build_matrix(held_out.films, features, encodings)
    np.testing.assert_allclose(served, films.evaluation_films().full, atol=1e-4)


def test_plot_without_a_vector_has_no_meaning(learned: tuple[FilmVectors, Effects]):
    films, _ = learned
    lacking = np.isnan(films.full[:, films.column(MEANING_EFFECT)])
    assert 0 < lacking.sum() < len(films) / 5
    assert np.isnan(films.full[lacking][:, films.column(PLOT_SCORE)]).all()
    assert np.isfinite(films.full[lacking][:, films.column(ALL_EFFECTS)]).all()


def test_korean_plot_gets_nearly_the_features_of_the_english_plot(
    frame: pd.DataFrame, learned: tuple[FilmVectors, Effects]
):
    _, effects = learned
    held_out = split_of(frame).holdout.frame.dropna(subset=PLOT_VECTOR)
    korean = Film(plot=Plot(None, None, None, "등대", "ko"))
    for film, english, translated in zip(
        Sample(held_out).films, held_out[PLOT_VECTOR], held_out[KOREAN_VECTOR], strict=True
    ):
        expected = effects.encode(film, english)
        found = effects.encode(korean, translated)
        assert found[MEANING_EFFECT] == pytest.approx(expected[MEANING_EFFECT], abs=0.02)
        assert found[PLOT_SCORE] == pytest.approx(expected[PLOT_SCORE], abs=0.3)


def test_shift_of_a_language_is_the_mean_difference_of_the_training_films(frame: pd.DataFrame):
    train = split_of(frame).train
    np.testing.assert_allclose(language_shifts(train)["ko"], SHIFT, atol=1e-3)
    later = split_of(frame).holdout.frame.assign(**{KOREAN_VECTOR: None})
    changed = pd.concat([train.frame, later])
    shift = language_shifts(split_of(changed).train)["ko"]
    np.testing.assert_array_equal(shift, language_shifts(train)["ko"])


def test_too_few_pairs_give_no_shift(frame: pd.DataFrame):
    pairs = frame.dropna(subset=PLOT_VECTOR)
    assert language_shifts(Sample(pairs.head(MIN_PAIRS))) != {}
    assert language_shifts(Sample(pairs.head(MIN_PAIRS - 1))) == {}


def test_films_without_vectors_have_no_weights(frame: pd.DataFrame, features: tuple[str, ...]):
    films, effects = build_vectors(split_of(frame.drop(columns=[PLOT_VECTOR])), features)
    assert effects.plots is None
    assert np.isnan(films.full[:, films.column(MEANING_EFFECT)]).all()
    assert effects.as_of == SPLIT_DATE
