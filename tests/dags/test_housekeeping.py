from types import ModuleType
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowSkipException

from movierating.registry.registry import Registry
from movierating.settings import PipelineSettings, Settings
from tests.support.bundles import Packed, put_into_production


@pytest.fixture
def dag(pipeline: ModuleType) -> Any:  # noqa: ARG001 - Airflow is set up first
    from dags.housekeeping import tmdb_housekeeping

    return tmdb_housekeeping()


def test_daily_tasks_do_not_depend_on_each_other(dag: Any):
    assert dag.dag_id == "tmdb_housekeeping"
    assert dag.schedule.expression == "0 6 * * *"
    assert {task.task_id: task.downstream_task_ids for task in dag.tasks} == {
        "prune_files": set(),
        "prune_versions": set(),
        "clean_metadata": set(),
        "report_late_runs": set(),
    }


def test_database_task_is_skipped_without_its_setting(dag: Any, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("AIRFLOW_METADATA_CONN", raising=False)
    with pytest.raises(AirflowSkipException, match="AIRFLOW_METADATA_CONN"):
        dag.get_task("clean_metadata").python_callable()


def test_versions_are_pruned_to_the_number_that_is_set(
    dag: Any,
    monkeypatch: pytest.MonkeyPatch,
    registry: Registry,
    packed: Packed,
    bucket_settings: Settings,
):
    keeping = bucket_settings.model_copy(update={"keep_versions": 1})
    put_into_production(registry, packed)
    for name in ("v0", "v1"):
        registry.publish(packed.folder, packed.manifest.model_copy(update={"version": name}))
    for name in ("pipeline_settings", "task_settings"):
        monkeypatch.setattr(f"dags.housekeeping.{name}", lambda: keeping)
    assert dag.get_task("prune_versions").python_callable() == ["v0"]


def test_registry_task_is_skipped_without_its_setting(dag: Any, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("dags.housekeeping.pipeline_settings", PipelineSettings)
    with pytest.raises(AirflowSkipException, match="S3_BUCKET_NAME is not set"):
        dag.get_task("prune_versions").python_callable()
