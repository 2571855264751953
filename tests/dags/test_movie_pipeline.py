import json
import os
import subprocess
import sys
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowSkipException

from movierating.settings import Settings, load_settings
from scripts.deploy import Deployment
from tests.support.bundles import RUN_DATE

ROOT = Path(__file__).parents[2]
STEPS = [
    "check_tmdb_pool",
    "extract_tmdb_data",
    "preprocess_movie_data",
    "train_and_save_best_model",
    "deploy_model_to_s3",
]
AFTER_DEPLOYMENT = {"announce_new_model", "confirm_new_model_in_service"}
ASKING = [
    *STEPS[:4],
    "publish_model_to_s3",
    "approve_promotion",
    *STEPS[4:],
]
HEAVY = {"pandas", "xgboost", "sklearn", "lightgbm", "wandb", "boto3", "textblob", "onnxruntime"}


def order(dag: Any) -> dict[str, set[str]]:
    """Return the names of the tasks that follow each task."""
    return {task.task_id: set(task.downstream_task_ids) for task in dag.tasks}


def following(steps: list[str]) -> dict[str, set[str]]:
    """Return, for each step, the tasks after it: the next step, or two tasks after the last."""
    after = [*({each} for each in steps[1:]), AFTER_DEPLOYMENT]
    return dict(zip(steps, after, strict=True)) | {each: set() for each in AFTER_DEPLOYMENT}


