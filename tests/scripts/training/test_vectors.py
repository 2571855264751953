from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest

from movierating.films.film import Film, Plot
from movierating.model.attribution import group_of
from movierating.model.features import Matrix, build_matrix, choose_features
from movierating.model.target_encoding import ALL_EFFECTS, Effects
from scripts.dataset.split import TooFewFilmsError, only_form_fields
from scripts.parameters import (
    FOLDS,
    HALF_LIFE_YEARS,
    HALF_WEIGHT_VOTES,
    MIN_VOTES_TO_LEARN,
    MIN_VOTES_TO_MEASURE,
)
from scripts.training.vectors import FilmHistory, FilmVectors, build_vectors, mask_at_random
from tests.support.bundles import effects_of, invented_films
from tests.support.samples import SPLIT_DATE, film_vectors, rated, split_of, years_of_films

Mask = npt.NDArray[np.bool_]
YEARS = 8


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    """Create films: `YEARS` years before the split date, and one year after it.

    All tests in this module share the frame and must not change it.
    """
    return years_of_films(years=YEARS)


@pytest.fixture(scope="module")
def features(frame: pd.DataFrame) -> tuple[str, ...]:
    return choose_features(split_of(frame).train.films, min_films=2)


@pytest.fixture(scope="module")
def honest(frame: pd.DataFrame, features: tuple[str, ...]) -> tuple[FilmVectors, Effects]:
    return build_vectors(split_of(frame), features)


def days_before(frame: pd.DataFrame) -> npt.NDArray[np.float64]:
    opened = frame["release_date"].to_numpy("datetime64[D]")
    days: npt.NDArray[np.float64] = (np.datetime64(SPLIT_DATE) - opened).astype(float)
    return days


def altered(frame: pd.DataFrame, rows: Mask) -> pd.DataFrame:
    """Copy the films; where `rows` is true, ratings, votes and revenue are very different."""
    others = {
        "vote_average": 10 - frame["vote_average"],
        "vote_count": 50 + frame["vote_count"] ** 2 % 9973,
        "revenue": 3 * frame["revenue"] + 1,
    }
    return frame.assign(**{name: frame[name].where(~rows, each) for name, each in others.items()})


def assert_same_vectors(first: FilmVectors, second: FilmVectors, rows: Mask) -> None:
    assert rows.any()
    np.testing.assert_array_equal(first.full[rows], second.full[rows])
    np.testing.assert_array_equal(first.form[rows], second.form[rows])


def test_films_come_oldest_first_without_the_burn_in_years(
    frame: pd.DataFrame, honest: tuple[FilmVectors, Effects]
):
    films, _ = honest
    assert (np.diff(films.years) <= 0).all()
    assert set(films.years) == set(range(YEARS - 1))
    newest = frame.tail(len(films))
    assert films.ratings.tolist() == newest["vote_average"].tolist()
    assert films.votes.tolist() == newest["vote_count"].tolist()


def test_years_count_back_from_the_split(frame: pd.DataFrame):
    history = FilmHistory.of(split_of(frame))
    assert history.days.tolist() == days_before(frame).tolist()
    for day, year in zip(history.days, history.years, strict=True):
        assert year == 0 if day <= 0 else year - 1 < day / 365.25 <= year


def test_hold_out_films_are_encoded_with_the_effects_that_are_returned(
    frame: pd.DataFrame, features: tuple[str, ...], honest: tuple[FilmVectors, Effects]
):
    films, effects = honest
    assert effects.as_of == SPLIT_DATE
    held_out = split_of(frame).holdout.films
    for matrix, known in (
        (films.full, held_out),
        (films.form, [only_form_fields(film) for film in held_out]),
    ):
        expected = build_matrix(known, features, map(effects.encode, known))
        np.testing.assert_allclose(matrix[films.years == 0], expected, rtol=1e-5, atol=1e-5)


def test_outcomes_of_hold_out_films_enter_no_vector(
    frame: pd.DataFrame, features: tuple[str, ...], honest: tuple[FilmVectors, Effects]
):
    other = altered(frame, days_before(frame) <= 0)
    films, effects = build_vectors(split_of(other), features)
    assert effects == honest[1]
    assert_same_vectors(films, honest[0], np.ones(len(films), bool))
    taught = films.years > 0
    np.testing.assert_array_equal(films.targets[taught], honest[0].targets[taught])


