import dataclasses
import math
from collections.abc import Sequence
from datetime import date

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from scipy import sparse

from movierating.films.film import Film, Plot
from movierating.films.tokens import TRACKED_TRAITS, TRAITS
from movierating.model.target_encoding import ALL_EFFECTS, ENCODED_FEATURES, TargetEncoding
from scripts.parameters import EFFECTS, MIN_VOTES_TO_MEASURE
from scripts.training.target_encoding import (
    EffectsEstimate,
    estimate,
    mean_past_ratings,
    past_ratings,
)
from scripts.training.vocabulary import TokenRows, Vocabulary
from tests.support.bundles import invented_films

AS_OF = date(2026, 1, 1)
AVERAGE = 6.0
names = st.lists(st.sampled_from(["A", "B", "C", "D", "E"]), max_size=4).map(tuple)
words = st.lists(
    st.sampled_from(["lantern", "island", "keeper", "letter", "storm", "the"]), max_size=6
)
plots = st.builds(lambda text: Plot(len(text), 0.0, 0.0, text), words.map(" ".join))
films = st.builds(
    Film,
    title=st.none() | words.map(" ".join),
    genres=names,
    original_language=st.none() | st.sampled_from(["en", "ko"]),
    countries=names,
    runtime_minutes=st.none() | st.floats(40, 600),
    release_date=st.none() | st.dates(),
    budget_usd=st.none() | st.floats(1, 1e9),
    directors=names,
    writers=names,
    cast=names,
    companies=names,
    franchise=st.none() | st.sampled_from(["One", "Two"]),
    keywords=names,
    plot=st.none() | plots,
)


def learned(
    some: Sequence[Film],
    ratings: Sequence[float],
    votes: Sequence[float] | float = 1000.0,
    days_old: Sequence[float] | float = 400.0,
    which: Sequence[bool] | bool = True,
) -> tuple[EffectsEstimate, Vocabulary]:
    """Estimate target-encoded effects as of `AS_OF` from films and their ratings."""
    count = len(some)
    vocabulary = Vocabulary.of(some)
    rows = TokenRows.of(some, vocabulary)
    mask = np.broadcast_to(which, count).astype(bool)
    rated, counted, aged = (
        np.broadcast_to(each, count).astype(np.float64) for each in (ratings, votes, days_old)
    )
    return estimate(rows, mask, rated, counted, aged, AS_OF), vocabulary


def director_effect(name: str, estimated: tuple[EffectsEstimate, Vocabulary]) -> float:
    found, vocabulary = estimated
    return found.effects(vocabulary).encode(Film(directors=(name,)))["effect=director"]


def by(director: str, count: int) -> list[Film]:
    return [Film(directors=(director,))] * count


def assert_same(first: TargetEncoding, second: TargetEncoding) -> None:
    assert first.keys() == second.keys() == set(ENCODED_FEATURES)
    for name, value in first.items():
        assert value == pytest.approx(second[name], abs=2e-5, nan_ok=True), name


def test_every_trait_has_a_shrinkage_of_its_own():
    of_plots = {"plot meaning", "plot score: words", "plot score: meaning"}
    assert EFFECTS.shrinkage.keys() == {*TRAITS, "few votes"} | of_plots


@given(st.lists(films, min_size=1, max_size=6), st.lists(films, max_size=3), st.data())
@hypothesis_settings(max_examples=40)
def test_encodings_in_training_equal_those_in_service(
    taught: list[Film], others: list[Film], data: st.DataObject
):
    some = taught * 3 + others
    ratings = data.draw(st.lists(st.floats(0, 10), min_size=len(some), max_size=len(some)))
    votes = data.draw(st.lists(st.integers(1, 9999), min_size=len(some), max_size=len(some)))
    which = [True] * 3 * len(taught) + [False] * len(others)
    found, vocabulary = learned(some, ratings, votes, which=which)
    everything = np.ones(len(some), bool)
    effects = found.effects(vocabulary)
    for film, record in zip(
        some, found.encodings(TokenRows.of(some, vocabulary), everything), strict=True
    ):
        assert_same(record, effects.encode(film))


