from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from dags.run_requests import RunRefusedError, check_request, check_start
from movierating.settings import pipeline_settings
from tests.support.films import moment

NOW = moment()  # the clock of the tests: noon of 2026-11-23, in UTC
DAY = timedelta(days=1)
PARAMETERS = ("run_date", "reason")


@dataclass
class Run:
    """Has the fields of Airflow's DAG run that are checked."""

    conf: dict[str, Any] | None = field(default_factory=dict)
    logical_date: datetime | None = None
    run_after: datetime = NOW
    dag_id: str = "tmdb_movie_rating_pipeline"


@pytest.mark.parametrize(
    "run",
    [
        Run(),
        Run(conf=None),
        Run({"run_date": None, "reason": "drift"}),
        Run({"run_date": "2026-11-23"}),
        Run({"airflow/task_span_detail_level": 2}),
        Run(logical_date=NOW),
        Run(logical_date=NOW - 400 * DAY),
        Run(logical_date=NOW + timedelta(minutes=4)),  # the browser's clock is ahead
        Run({"run_date": "2026-11-26"}, run_after=NOW + 3 * DAY),  # the run waits until then
        Run(logical_date=NOW + 3 * DAY, run_after=NOW + 3 * DAY),
        Run(logical_date=NOW, dag_id="tmdb_movie_forecast"),
    ],
)
def test_possible_run_is_accepted(run: Run):
    check_request(run, PARAMETERS)


@pytest.mark.parametrize(
    ("run", "sentence"),
    [
        (Run({"run-date": "2026-11-20"}), "run-date is not a parameter of .*; write run_date"),
        (Run({"RUN_DATE": "2026-11-20"}), "RUN_DATE is not a parameter of .*; write run_date"),
        (Run({"force": True}), "force is not .*, which has run_date, reason; remove it"),
        (Run({"run_date": "2026-11-24"}), "the run date 2026-11-24 is in the future; choose 2026-"),
        (Run({"run_date": "9999-12-31"}), "9999-12-31 is in the future; choose 2026-11-23 or"),
        (Run(logical_date=NOW + DAY), "the logical date 2026-11-24 .* choose 2026-11-23 .* UTC or"),
        (Run(logical_date=NOW + timedelta(hours=1)), "the logical date .* is in the future"),
        (
            Run(logical_date=NOW - DAY, dag_id="tmdb_movie_forecast"),
            "a forecast is dated 2026-11-23, the day it is made, and not 2026-11-22; leave",
        ),
    ],
)
def test_impossible_run_is_refused_in_one_sentence(run: Run, sentence: str):
    with pytest.raises(RunRefusedError, match=sentence) as refused:
        check_request(run, PARAMETERS)
    assert "\n" not in str(refused.value)


def test_run_that_would_wait_for_a_later_time_is_refused():
    check_start(Run(run_after=NOW - DAY))
    check_start(Run(run_after=NOW + timedelta(minutes=4)))
    with pytest.raises(RunRefusedError, match=r"until 2026-11-26 12:00 UTC, .*leave run_after emp"):
        check_start(Run(run_after=NOW + 3 * DAY))


def test_dag_without_parameters_says_so():
    with pytest.raises(RunRefusedError, match=r"^tmdb_housekeeping has no parameters; remove x$"):
        check_request(Run({"x": 1}, dag_id="tmdb_housekeeping"), ())


def test_days_are_those_of_the_pipelines_time_zone(monkeypatch: pytest.MonkeyPatch):
    assert pipeline_settings().pipeline_timezone == "Asia/Seoul"
    late = datetime(2026, 11, 23, 16, 0, tzinfo=UTC)  # already 24 November in Seoul
    monkeypatch.setattr("dags.run_requests.now", lambda: late)
    check_request(Run({"run_date": "2026-11-24"}), PARAMETERS)
    with pytest.raises(RunRefusedError, match="choose 2026-11-24 or earlier"):
        check_request(Run({"run_date": "2026-11-25"}), PARAMETERS)
