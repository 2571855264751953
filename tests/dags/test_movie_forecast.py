from itertools import pairwise
from types import ModuleType
from typing import Any

import pytest

from movierating.ledger.records import DriftReport, Retraining
from tests.support.bundles import RUN_DATE
from tests.support.films import moment

TASKS = [
    "forecast_upcoming_films",
    "score_released_films",
    "check_drift",
    "decide_on_retraining",
]


@pytest.fixture(scope="session")
def forecasting(pipeline: ModuleType) -> ModuleType:  # noqa: ARG001 - Airflow is set up first
    from dags import movie_forecast

    return movie_forecast


@pytest.fixture(scope="session")
def dag(forecasting: ModuleType) -> Any:
    return forecasting.tmdb_movie_forecast()


def test_new_model_and_daily_schedule_start_the_dag(dag: Any, pipeline: ModuleType):
    assert dag.dag_id == "tmdb_movie_forecast"
    assert dag.schedule.asset_condition.objects == (pipeline.PUBLISHED_MODEL,)
    assert dag.schedule.timetable.expression == "0 5 * * *"
    assert str(dag.schedule.timetable.timezone) == "Asia/Seoul"
    assert (dag.catchup, dag.max_active_runs) == (False, 1)


def test_order_is_forecast_score_check_then_retrain_or_keep(dag: Any):
    follows = {task.task_id: task.downstream_task_ids for task in dag.tasks}
    assert follows[TASKS[0]] == {TASKS[1]}
    assert follows[TASKS[1]] == {TASKS[2], "publish_film_catalogue", "send_weekly_message"}
    for task, following in pairwise(TASKS[2:]):
        assert follows[task] == {following}
    assert follows[TASKS[-1]] == {"retrain_model", "keep_model"}


def test_catalogue_is_published_without_a_model_too(dag: Any):
    assert dag.get_task("publish_film_catalogue").trigger_rule == "none_failed"
    assert dag.get_task("publish_film_catalogue").downstream_task_ids == set()


def test_names_of_people_share_the_rate_limit_and_hold_up_no_task(dag: Any):
    task = dag.get_task("collect_names_of_people")
    assert (task.pool, task.upstream_task_ids) == ("tmdb", {"check_tmdb_pool"})
    assert task.downstream_task_ids == set()


def test_retraining_starts_the_pipeline_once_a_day_with_its_reason(dag: Any):
    task = dag.get_task("retrain_model")
    assert task.trigger_dag_id == "tmdb_movie_rating_pipeline"
    assert task.skip_when_already_exists
    context = {"ti": WrittenBy({"day": "2026-11-23", "reason": "genres changed"})}
    task.render_template_fields(context)
    assert task.trigger_run_id == "drift__2026-11-23"
    assert task.conf == {"reason": "genres changed"}


class WrittenBy:
    """Imitates Airflow's task instance; it keeps XComs (values from tasks) in `left`, by key."""

    def __init__(self, left: dict[str, str]):
        self.left = left

    def xcom_pull(self, task_ids: str, key: str) -> str:
        assert task_ids == "decide_on_retraining"
        return self.left[key]

    def xcom_push(self, key: str, value: str) -> None:
        self.left[key] = value


@pytest.mark.parametrize(
    ("claimed", "branch", "left"),
    [
        (None, "keep_model", {}),
        (
            Retraining(day=RUN_DATE, run_id="run", reason="genres changed"),
            "retrain_model",
            {"day": "2026-11-23", "reason": "genres changed"},
        ),
    ],
)
def test_branch_follows_the_claim_and_passes_its_reason_on(
    dag: Any,
    forecasting: ModuleType,
    monkeypatch: pytest.MonkeyPatch,
    claimed: Retraining | None,
    branch: str,
    left: dict[str, str],
):
    instance = WrittenBy({})
    context = {"run_id": "run", "ti": instance}
    asked: list[Any] = []

    def instead(*arguments: Any) -> Retraining | None:
        asked.extend(arguments)
        return claimed

    monkeypatch.setattr("scripts.drift.claim_retraining", instead)
    monkeypatch.setattr(forecasting, "get_current_context", lambda: context)
    monkeypatch.setattr(forecasting, "task_settings", lambda: "the settings")
    assert dag.get_task("decide_on_retraining").python_callable() == branch
    assert instance.left == left
    assert asked == [RUN_DATE, "run", "the settings"]


@pytest.mark.parametrize(
    ("task", "step"),
    [
        ("forecast_upcoming_films", "scripts.forecast.forecast"),
        ("publish_film_catalogue", "scripts.publish.publish"),
        ("collect_names_of_people", "scripts.people.collect_people"),
        ("score_released_films", "scripts.score.score"),
    ],
)
def test_task_passes_todays_date_to_its_step(
    dag: Any, forecasting: ModuleType, monkeypatch: pytest.MonkeyPatch, task: str, step: str
):
    monkeypatch.setattr(step, lambda *arguments: arguments)
    monkeypatch.setattr(forecasting, "task_settings", lambda: "the settings")
    assert dag.get_task(task).python_callable() == (RUN_DATE, "the settings")


@pytest.mark.parametrize("alerts", [(), ("genres changed",)])
def test_check_returns_its_alerts(
    dag: Any, monkeypatch: pytest.MonkeyPatch, alerts: tuple[str, ...]
):
    report = DriftReport(day=RUN_DATE, made_at=moment(), version="v", figures={}, alerts=alerts)
    monkeypatch.setattr("scripts.drift.check", lambda *_: report)
    assert dag.get_task("check_drift").python_callable() == list(alerts)


def test_without_a_model_there_is_no_alert(dag: Any, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("scripts.drift.check", lambda *_: None)
    assert dag.get_task("check_drift").python_callable() == []


def test_every_task_has_documentation(dag: Any):
    for task in dag.tasks:
        assert task.doc_md or task.python_callable.__doc__
        assert task.execution_timeout < dag.dagrun_timeout
