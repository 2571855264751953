from datetime import date

import pandas as pd
import pytest

from scripts.evaluation import baselines, score
from scripts.samples import Sample, TimeSplit


def test_scores_are_those_worked_out_by_hand():
    scores = score([6.0, 7.0, 8.0], [7.0, 7.0, 6.0])
    # errors 1, 0, -2; squares 1 + 0 + 4; spread of the ratings 1 + 0 + 1
    assert scores.model_dump() == {
        "n": 3,
        "rmse": pytest.approx((5 / 3) ** 0.5, abs=1e-6),
        "mae": pytest.approx(1.0),
        "r2": pytest.approx(1 - 5 / 2),
        "bias": pytest.approx(-1 / 3, abs=1e-6),
    }


def test_forecasts_that_are_too_high_have_a_positive_bias():
    assert score([5.0, 6.0], [6.0, 7.0]).bias == 1.0


@pytest.fixture
def split() -> TimeSplit:
    """Old bad crime films, newer good ones, and a hold-out with an unknown genre."""

    def films(rows: list[tuple[str, int, float]]) -> Sample:
        columns = ["release_date", "genre_encoded", "vote_average"]
        others = {"vote_count": 100, "runtime": 100.0, "lang_encoded": 0}
        plots = {"overview_sentiment": 0.0, "overview_len": 50.0}
        return Sample(pd.DataFrame(rows, columns=columns).assign(**others, **plots))

    train = [("2010-01-01", 0, 4.0), ("2010-01-01", 1, 5.0), ("2019-01-01", 0, 6.0)]
    holdout = [("2020-01-01", 0, 6.0), ("2020-01-01", 1, 6.0), ("2020-01-01", 9, 6.0)]
    return TimeSplit(films(train), films(holdout), date(2020, 1, 1))


@pytest.mark.parametrize(
    ("name", "errors"),
    [
        ("mean", [-1, -1, -1]),  # of 4, 5, 6
        ("recent_mean", [0, 0, 0]),  # only the film of 2019
        ("genre_mean", [-1, -1, -1]),  # 5 and 5, and the mean of all for the unknown genre
    ],
)
def test_baseline_is_what_its_name_says(split: TimeSplit, name: str, errors: list[float]):
    scores = baselines(split)[name]
    assert scores.rmse == pytest.approx((sum(e * e for e in errors) / 3) ** 0.5)
    assert scores.bias == pytest.approx(sum(errors) / 3)


def test_recent_mean_without_recent_films_is_the_mean(split: TimeSplit):
    later = TimeSplit(split.train, split.holdout, date(2030, 1, 1))
    assert baselines(later)["recent_mean"] == baselines(later)["mean"]


def test_all_baselines_are_measured_on_the_held_out_films(split: TimeSplit):
    found = baselines(split)
    assert list(found) == ["mean", "recent_mean", "genre_mean", "old_model"]
    assert {scores.n for scores in found.values()} == {3}
