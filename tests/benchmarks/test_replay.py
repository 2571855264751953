import json
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from benchmarks import replay as module
from benchmarks.replay import (
    Month,
    Replay,
    following,
    loaded,
    months,
    outcome_of,
    summary,
    trained,
)
from movierating.ledger.records import Score
from movierating.registry.bundle import Bundle
from scripts.dataset.baselines import NAIVE_BASELINES
from scripts.evaluation.gate import MIN_FILMS_TO_COMPARE, judge, judge_without_champion
from scripts.parameters import ModelConfig
from tests.support.forecasts import scored
from tests.support.samples import SMALL, years_of_films

LINEAR = ModelConfig(model_type="linear", parameters=SMALL.parameters)
FIRST, UNTIL = date(2024, 2, 1), date(2024, 6, 1)


@pytest.fixture(scope="session")
def films() -> pd.DataFrame:
    """Seven years of films before 2024 and one after, 35 a month; longer films are better."""
    return years_of_films(per_year=420)


def version(films: pd.DataFrame, begins: date, folder: Path) -> Bundle:
    """What the films visible before a month teach."""
    pickled = folder / "films.pkl"
    films.to_pickle(pickled)
    return loaded(trained(begins, pickled, folder, LINEAR))


@pytest.fixture(scope="session")
def first(films: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    """The version of the first month."""
    return version(films, FIRST, tmp_path_factory.mktemp("first"))


@pytest.fixture(scope="session")
def second(films: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    """The version of the last month."""
    return version(films, UNTIL, tmp_path_factory.mktemp("second"))


@pytest.fixture(scope="session")
def printed(films: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The figures of a replay of four months."""
    path: Path = tmp_path_factory.mktemp("replay") / "figures.json"
    arguments = [f"--from={FIRST}", f"--until={UNTIL}", "--retrain-every=2", f"--json={path}"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "read_films", lambda _: films)
        assert module.main(["--films", "played.parquet", *arguments], LINEAR) == 0
    figures: dict[str, Any] = json.loads(path.read_text())
    return figures


def test_replay_tells_all_its_figures(printed: dict[str, Any]):
    assert printed.keys() >= {
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
    assert (printed["months"], printed["promotions"] + printed["refusals"]) == (4, 2)


def test_replay_forecasts_better_than_what_needs_no_model_and_never_late(printed: dict[str, Any]):
    means = [printed["baselines"][name] for name in NAIVE_BASELINES]
    assert printed["rmse"] < min(means)
    assert printed["late_forecasts"] == 0


def test_share_is_of_months_with_enough_films_in_which_every_baseline_was_beaten(
    films: pd.DataFrame,
):
    def month(number: int, count: int, actual: float) -> list[Score]:
        """The forecasts were 6.5, one baseline's 6.0 and the other's 9.0."""
        others = {"mean": 6.0, "old_model": 9.0}
        return [
            scored(100 * number + at, actual, release_date=date(2024, number, 5), baselines=others)
            for at in range(count)
        ]

    replay = Replay(films)
    replay.ledger.score(FIRST, month(1, 30, 6.6) + month(2, 30, 6.1) + month(3, 29, 6.1))
    lines, found = summary(replay)
    assert found["months_better_share"] == 0.5
    assert [line.split()[:3] for line in lines[1:]] == [
        ["2024-01", "30", "0.100"],
        ["2024-02", "30", "0.400"],
        ["2024-03", "29", "0.400"],
    ]


def test_month_trained_and_lived_through_once_more_changes_no_byte(printed: dict[str, Any]):
    assert printed["rerun_identical"] is True


def test_what_opens_later_or_is_not_visible_yet_changes_no_forecast(
    films: pd.DataFrame, first: Bundle, tmp_path: Path
):
    hidden = films["release_date"] >= (FIRST - timedelta(90)).isoformat()
    others = films.assign(vote_average=films["vote_average"].where(~hidden, 1.0))
    told = [
        Replay(films).live_through(FIRST, first),
        Replay(others).live_through(FIRST, version(others, FIRST, tmp_path)),
    ]
    assert told[0] == told[1]
    assert len(told[0]) == 33


def test_month_knows_what_had_opened_90_days_before_it(films: pd.DataFrame):
    month = Month.of(films, FIRST)
    known, coming = month.known["release_date"], month.films.frame["release_date"]
    assert month.day == date(2024, 1, 31)
    assert (
        known.max()
        < "2023-11-03"
        <= films[films["release_date"] > known.max()].iloc[0, :]["release_date"]
    )
    assert (coming.min()[:7], coming.max()[:7]) == ("2024-02", "2024-02")


def test_rating_is_seen_90_days_after_the_release(films: pd.DataFrame):
    row = films.iloc[0].to_dict()
    outcome = outcome_of(row)
    assert (outcome.day - outcome.opened).days == 90
    assert (outcome.rating, outcome.votes) == (row["vote_average"], row["vote_count"])


def test_without_a_version_in_production_nothing_is_forecast(films: pd.DataFrame):
    replay = Replay(films)
    assert replay.live_through(FIRST, None) == []
    assert replay.shelf.objects == {}


def test_gate_of_the_pipeline_decides_on_the_films_that_the_pipeline_holds_out(
    films: pd.DataFrame, first: Bundle, second: Bundle
):
    replay, month = Replay(films), Month.of(films, UNTIL)
    alone = replay.decide(first, month)
    assert alone == judge_without_champion(first.manifest, "nothing is in production yet")
    assert (alone.promote, replay.line) == (True, [first])
    verdict = replay.decide(second, month)
    assert verdict == judge(second, first, month.split.holdout)
    assert verdict.figures["all_films_films"] >= MIN_FILMS_TO_COMPARE
    assert (replay.promotions, replay.refusals) == (1 + verdict.promote, 1 - verdict.promote)
    assert replay.line[-1] == (second if verdict.promote else first)


def test_version_that_did_worse_than_the_one_it_replaced_is_taken_back(
    films: pd.DataFrame, first: Bundle, second: Bundle
):
    replay = Replay(films, line=[first, second])
    for begins in months(FIRST, date(2024, 4, 1)):
        for each in replay.live_through(begins, None):
            replay.shadow[each.film_id] = each.rating
    visible = date(2024, 3, 31) + timedelta(90)
    replay.reveal(visible)
    replay.take_back()
    assert replay.rollbacks == 0  # it did as well
    seen = {each.film_id: each.actual for each in replay.scores()}
    late = list(seen)[MIN_FILMS_TO_COMPARE - 1 :]
    replay.shadow = {film_id: seen[film_id] for film_id in seen if film_id not in late}
    replay.take_back()
    assert replay.rollbacks == 0  # too few films tell
    replay.shadow = seen
    replay.take_back()
    assert (replay.rollbacks, replay.line, replay.shadow) == (1, [first], {})


def test_months_follow_each_other_over_the_turn_of_the_year():
    assert list(months(date(2019, 11, 20), date(2020, 2, 1))) == [
        date(2019, 11, 1),
        date(2019, 12, 1),
        date(2020, 1, 1),
    ]
    assert following(date(2020, 12, 1)) == date(2021, 1, 1)
