import json
import pickle
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from benchmarks import replay as module
from benchmarks.months import Month, months, next_month, rating_at_mark
from benchmarks.replay import Replay, loaded, summary, trained
from movierating.ledger.records import Score
from movierating.registry.bundle import Bundle
from scripts.dataset.baselines import NAIVE_BASELINES
from scripts.evaluation.gate import MIN_FILMS_TO_COMPARE, judge, judge_without_champion
from scripts.parameters import ModelConfig
from tests.support.forecasts import scored
from tests.support.samples import SMALL, years_of_films

LINEAR = ModelConfig(model_type="linear", parameters=SMALL.parameters)
FIRST, SECOND, UNTIL = date(2024, 2, 1), date(2024, 4, 1), date(2024, 6, 1)


@pytest.fixture(scope="session")
def films() -> pd.DataFrame:
    """Create films from 2020 to 2024, 35 per month; longer films have higher ratings."""
    return years_of_films(per_year=420, years=4)


class InThisProcess(ThreadPoolExecutor):
    """Trains in this process, because a new process would load the same libraries again.

    Functions and arguments are copied here as if they were sent to a new process."""

    def __init__(self, workers: int, _: object) -> None:
        super().__init__(workers)

    def submit(self, function: Callable[..., Any], /, *given: Any, **named: Any) -> "Future[Any]":
        function, given, named = pickle.loads(pickle.dumps((function, given, named)))
        return super().submit(function, *given, **named)


@dataclass(frozen=True)
class Backtest:
    """The results of a backtest: the measured values, and the folder with the trained versions."""

    figures: dict[str, Any]
    folder: Path