def test_encodings_are_of_the_selected_rows_in_their_order():
    some = invented_films(30)
    found, vocabulary = learned(some, np.linspace(4, 8, 30).tolist())
    asked = np.arange(30) % 3 == 0
    records = found.encodings(TokenRows.of(some, vocabulary), asked)
    assert len(records) == 10
    for film, record in zip(some[::3], records, strict=True):
        assert_same(record, found.effects(vocabulary).encode(film))


def test_effects_carry_the_date_they_were_estimated_for():
    found, vocabulary = learned(by("Ada Novak", 3), [6.0, 7.0, 8.0])
    assert found.effects(vocabulary).as_of == found.as_of == AS_OF


def test_director_of_better_films_has_a_positive_effect_and_of_worse_ones_a_negative():
    some = by("Ada Novak", 10) + by("Kim Minseo", 10) + by("Jo Lindqvist", 10)
    estimated = learned(some, [8.0] * 10 + [6.0] * 10 + [4.0] * 10)
    assert director_effect("Ada Novak", estimated) > 1
    assert abs(director_effect("Kim Minseo", estimated)) < 0.2
    assert director_effect("Jo Lindqvist", estimated) < -1


def test_effects_with_few_films_are_shrunk_towards_zero():
    others = invented_films(60)

    def effect(count: int) -> float:
        some = by("Someone", count) + others
        return director_effect("Someone", learned(some, [8.0] * count + [AVERAGE] * 60))

    assert 0 < effect(1) < effect(2) < effect(4) < effect(10) < 2


def test_director_gets_no_credit_for_the_genre():
    documentary, drama = Film(genres=("Documentary",)), Film(genres=("Drama",))
    of_documentaries = dataclasses.replace(documentary, directors=("Ada Novak",))
    some = [documentary] * 40 + [of_documentaries] * 5 + [drama] * 40
    found, vocabulary = learned(some, [7.0] * 45 + [5.0] * 40)
    record = found.effects(vocabulary).encode(of_documentaries)
    assert record["effect=genre"] > 0.5
    assert abs(record["effect=director"]) < 0.1


def test_rating_with_more_votes_has_more_weight():
    some = by("Ada Novak", 4) + by("Kim Minseo", 4)
    ratings = [8.0, 8.0, 4.0, 4.0] * 2
    votes = [5000.0, 5000.0, 5.0, 5.0, 5.0, 5.0, 5000.0, 5000.0]
    estimated = learned(some, ratings, votes)
    assert director_effect("Ada Novak", estimated) > 0.5
    assert director_effect("Kim Minseo", estimated) < -0.5


def test_newer_film_has_more_weight():
    some = by("Ada Novak", 4) + by("Kim Minseo", 4)
    ratings = [8.0, 8.0, 4.0, 4.0] * 2
    new, old = 400.0, 400.0 + 20 * 365
    estimated = learned(some, ratings, days_old=[new, new, old, old, old, old, new, new])
    assert director_effect("Ada Novak", estimated) > 0.5
    assert director_effect("Kim Minseo", estimated) < -0.5


def test_token_of_later_films_only_is_unknown():
    some = [*by("Ada Novak", 3), *by("Jo Lindqvist", 2)]
    found, vocabulary = learned(some, [8.0] * 5, which=[True] * 3 + [False] * 2)
    debut = Film(directors=("Ada Novak", "Jo Lindqvist"))
    (record,) = found.encodings(TokenRows.of([debut], vocabulary), np.ones(1, bool))
    alone = found.effects(vocabulary).encode(Film(directors=("Ada Novak",)))
    assert record["effect=director"] == pytest.approx(alone["effect=director"])
    assert record["films=director"] == alone["films=director"] > 0


def test_films_that_are_not_selected_do_not_enter():
    some = by("Ada Novak", 10) + by("Kim Minseo", 10)
    which = [True] * 5 + [False] * 5 + [True] * 10
    first, second = (
        learned(
            some,
            [7.0] * 5 + [others] * 5 + [5.0] * 10,
            [900.0] * 5 + [votes] * 5 + [900.0] * 10,
            which=which,
        )[0]
        for others, votes in ((0.0, 5.0), (10.0, 1e6))
    )
    for trait in TRAITS:
        np.testing.assert_array_equal(first.coefficients[trait], second.coefficients[trait])
    for trait in TRACKED_TRAITS:
        np.testing.assert_array_equal(first.past_ratings[trait], second.past_ratings[trait])
    assert first.average == second.average
    np.testing.assert_array_equal(first.few_votes, second.few_votes)


