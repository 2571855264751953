from types import ModuleType
from typing import Any

import pytest


@pytest.fixture
def dag(pipeline: ModuleType) -> Any:  # noqa: ARG001 - Airflow is set up first
    from dags.housekeeping import tmdb_housekeeping

    return tmdb_housekeeping()


def test_files_and_database_are_pruned_daily_and_apart(dag: Any):
    assert dag.dag_id == "tmdb_housekeeping"
    assert dag.schedule.expression == "0 6 * * *"
    assert {task.task_id: task.downstream_task_ids for task in dag.tasks} == {
        "prune_files": set(),
        "clean_metadata": set(),
    }


def test_database_that_is_not_told_of_is_skipped_with_its_reason(
    dag: Any, monkeypatch: pytest.MonkeyPatch
):
    from airflow.sdk.exceptions import AirflowSkipException

    monkeypatch.delenv("AIRFLOW_METADATA_CONN", raising=False)
    with pytest.raises(AirflowSkipException, match="AIRFLOW_METADATA_CONN"):
        dag.get_task("clean_metadata").python_callable()
