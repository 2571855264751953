from dataclasses import fields
from datetime import date, timedelta
from typing import Any

import pandas as pd
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from movierating.films.film import Film, Plot
from scripts.dataset.split import Sample, TimeSplit, TooFewFilmsError, only_form_fields
from scripts.parameters import MIN_VOTES_TO_COUNT, MIN_VOTES_TO_MEASURE

FIRST = date(2020, 1, 1)


def frame(days: list[int], votes: list[int] | int = 100) -> pd.DataFrame:
    opened = [(FIRST + timedelta(day)).isoformat() for day in days]
    return pd.DataFrame({"release_date": opened, "vote_count": votes, "vote_average": 6.0})


@given(
    st.lists(st.tuples(st.integers(0, 60), st.integers(0, 120)), min_size=30, max_size=80),
    st.floats(0.1, 0.9),
)
def test_training_films_are_older_than_hold_out_films(films: list[tuple[int, int]], share: float):
    days, votes = zip(*films, strict=True)
    try:
        split = TimeSplit.of_newest(frame(list(days), list(votes)), share)
    except TooFewFilmsError:
        assume(False)
    boundary = split.split_date.isoformat()
    assert (split.train.frame["release_date"] < boundary).all()
    assert (split.holdout.frame["release_date"] >= boundary).all()
    assert (split.train.frame["vote_count"] >= MIN_VOTES_TO_COUNT).all()
    assert (split.holdout.frame["vote_count"] >= MIN_VOTES_TO_MEASURE).all()


def test_newest_share_is_held_out():
    split = TimeSplit.of_newest(frame(list(range(100))), 0.2)
    assert (len(split.train), len(split.holdout)) == (80, 20)
    assert split.split_date == FIRST + timedelta(80)


def test_hold_out_set_has_a_largest_size():
    votes = [50 if at % 2 else 49 for at in range(100)]
    split = TimeSplit.of_newest(frame(list(range(100)), votes), 0.5, enough=12)
    assert (len(split.train), len(split.holdout)) == (77, 12)


def test_films_of_one_day_stay_together():
    split = TimeSplit.of_newest(frame([0] * 15 + [1] * 15), 0.2)
    assert (len(split.train), len(split.holdout)) == (15, 15)


@pytest.mark.parametrize(
    ("films", "sentence"),
    [
        (frame([], []), "no film has 5 votes"),
        (frame(list(range(100)), 4), "no film has 5 votes"),
        (frame(list(range(100)), 49), "0 with 50 votes later"),
        (frame([0] * 100), "0 films opened before 2020-01-01"),
        (frame(list(range(20))), "4 with 50 votes later"),
    ],
    ids=["none", "unrated", "few votes", "one day", "few films"],
)
def test_too_few_films_are_reported_with_the_setting_to_change(films: pd.DataFrame, sentence: str):
    with pytest.raises(TooFewFilmsError, match=f"{sentence}.*raise COLLECT_MAX_FILMS$"):
        TimeSplit.of_newest(films, 0.2)


@pytest.mark.parametrize("votes", [MIN_VOTES_TO_COUNT, MIN_VOTES_TO_MEASURE])
def test_training_films_need_fewer_votes_than_hold_out_films(votes: int):
    split = TimeSplit.by_date(frame(list(range(40)), [votes, 100] * 20), FIRST + timedelta(20))
    assert len(split.train) == 20
    assert len(split.holdout) == (20 if votes == MIN_VOTES_TO_MEASURE else 10)


def test_sample_has_arrays_in_the_order_of_its_films():
    sample = Sample(frame([0, 31], [20, 70]).assign(vote_average=[5.5, 7.0]))
    assert sample.ratings.tolist() == [5.5, 7.0]
    assert sample.votes.tolist() == [20, 70]
    assert sample.opened.tolist() == [FIRST, FIRST + timedelta(31)]
    assert len(sample) == 2


def test_newest_films_of_a_sample_have_enough_votes():
    votes = [MIN_VOTES_TO_MEASURE] * 5 + [MIN_VOTES_TO_MEASURE - 1]
    newest = Sample(frame([4, 0, 3, 2, 1, 9], votes)).newest(2)
    assert newest.frame["release_date"].tolist() == ["2020-01-04", "2020-01-05"]


def test_only_facts_of_the_form_are_kept():
    told: dict[str, Any] = {
        "original_language": "ko",
        "runtime_minutes": 101,
        "plot": Plot(10, 0.5, 0.5, "A lantern."),
    }
    film = Film(
        title="The Lantern",
        genres=("Crime", "Drama"),
        countries=("KR",),
        release_date=FIRST,
        budget_usd=1e6,
        directors=("Ada Novak",),
        writers=("Kim Minseo",),
        cast=("Jo Lindqvist",),
        companies=("Lantern Films",),
        franchise="Lanterns",
        keywords=("lantern",),
        **told,
    )
    assert all(getattr(film, field.name) for field in fields(Film))
    assert only_form_fields(film) == Film(genres=("Crime",), **told)
