from types import ModuleType
from typing import Any

import pytest

from movierating.settings import Settings, load_settings
from scripts.tmdb.slices import SLICE_FILMS


@pytest.fixture
def dag(pipeline: ModuleType) -> Any:  # noqa: ARG001 - Airflow is set up first
    from dags.film_backfill import tmdb_film_backfill

    return tmdb_film_backfill()


def test_slices_are_planned_then_filled_in_parallel_then_finished(dag: Any):
    assert [task.task_id for task in dag.topological_sort()] == [
        "check_tmdb_pool",
        "plan_slices",
        "fill_slice",
        "finish_backfill",
    ]
    assert dag.get_task("fill_slice").is_mapped


def test_backfill_has_no_schedule_and_runs_once_at_a_time(dag: Any):
    assert dag.dag_id == "tmdb_film_backfill"
    assert dag.schedule is None
    assert dag.max_active_runs == 1
    assert dag.params.get_param("first").resolve() is None
    assert dag.params.get_param("min_votes").resolve() == 0
    assert dag.params.get_param("slice_films").resolve() == SLICE_FILMS
    with pytest.raises(Exception, match="-1"):
        dag.params.get_param("min_votes").resolve(-1)


@pytest.mark.parametrize("name", ["plan_slices", "fill_slice"])
def test_tasks_that_call_tmdb_share_its_rate_limit(dag: Any, name: str):
    task = dag.get_task(name)
    settings = load_settings(Settings)
    assert task.pool == "tmdb"
    assert task.pool_slots == settings.tmdb_requests_per_second  # one worker gets all
    assert settings.collect_workers == 1


def test_task_passes_the_chosen_dates_to_its_step(dag: Any, monkeypatch: pytest.MonkeyPatch):
    from dags import film_backfill as module

    asked: list[Any] = []

    def instead(*arguments: Any) -> list[Any]:
        asked.extend(arguments[1:])
        return []

    params = {"first": "1999-01-01", "last": None, "min_votes": 5, "slice_films": 70}
    monkeypatch.setattr(module, "get_current_context", lambda: {"params": params})
    monkeypatch.setattr("scripts.backfill.plan", instead)
    assert dag.get_task("plan_slices").python_callable() == []
    assert [str(each) for each in asked] == ["1999-01-01", "None", "5", "70"]