def test_average_follows_the_newest_films_if_ratings_drift():
    some = invented_films(400)
    days_old = np.linspace(10, 3000, 400)
    ratings = 7.0 - days_old / 1000  # 7 for new films, 4 for old ones
    found, vocabulary = learned(some, ratings.tolist(), days_old=days_old.tolist())
    freshness = 0.5 ** (days_old / 365.25 / EFFECTS.level_half_life_years)
    everyone = np.ones(400, bool)
    forecast = [
        record[ALL_EFFECTS] for record in found.encodings(TokenRows.of(some, vocabulary), everyone)
    ]
    newest = np.average(ratings, weights=freshness)
    assert newest > ratings.mean() + 0.5
    assert np.average(forecast, weights=freshness) == pytest.approx(newest, abs=0.01)


def test_shift_of_few_votes_is_estimated_and_is_zero_with_enough_votes():
    some = invented_films(300)
    few = np.arange(300) % 3 == 0
    votes = np.where(few, MIN_VOTES_TO_MEASURE / 5, MIN_VOTES_TO_MEASURE * 4)
    found, vocabulary = learned(some, np.where(few, 5.0, 6.0).tolist(), votes.tolist())
    shift = found.few_votes_shift(TokenRows.of(some, vocabulary), votes, np.ones(300, bool))
    assert shift[few].mean() == pytest.approx(-1, abs=0.3)
    assert (shift[few] < -0.3).all()
    assert (shift[~few] == 0).all()
    assert found.average == pytest.approx(6, abs=0.15)


def test_numbers_of_a_table_are_rounded_for_storage():
    some = invented_films(50)
    found, vocabulary = learned(some, np.linspace(4, 8, 50).tolist())
    for table in found.effects(vocabulary).tables.values():
        for numbers in table.values():
            assert not any(map(math.isnan, numbers))
            assert tuple(round(number, 5) for number in numbers) == numbers


def test_same_films_give_the_same_effects():
    some, ratings = invented_films(50), np.linspace(4, 8, 50).tolist()
    first, second = (
        found.effects(vocabulary)
        for found, vocabulary in (learned(some, ratings), learned(some, ratings))
    )
    assert first == second


# Token weights of three films (rows) and three people (columns). The third person has no film.
TOKENS = sparse.csr_matrix(np.array([[1, 0, 0], [2, 2, 0], [1, 0, 0]], float))
RATINGS = np.array([6.0, 8.0, 4.0])


def test_past_ratings_are_the_number_of_films_their_mean_and_the_newest():
    first, second, _ = past_ratings(TOKENS, RATINGS, days_old=np.array([30.0, 20.0, 10.0]))
    np.testing.assert_allclose(first, [math.log(4), 6.0, 4.0], atol=1e-5)
    np.testing.assert_allclose(second, [math.log(2), 8.0, 8.0], atol=1e-5)


def test_newest_film_is_the_one_released_last_in_whatever_row():
    first, *_ = past_ratings(TOKENS, RATINGS, days_old=np.array([10.0, 20.0, 30.0]))
    assert first[2] == 6.0


def test_film_has_the_mean_past_ratings_of_its_people_whatever_their_weights():
    pasts = np.array([[2.0, 7.0, 6.0], [1.0, 5.0, 8.0], [9.0, 9.0, 9.0]])
    means = mean_past_ratings(TOKENS, pasts)
    np.testing.assert_array_equal(means, [[2.0, 7.0, 6.0], [1.5, 6.0, 7.0], [2.0, 7.0, 6.0]])


def test_film_of_newcomers_has_zero_earlier_films_and_no_ratings():
    means = mean_past_ratings(sparse.csr_matrix((1, 3)), np.ones((3, 3)))
    np.testing.assert_array_equal(means, [[0.0, np.nan, np.nan]])
