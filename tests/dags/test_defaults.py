import logging
from types import ModuleType

import pytest

from sandbox.airflow import TMDB_POOL


@pytest.fixture
def defaults(pipeline: ModuleType) -> ModuleType:  # noqa: ARG001 - Airflow is set up first
    from dags import defaults

    return defaults


def test_pool_is_the_one_that_the_sandbox_makes(defaults: ModuleType):
    assert defaults.TMDB_BUDGET["pool"] == TMDB_POOL


def test_failure_is_told_in_one_line(defaults: ModuleType, caplog: pytest.LogCaptureFixture):
    class TaskInstance:
        task_id = "extract_tmdb_data"

    context = {
        "task_instance": TaskInstance(),
        "run_id": "manual__2026-11-23",
        "exception": RuntimeError("TMDB refuses the key"),
    }
    with caplog.at_level(logging.ERROR):
        defaults.report_failure(context)
    (record,) = caplog.records
    assert record.getMessage() == (
        "extract_tmdb_data of manual__2026-11-23 failed for good: TMDB refuses the key"
    )