def in_a_process_of_its_own(code: str, folder: Path) -> Any:
    """Run Python code in a new process in `folder`, and parse its last output line as JSON."""
    answer = subprocess.run(
        [sys.executable, "-c", code],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(ROOT), "AIRFLOW_HOME": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert answer.returncode == 0, answer.stderr
    return json.loads(answer.stdout.splitlines()[-1])


def test_airflow_finds_the_dags_without_errors(tmp_path: Path):
    code = f"""
import json
from airflow.dag_processing.dagbag import DagBag
bag = DagBag({str(ROOT / "dags")!r})
print(json.dumps([bag.import_errors, list(bag.dags)]))
"""
    errors, dags = in_a_process_of_its_own(code, tmp_path)
    assert errors == {}
    assert sorted(dags) == [
        "tmdb_film_backfill",
        "tmdb_housekeeping",
        "tmdb_movie_forecast",
        "tmdb_movie_rating_pipeline",
    ]


def test_parsing_the_dags_imports_no_heavy_library(tmp_path: Path):
    code = """
import json, sys
import dags.film_backfill, dags.housekeeping, dags.movie_forecast, dags.movie_pipeline
print(json.dumps(sorted({name.partition(".")[0] for name in sys.modules})))
"""
    imported = set(in_a_process_of_its_own(code, tmp_path))
    assert {"dags", "movierating"} <= imported
    assert not imported & HEAVY


def test_tasks_follow_each_other_under_their_known_names(dag: Any):
    assert order(dag) == following(STEPS)


@pytest.fixture
def asking(pipeline: ModuleType, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Create the daily pipeline's DAG with PROMOTION_APPROVAL on: it asks a person for approval."""
    monkeypatch.setattr(
        pipeline, "pipeline_settings", lambda: load_settings(Settings, promotion_approval=True)
    )
    return pipeline.tmdb_movie_rating_pipeline()


def test_approval_comes_between_publishing_and_promotion(asking: Any):
    assert order(asking) == following(ASKING)


def test_unanswered_approval_counts_as_no_before_the_run_times_out(asking: Any):
    question = asking.get_task("approve_promotion")
    assert question.defaults == ["Reject"]
    assert question.response_timeout < asking.dagrun_timeout
    assert question.execution_timeout is None


def test_refusal_of_the_gate_is_recorded_without_approval(asking: Any):
    publish = asking.get_task("publish_model_to_s3")
    # With true, Airflow would skip the deployment together with the approval.
    assert not publish.ignore_downstream_trigger_rules
    assert asking.get_task("deploy_model_to_s3").trigger_rule == "none_failed"


@pytest.mark.parametrize("promoted", [True, False])
def test_approval_is_asked_only_if_the_gate_allows_the_version(
    asking: Any, pipeline: ModuleType, monkeypatch: pytest.MonkeyPatch, promoted: bool
):
    proposal = Deployment("v2", promoted, "it is better")
    monkeypatch.setattr("scripts.deploy.propose", lambda *_: proposal)
    monkeypatch.setattr(pipeline, "run_date", lambda: RUN_DATE)
    answer = asking.get_task("publish_model_to_s3").python_callable()
    assert answer == (asdict(proposal) if promoted else None)


class Events(list[Any]):
    """Imitates Airflow's list of an asset's events, with its methods `ascending` and `limit`."""

    def ascending(self, _: bool) -> "Events":
        return self

    def limit(self, _: int) -> "Events":
        return self


@pytest.mark.parametrize(
    ("promoted", "announced", "is_new"),
    [(True, ["v0", "v1"], True), (True, ["v1", "v2"], False), (False, ["v1"], False)],
)
def test_deployment_names_its_run_and_says_whether_the_version_is_new(
    dag: Any,
    pipeline: ModuleType,
    monkeypatch: pytest.MonkeyPatch,
    promoted: bool,
    announced: list[str],
    is_new: bool,
):
    heard: list[Any] = []
    outcome = Deployment("v2", promoted, "said so")

    def instead(*arguments: Any) -> Deployment:
        heard.extend(arguments)
        return outcome

    monkeypatch.setattr("scripts.deploy.deploy", instead)
    monkeypatch.setattr(pipeline, "run_date", lambda: RUN_DATE)
    events = Events(SimpleNamespace(extra={"version": each}) for each in announced)
    deploy = dag.get_task("deploy_model_to_s3").python_callable
    answer = deploy(run_id="run", inlet_events={pipeline.PUBLISHED_MODEL: events})
    assert answer == asdict(outcome) | {"is_new": is_new}
    assert heard[2] == "run"


def deployed(*, promoted: bool = True, is_new: bool = True) -> dict[str, Any]:
    return asdict(Deployment("v2", promoted, "it is better")) | {"is_new": is_new}


def test_new_version_is_announced_with_its_reason(dag: Any, pipeline: ModuleType):
    event = SimpleNamespace(extra=None)
    announce = dag.get_task("announce_new_model").python_callable
    announce(deployed(), outlet_events={pipeline.PUBLISHED_MODEL: event})
    assert event.extra == deployed()


@pytest.mark.parametrize("task", ["announce_new_model", "confirm_new_model_in_service"])
@pytest.mark.parametrize(
    ("deployment", "reason"),
    [
        (deployed(promoted=False, is_new=False), "v2 was not promoted"),
        (deployed(is_new=False), "v2 was announced before"),
        (None, "a person marked the deployment as successful"),
    ],
)
def test_nothing_is_announced_or_confirmed_if_nothing_moved(
    dag: Any, task: str, deployment: dict[str, Any] | None, reason: str
):
    with pytest.raises(AirflowSkipException, match=reason):
        dag.get_task(task).python_callable(deployment)


def test_confirmation_is_skipped_without_a_service(
    dag: Any, pipeline: ModuleType, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(pipeline, "pipeline_settings", lambda: load_settings(Settings))
    with pytest.raises(AirflowSkipException, match="API_URL is not set"):
        dag.get_task("confirm_new_model_in_service").python_callable(deployed())


def test_confirmation_checks_for_the_promoted_version(
    dag: Any, pipeline: ModuleType, monkeypatch: pytest.MonkeyPatch
):
    asked: list[Any] = []
    settings = load_settings(Settings, api_url="http://127.0.0.1:8000")
    monkeypatch.setattr("scripts.confirm.confirm", lambda *arguments: asked.extend(arguments))
    monkeypatch.setattr(pipeline, "pipeline_settings", lambda: settings)
    task = dag.get_task("confirm_new_model_in_service")
    task.python_callable(deployed())
    assert asked == ["v2", settings]


def test_dag_runs_once_a_day_in_its_zone_without_catching_up(dag: Any):
    assert dag.dag_id == "tmdb_movie_rating_pipeline"
    assert dag.catchup is False
    assert dag.max_active_runs == 1
    assert dag.schedule.expression == "0 3 * * *"
    assert str(dag.schedule.timezone) == "Asia/Seoul"


def test_zone_is_a_setting(tmp_path: Path):
    (tmp_path / ".env").write_text("PIPELINE_TIMEZONE=Europe/Paris\n")
    code = """
from dags.movie_pipeline import tmdb_movie_rating_pipeline
print(f'"{tmdb_movie_rating_pipeline().schedule.timezone}"')
"""
    assert in_a_process_of_its_own(code, tmp_path) == "Europe/Paris"


def test_hanging_task_or_run_is_stopped(dag: Any):
    assert dag.dagrun_timeout < timedelta(days=1)
    assert all(task.execution_timeout < dag.dagrun_timeout for task in dag.tasks)


@pytest.mark.parametrize("name", [*STEPS, *sorted(AFTER_DEPLOYMENT)])
def test_task_is_retried_with_growing_waits_and_keeps_its_error(dag: Any, name: str):
    from dags.failures import keep_reason

    task = dag.get_task(name)
    assert task.retries >= 1
    assert task.retry_exponential_backoff
    assert task.retry_delay < task.max_retry_delay <= timedelta(hours=1)
    assert list(task.on_failure_callback) == [keep_reason]
    assert task.doc_md or task.python_callable.__doc__


def test_daily_collection_has_priority_over_a_backfill(dag: Any):
    task = dag.get_task("extract_tmdb_data")
    assert task.pool == "tmdb"
    assert task.priority_weight > 1


def test_only_the_announcement_produces_the_asset(dag: Any, pipeline: ModuleType):
    outlets = {task.task_id: task.outlets for task in dag.tasks if task.outlets}
    assert outlets == {"announce_new_model": [pipeline.PUBLISHED_MODEL]}


def test_run_date_is_an_optional_date(dag: Any):
    parameter = dag.params.get_param("run_date")
    assert parameter.resolve() is None
    assert parameter.resolve("2026-11-23") == "2026-11-23"
    with pytest.raises(Exception, match="yesterday"):
        parameter.resolve("yesterday")


@pytest.mark.parametrize(
    ("task", "step", "outcome"),
    [
        ("extract_tmdb_data", "scripts.collect.collect", "movies.csv"),
        ("preprocess_movie_data", "scripts.preprocess.preprocess", "movies_cleaned.csv"),
    ],
)
def test_task_passes_its_date_and_settings_to_its_step(
    dag: Any,
    pipeline: ModuleType,
    monkeypatch: pytest.MonkeyPatch,
    task: str,
    step: str,
    outcome: str,
):
    asked: list[Any] = []

    def instead(*arguments: Any) -> str:
        asked.extend(arguments)
        return outcome

    monkeypatch.setattr(step, instead)
    monkeypatch.setattr(pipeline, "run_date", lambda: "the date")
    monkeypatch.setattr(pipeline, "task_settings", lambda: "the settings")
    assert dag.get_task(task).python_callable() == outcome
    assert asked == ["the date", "the settings"]
