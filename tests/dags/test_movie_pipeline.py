import json
import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
TASKS = [
    "extract_tmdb_data",
    "preprocess_movie_data",
    "train_and_save_best_model",
    "deploy_model_to_s3",
]
HEAVY = {"pandas", "xgboost", "sklearn", "lightgbm", "wandb", "boto3", "textblob", "onnxruntime"}


def in_a_process_of_its_own(code: str, folder: Path) -> Any:
    """What a fresh Python prints as JSON on its last line."""
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


def test_nothing_heavy_is_imported_to_parse_the_dags(tmp_path: Path):
    code = """
import json, sys
import dags.film_backfill, dags.housekeeping, dags.movie_forecast, dags.movie_pipeline
print(json.dumps(sorted({name.partition(".")[0] for name in sys.modules})))
"""
    imported = set(in_a_process_of_its_own(code, tmp_path))
    assert {"dags", "movierating"} <= imported
    assert not imported & HEAVY


def test_tasks_follow_each_other_under_their_known_names(dag: Any):
    tasks = dag.topological_sort()
    assert [task.task_id for task in tasks] == TASKS
    for task, following in zip(tasks, [*TASKS[1:], None], strict=True):
        assert task.downstream_task_ids == ({following} if following else set())


def test_dag_runs_once_a_day_in_its_stated_zone_and_makes_up_for_no_missed_day(dag: Any):
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


def test_task_or_run_that_hangs_is_ended(dag: Any):
    assert dag.dagrun_timeout < timedelta(days=1)
    assert all(task.execution_timeout < dag.dagrun_timeout for task in dag.tasks)


@pytest.mark.parametrize("name", TASKS)
def test_task_is_tried_again_with_growing_waits_and_its_failure_told(dag: Any, name: str):
    from dags.defaults import report_failure

    task = dag.get_task(name)
    assert task.retries >= 1
    assert task.retry_exponential_backoff
    assert task.retry_delay < task.max_retry_delay <= timedelta(hours=1)
    assert list(task.on_failure_callback) == [report_failure]
    assert task.doc_md or task.python_callable.__doc__


def test_collecting_takes_its_share_of_the_requests_before_a_backfill_does(dag: Any):
    task = dag.get_task("extract_tmdb_data")
    assert task.pool == "tmdb"
    assert task.priority_weight > 1


def test_promotion_is_an_outlet_of_the_last_task_alone(dag: Any, pipeline: ModuleType):
    outlets = {task.task_id: task.outlets for task in dag.tasks if task.outlets}
    assert outlets == {"deploy_model_to_s3": [pipeline.PROMOTION]}


def test_run_date_may_be_given_and_is_a_date(dag: Any):
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
def test_task_hands_its_date_and_settings_to_its_step(
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
    monkeypatch.setattr(pipeline, "get_settings", lambda: "the settings")
    assert dag.get_task(task).python_callable() == outcome
    assert asked == ["the date", "the settings"]