def test_further_hold_out_films_change_no_vector(
    frame: pd.DataFrame, features: tuple[str, ...], honest: tuple[FilmVectors, Effects]
):
    fewer = frame[days_before(frame) > -100]
    films, effects = build_vectors(split_of(fewer), features)
    assert len(films) < len(honest[0])
    assert effects == honest[1]
    np.testing.assert_array_equal(films.full, honest[0].full[: len(films)])


@pytest.mark.parametrize("year", [1, 2, 3])
def test_outcomes_of_a_year_do_not_enter_its_own_vectors_or_earlier_ones(
    frame: pd.DataFrame, features: tuple[str, ...], honest: tuple[FilmVectors, Effects], year: int
):
    since = days_before(frame) <= year * 365.25
    films, _ = build_vectors(split_of(altered(frame, since)), features)
    before = films.years >= year
    assert_same_vectors(films, honest[0], before)
    # The outcomes change the vectors of later years, so the test has altered them effectively.
    assert (films.full[~before] != honest[0].full[~before]).any()


def test_vectors_change_with_the_outcomes_before_them(
    frame: pd.DataFrame, features: tuple[str, ...], honest: tuple[FilmVectors, Effects]
):
    old = days_before(frame) > (YEARS - 1) * 365.25
    films, _ = build_vectors(split_of(altered(frame, old)), features)
    at = features.index(ALL_EFFECTS)
    for year in range(YEARS - 1):
        of_year = films.years == year
        assert (films.full[of_year, at] != honest[0].full[of_year, at]).all()


def test_form_vectors_hold_only_the_fields_of_the_form(
    features: tuple[str, ...], honest: tuple[FilmVectors, Effects]
):
    films, _ = honest
    for feature in ("release_year", "budget_usd", "effect=director", "effect=budget"):
        at = features.index(feature)
        assert np.isnan(films.form[:, at]).all()
        assert not np.isnan(films.full[:, at]).all()
    at = features.index("runtime_minutes")
    np.testing.assert_array_equal(films.form[:, at], films.full[:, at])


def test_director_of_better_films_has_a_positive_effect_once_earlier_films_show_it():
    films = [
        replace(film, directors=("Ada Novak" if at % 4 else "Jo Lindqvist",))
        for at, film in enumerate(invented_films(160))
    ]
    ratings = [5.0 if film.directors == ("Ada Novak",) else 8.0 for film in films]
    split = split_of(rated(films, np.linspace(1400, -200, 160), ratings, [200] * 160))
    found, effects = build_vectors(split, ("effect=director",))
    better = np.isclose(found.ratings, 8)
    assert (found.full[better, 0] > 0).all()
    assert (found.full[~better, 0] < 0).all()
    assert effects.encode(Film(directors=("Jo Lindqvist",)))["effect=director"] > 0.5


def test_targets_correct_ratings_for_the_shift_of_few_votes():
    rng = np.random.default_rng(2)
    few = rng.random(400) < 0.4
    ratings = 6.5 - few + rng.normal(0, 0.2, 400)
    votes = np.where(few, 10, 300)
    split = split_of(rated(invented_films(400), np.linspace(1800, -100, 400), ratings, votes))
    films, _ = build_vectors(split, ("effect=all",))
    taught = films.years > 0
    of_few = taught & (films.votes < MIN_VOTES_TO_MEASURE)
    lifted = films.targets - films.ratings
    assert (lifted[of_few] > 0.3).all()
    assert lifted[of_few].mean() == pytest.approx(1, abs=0.3)
    np.testing.assert_array_equal(lifted[films.votes >= MIN_VOTES_TO_MEASURE], 0)


def test_years_without_films_are_skipped():
    days = [*range(2000, 2020), *range(500, 520), *range(-19, 1)]
    split = split_of(rated(invented_films(60), days, [6.0] * 60, [100] * 60))
    films, _ = build_vectors(split, ("effect=all",))
    assert np.bincount(films.years).tolist() == [20, 0, 20]


def test_years_are_shorter_if_the_films_span_a_few_months():
    days = np.linspace(200, -50, 250)
    films, _ = build_vectors(
        split_of(rated(invented_films(250), days, [6.0] * 250, [100] * 250)), ()
    )
    assert films.year_days == pytest.approx(32, abs=2)
    assert len(films.folds) == FOLDS