@pytest.fixture(scope="session")
def backtest(films: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> Backtest:
    """Run a backtest of four months with two trainings, from the command line."""
    folder = tmp_path_factory.mktemp("replay")
    path = folder / "figures.json"
    arguments = [f"--from={FIRST}", f"--until={UNTIL}", "--retrain-every=2", f"--json={path}"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "read_films", lambda _: films)
        patch.setattr(module, "CORES", 1)
        patch.setattr(module, "ProcessPoolExecutor", InThisProcess)
        # Keep the trained versions, because other tests use them.
        patch.setattr(module, "TemporaryDirectory", lambda: nullcontext(str(folder)))
        assert module.main(["--films", "played.parquet", *arguments], LINEAR) == 0
    return Backtest(json.loads(path.read_text()), folder)


@pytest.fixture(scope="session")
def figures(backtest: Backtest) -> dict[str, Any]:
    """Return the measured values of the backtest."""
    return backtest.figures


@pytest.fixture(scope="session")
def first(backtest: Backtest) -> Bundle:
    """Load the model version that the backtest trained for its first month, February 2024."""
    return loaded(backtest.folder / "bundle_2024-01-31")


@pytest.fixture(scope="session")
def second(backtest: Backtest) -> Bundle:
    """Load the model version that the backtest trained for April 2024."""
    return loaded(backtest.folder / "bundle_2024-03-31")


def test_report_has_all_measured_values(figures: dict[str, Any]):
    assert figures.keys() >= {
        "months",
        "months_better_share",
        "rmse",
        "coverage80",
        "late_forecasts",
        "promotions",
        "refusals",
        "rollbacks",
        "seconds",
    }
    assert (figures["months"], figures["promotions"] + figures["refusals"]) == (4, 2)


def test_forecasts_beat_the_naive_means_and_are_made_before_the_release(figures: dict[str, Any]):
    means = [figures["baselines"][name] for name in NAIVE_BASELINES]
    assert figures["rmse"] < min(means)
    assert figures["late_forecasts"] == 0


def test_share_of_better_months_leaves_out_months_with_few_films(
    films: pd.DataFrame,
):
    def month(number: int, count: int, actual: float) -> list[Score]:
        """Create `count` scores of one month's films; forecasts are 6.5, baselines 6 and 9."""
        others = {"mean": 6.0, "old_model": 9.0}
        return [
            scored(100 * number + at, actual, release_date=date(2024, number, 5), baselines=others)
            for at in range(count)
        ]

    replay = Replay(films)
    replay.ledger.append_scores(FIRST, month(1, 30, 6.6) + month(2, 30, 6.1) + month(3, 29, 6.1))
    lines, found = summary(replay)
    assert found["months_better_share"] == 0.5
    assert [line.split()[:3] for line in lines[1:]] == [
        ["2024-01", "30", "0.100"],
        ["2024-02", "30", "0.400"],
        ["2024-03", "29", "0.400"],
    ]


def test_repeated_month_writes_the_same_bytes(figures: dict[str, Any]):
    assert figures["rerun_identical"] is True


def test_ratings_of_the_last_90_days_change_no_forecast(
    films: pd.DataFrame, first: Bundle, tmp_path: Path
):
    hidden = films["release_date"] >= (FIRST - timedelta(90)).isoformat()
    others = films.assign(vote_average=films["vote_average"].where(~hidden, 1.0))
    others.to_pickle(tmp_path / "films.pkl")
    other = loaded(trained(FIRST, tmp_path / "films.pkl", tmp_path, LINEAR))
    forecasts = [Replay(films).run_month(FIRST, first), Replay(others).run_month(FIRST, other)]
    assert forecasts[0] == forecasts[1]
    assert len(forecasts[0]) == 33


def test_month_has_only_ratings_of_films_released_90_days_before_it(films: pd.DataFrame):
    month = Month.of(films, FIRST)
    known, coming = month.known["release_date"], month.films.frame["release_date"]
    assert month.day == date(2024, 1, 31)
    assert (
        known.max()
        < "2023-11-03"
        <= films[films["release_date"] > known.max()].iloc[0, :]["release_date"]
    )
    assert (coming.min()[:7], coming.max()[:7]) == ("2024-02", "2024-02")


def test_rating_becomes_visible_90_days_after_the_release(films: pd.DataFrame):
    row = films.iloc[0].to_dict()
    rating = rating_at_mark(row)
    assert (rating.day - rating.release_date).days == 90
    assert (rating.rating, rating.votes) == (row["vote_average"], row["vote_count"])


def test_nothing_is_forecast_without_a_version_in_production(films: pd.DataFrame):
    replay = Replay(films)
    assert replay.run_month(FIRST, None) == []
    assert replay.bucket.objects == {}


def test_backtest_makes_the_same_decision_as_the_gate(
    films: pd.DataFrame, first: Bundle, second: Bundle
):
    replay, month = Replay(films), Month.of(films, SECOND)
    alone = replay.decide(first, month)
    assert alone == judge_without_champion(first.manifest, "nothing is in production yet")
    assert (alone.promote, replay.promoted) == (True, [first])
    verdict = replay.decide(second, month)
    assert verdict == judge(second, first, month.split.holdout)
    assert verdict.figures["all_films_films"] >= MIN_FILMS_TO_COMPARE
    assert (replay.promotions, replay.refusals) == (1 + verdict.promote, 1 - verdict.promote)
    assert replay.promoted[-1] == (second if verdict.promote else first)


def test_version_is_rolled_back_if_it_is_worse_on_enough_films(
    films: pd.DataFrame, first: Bundle, second: Bundle
):
    replay = Replay(films, promoted=[first, second])
    for begins in months(FIRST, SECOND):
        for each in replay.run_month(begins, None):
            replay.previous_ratings[each.film_id] = each.rating
    visible = date(2024, 3, 31) + timedelta(90)
    replay.score_until(visible)
    replay.roll_back_if_worse()
    assert replay.rollbacks == 0  # both versions did equally well
    seen = {each.film_id: each.actual for each in replay.scores()}
    late = list(seen)[MIN_FILMS_TO_COMPARE - 1 :]
    replay.previous_ratings = {film_id: seen[film_id] for film_id in seen if film_id not in late}
    replay.roll_back_if_worse()
    assert replay.rollbacks == 0  # too few films to decide
    replay.previous_ratings = seen
    replay.roll_back_if_worse()
    assert (replay.rollbacks, replay.promoted, replay.previous_ratings) == (1, [first], {})


def test_december_is_followed_by_january_of_the_next_year():
    assert list(months(date(2019, 11, 20), date(2020, 2, 1))) == [
        date(2019, 11, 1),
        date(2019, 12, 1),
        date(2020, 1, 1),
    ]
    assert next_month(date(2020, 12, 1)) == date(2021, 1, 1)
