from types import ModuleType

import pytest

from sandbox.airflow import TMDB_POOL


@pytest.mark.parametrize("workers", range(1, 11))
def test_tasks_in_the_pool_never_exceed_the_rate_limit(workers: int):
    from dags.defaults import share_of

    for rate in range(1, 51):
        tasks_at_once = rate // share_of(rate, workers)
        assert tasks_at_once * rate / workers <= rate


@pytest.fixture
def defaults(pipeline: ModuleType) -> ModuleType:  # noqa: ARG001 - Airflow is set up first
    from dags import defaults

    return defaults


def test_pool_has_the_name_that_the_sandbox_creates(defaults: ModuleType):
    assert defaults.TMDB_BUDGET["pool"] == TMDB_POOL