def test_films_of_a_single_day_are_too_few():
    days = np.where(np.arange(100) < 80, 40, -10)
    split = split_of(rated(invented_films(100), days, [6.0] * 100, [100] * 100))
    with pytest.raises(TooFewFilmsError, match="all training films were released at about"):
        build_vectors(split, ("effect=all",))


def test_vectors_are_the_same_in_every_run(
    frame: pd.DataFrame, features: tuple[str, ...], honest: tuple[FilmVectors, Effects]
):
    films, effects = build_vectors(split_of(frame), features)
    assert effects == honest[1]
    assert_same_vectors(films, honest[0], np.ones(len(films), bool))


@pytest.fixture
def four() -> FilmVectors:
    """Create one film for each of four years, oldest first, with an increasing number of votes."""
    votes = [MIN_VOTES_TO_LEARN - 1, MIN_VOTES_TO_LEARN, MIN_VOTES_TO_MEASURE - 1, 1000]
    return film_vectors(np.zeros((4, 1), np.float32), [5, 6, 7, 8], [3, 2, 1, 0], votes)


@pytest.mark.parametrize(("before", "ratings"), [(0, [6, 7]), (1, [6]), (2, [])])
def test_training_films_are_older_and_have_enough_votes(
    four: FilmVectors, before: int, ratings: list[float]
):
    assert four.training_films(before).ratings.tolist() == ratings


@pytest.mark.parametrize(("year", "ratings"), [(0, [8]), (1, []), (2, [])])
def test_evaluation_films_are_of_the_year_and_have_more_votes(
    four: FilmVectors, year: int, ratings: list[float]
):
    assert four.evaluation_films(range(year, year + 1)).ratings.tolist() == ratings


def test_films_with_more_votes_have_more_weight():
    votes = [0, HALF_WEIGHT_VOTES, 1000 * HALF_WEIGHT_VOTES]
    weights = film_vectors(np.zeros((3, 1), np.float32), [6] * 3, [1] * 3, votes).weights
    np.testing.assert_allclose(weights, [0, 0.5, 1], atol=2e-3)


def test_older_films_have_less_weight_and_the_newest_full_weight():
    half = round(HALF_LIFE_YEARS)
    years = [2 + 2 * half, 2 + half, 2]
    weights = film_vectors(np.zeros((3, 1), np.float32), [6] * 3, years, [1e9] * 3).weights
    halved = 0.5 ** (half / HALF_LIFE_YEARS)
    np.testing.assert_allclose(weights, [halved**2, halved, 1], atol=1e-3)


ONE_FILM = Film(genres=("Drama",), runtime_minutes=100, plot=Plot(9, 0.3, 0.5, "A letter."))
SOME_FEATURES = (
    "runtime_minutes",
    "overview_len",
    "overview_sentiment",
    "overview_subjectivity",
    ALL_EFFECTS,
    "effect=genre",
    "effect=runtime",
    "effect=plot",
    "genre=Drama",
)
SOME_EFFECTS = effects_of(
    {"genre": {"Drama": (1, 0.5)}, "plot": {"letter": (1, 0.25)}, "runtime": {"5": (1, 0.125)}}
)


def masked_copies(count: int = 400) -> Matrix:
    whole = build_matrix([ONE_FILM] * count, SOME_FEATURES, [SOME_EFFECTS.encode(ONE_FILM)] * count)
    return mask_at_random(whole, SOME_FEATURES)


def test_masking_hides_the_facts_of_a_group_together_and_any_number_of_groups():
    masked = masked_copies()
    known = ~np.isnan(masked)
    genre = [at for at, name in enumerate(SOME_FEATURES) if group_of(name) == "genre"]
    assert (known[:, genre[0]] == known[:, genre[1]]).all()
    assert {0, len(SOME_FEATURES) - 1} <= set((known.sum(axis=1) - 1).tolist())


def test_sum_of_effects_includes_only_facts_that_are_not_masked():
    masked = masked_copies()
    shown = [SOME_FEATURES.index(f"effect={trait}") for trait in ("genre", "runtime", "plot")]
    total = 6.0 + np.nansum(masked[:, shown], axis=1)
    np.testing.assert_allclose(masked[:, SOME_FEATURES.index(ALL_EFFECTS)], total, atol=1e-6)


def test_masking_is_the_same_in_every_run():
    np.testing.assert_array_equal(masked_copies(), masked_copies())
