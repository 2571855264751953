from datetime import date
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest

from benchmarks.accuracy import read_films
from movierating.films.film import Film, Plot
from scripts.dataset.metrics import baselines, score
from scripts.dataset.split import Sample, TimeSplit
from scripts.parameters import MIN_VOTES_TO_MEASURE
from tests.support.samples import SPLIT_DATE, rated


def test_scores_equal_those_calculated_by_hand():
    scores = score([6.0, 7.0, 8.0], [7.0, 7.0, 6.0])
    # The errors are 1, 0 and -2, so the sum of their squares is 1 + 0 + 4. The sum of the ratings'
    # squared deviations from their mean is 1 + 0 + 1.
    assert scores.model_dump() == {
        "n": 3,
        "rmse": pytest.approx((5 / 3) ** 0.5, abs=1e-6),
        "mae": pytest.approx(1.0),
        "r2": pytest.approx(1 - 5 / 2),
        "bias": pytest.approx(-1 / 3, abs=1e-6),
    }


def test_forecasts_that_are_too_high_have_a_positive_bias():
    assert score([5.0, 6.0], [6.0, 7.0]).bias == 1.0


def films(*rows: tuple[int, str | None, float]) -> Sample:
    """Create films with 100 votes, each given as (days before the split date, genre, rating)."""
    days, genres, ratings = zip(*rows, strict=True)
    known = [Film(genres=(genre,) if genre else (), plot=Plot(50, 0.0)) for genre in genres]
    return Sample(rated(known, days, ratings, [100] * len(rows)))


@pytest.fixture
def split() -> TimeSplit:
    """Create a split: three training films, two old and one recent, and three hold-out films.

    One hold-out film is a drama, one is a comedy, and one has no genre. Each is rated 6.
    """
    train = films((5000, "Drama", 4.0), (5000, "Comedy", 5.0), (900, "Drama", 6.0))
    holdout = films((0, "Drama", 6.0), (0, "Comedy", 6.0), (0, None, 6.0))
    return TimeSplit(train, holdout, SPLIT_DATE)


@pytest.mark.parametrize(
    ("name", "errors"),
    [
        ("mean", [-1, -1, -1]),  # forecasts 5, the mean of the ratings 4, 5 and 6
        ("recent_mean", [0, 0, 0]),  # forecasts 6, the rating of the only recent film
        ("genre_mean", [-1, -1, -1]),  # forecasts 5 for each genre; without genre the mean of all
    ],
)
def test_baseline_is_what_its_name_says(split: TimeSplit, name: str, errors: list[float]):
    scores = baselines(split)[name]
    assert scores.rmse == pytest.approx((sum(e * e for e in errors) / 3) ** 0.5)
    assert scores.bias == pytest.approx(sum(errors) / 3)


def test_recent_mean_without_recent_films_is_the_mean(split: TimeSplit):
    later = TimeSplit(split.train, split.holdout, date(2030, 1, 1))
    assert baselines(later)["recent_mean"] == baselines(later)["mean"]


def test_all_baselines_are_scored_on_the_hold_out_films(split: TimeSplit):
    found = baselines(split)
    assert list(found) == ["mean", "recent_mean", "genre_mean", "old_model"]
    assert {scores.n for scores in found.values()} == {3}


def test_baselines_ignore_training_films_with_few_votes(split: TimeSplit):
    few = films((100, "Drama", 1.0), (5000, "Comedy", 1.0)).frame
    few = few.assign(vote_count=MIN_VOTES_TO_MEASURE - 1)
    more = Sample(pd.concat([split.train.frame, few], ignore_index=True))
    assert baselines(TimeSplit(more, split.holdout, SPLIT_DATE)) == baselines(split)


def test_baselines_use_films_with_few_votes_if_there_are_no_others(split: TimeSplit):
    few = Sample(split.train.frame.assign(vote_count=MIN_VOTES_TO_MEASURE - 1))
    assert baselines(TimeSplit(few, split.holdout, SPLIT_DATE)) == baselines(split)


def test_old_model_does_not_depend_on_the_code_tables(split: TimeSplit):
    def renumbered(sample: Sample) -> Sample:
        frame = sample.frame
        return Sample(frame.assign(genre_encoded=7 - frame["genre_encoded"], lang_encoded=5))

    other = TimeSplit(renumbered(split.train), renumbered(split.holdout), SPLIT_DATE)
    assert baselines(other)["old_model"] == baselines(split)["old_model"]


def test_baselines_on_real_films_have_their_known_errors(tmdb_shared: Path, tmp_path: Path):
    path = tmp_path / "films.parquet"
    # Only the films that the baselines learn from or forecast, since plots take long to measure.
    needed = [("vote_count", ">=", MIN_VOTES_TO_MEASURE)]
    pq.write_table(pq.read_table(tmdb_shared / "movies_to_2022.parquet", filters=needed), path)
    known = read_films([path])
    known = known[known["release_date"] < "2023-01-01"]
    found = baselines(TimeSplit.by_date(known, date(2022, 1, 1)))
    expected = {"mean": 0.800, "recent_mean": 0.773, "genre_mean": 0.735, "old_model": 0.668}
    assert {name: each.rmse for name, each in found.items()} == pytest.approx(expected, abs=0.003)
    assert {each.n for each in found.values()} == {792}
