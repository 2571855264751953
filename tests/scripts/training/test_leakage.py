from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest

from movierating.model.features import MEASUREMENTS, UnknownFeatureError, choose_features
from movierating.model.target_encoding import Effects
from scripts.dataset.split import TimeSplit
from scripts.dataset.table import row_of
from scripts.parameters import MODEL_CONFIG
from scripts.training import leakage, selection, vectors
from scripts.training.leakage import LeakError, refuse_leaks
from scripts.training.target_encoding import estimate
from scripts.training.vectors import FilmVectors, build_vectors
from tests.support.bundles import CODES, invented_films

SPLIT = date(2024, 1, 1)
BuildVectors = Callable[[TimeSplit, tuple[str, ...]], tuple[FilmVectors, Effects]]


@pytest.fixture(scope="module")
def split() -> TimeSplit:
    """Create seven years of training films, and an eighth year of hold-out films."""
    rng = np.random.default_rng(5)
    rows = [
        {"id": at, "revenue": 1e6, "vote_count": 50 + at, "vote_average": rng.normal(6, 1)}
        | row_of(replace(film, release_date=date(2017, 1, 1) + timedelta(14 * at)), CODES)
        for at, film in enumerate(invented_films(210))
    ]
    return TimeSplit.by_date(pd.DataFrame(rows), SPLIT)


@pytest.fixture(scope="module")
def features(split: TimeSplit) -> tuple[str, ...]:
    return choose_features(split.train.films, min_films=2)


def with_column(values: Callable[[TimeSplit], pd.Series]) -> BuildVectors:
    """Return a variant of `build_vectors` that replaces the plot's sentiment by `values`."""

    def planted(split: TimeSplit, features: tuple[str, ...]) -> tuple[FilmVectors, Effects]:
        films, effects = build_vectors(split, features)
        column = values(split).to_numpy(np.float32)[-len(films) :]
        full = films.full.copy()
        full[:, features.index("overview_sentiment")] = column
        return replace(films, full=full), effects

    return planted


def all_films(split: TimeSplit) -> pd.DataFrame:
    return pd.concat([split.train.frame, split.holdout.frame])


def director_mean(split: TimeSplit) -> pd.Series:
    """Return, for each film, the mean rating of all films by its director.

    This feature leaks ratings that were not yet known when the film was released."""
    frame = all_films(split)
    return frame.groupby("directors")["vote_average"].transform("mean")


def test_honest_features_pass(split: TimeSplit, features: tuple[str, ...]):
    asked: list[TimeSplit] = []

    def remembering(split: TimeSplit, features: tuple[str, ...]) -> tuple[FilmVectors, Effects]:
        asked.append(split)
        return build_vectors(split, features)

    refuse_leaks(split, features, remembering)
    ratings = [tuple(each.holdout.ratings) for each in asked]
    # Built once with the real outcomes, once with others since the split, and once with others
    # since a year before the split.
    assert len(ratings) == 3
    assert ratings[0] not in ratings[1:]


@pytest.mark.parametrize("outcome", ["vote_count", "vote_average", "revenue"])
def test_outcome_in_place_of_a_feature_is_refused_by_name(
    split: TimeSplit, features: tuple[str, ...], outcome: str
):
    planted = with_column(lambda split: all_films(split)[outcome])
    with pytest.raises(LeakError, match=r"^training refuses overview_sentiment: .* 2024-01-01"):
        refuse_leaks(split, features, planted)


def test_director_mean_over_all_films_is_refused(split: TimeSplit, features: tuple[str, ...]):
    with pytest.raises(LeakError, match="overview_sentiment"):
        refuse_leaks(split, features, with_column(director_mean))


def test_director_mean_over_all_training_films_is_refused(
    split: TimeSplit, features: tuple[str, ...]
):
    def training_mean(split: TimeSplit) -> pd.Series:
        frame = split.train.frame
        means = frame.groupby("directors")["vote_average"].mean()
        return all_films(split)["directors"].map(means)

    with pytest.raises(LeakError, match=r"overview_sentiment.* 2023-01-01"):
        refuse_leaks(split, features, with_column(training_mean))


def test_effects_estimated_from_all_films_are_refused_by_name(
    split: TimeSplit, features: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
):
    def of_all_films(rows: Any, which: Any, *others: Any) -> Any:
        return estimate(rows, np.ones_like(which), *others)

    monkeypatch.setattr(vectors, "estimate", of_all_films)
    with pytest.raises(LeakError, match="effect=director"):
        refuse_leaks(split, features, build_vectors)


def test_training_refuses_a_leaking_feature(split: TimeSplit, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(selection, "build_vectors", with_column(director_mean))
    with pytest.raises(LeakError, match="training refuses overview_sentiment"):
        selection.train_candidates(split, MODEL_CONFIG)


def test_training_refuses_vote_count_by_name(split: TimeSplit, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(MEASUREMENTS, "vote_count", lambda _: 1.0)
    with pytest.raises(UnknownFeatureError, match="'vote_count' is known only after release"):
        selection.train_candidates(split, MODEL_CONFIG)


def test_probed_films_are_spread_over_the_years(split: TimeSplit, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(leakage, "_PROBED_FILMS", 50)
    some = leakage._sampled(split.train)
    assert 50 <= len(some) < 150
    assert some.opened[-1] - some.opened[0] > np.timedelta64(4 * 365)
