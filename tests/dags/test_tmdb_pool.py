import sqlite3
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml
from airflow.sdk.exceptions import AirflowFailException

from sandbox.airflow import TMDB_POOL, TMDB_POOL_DESCRIPTION

ROOT = Path(__file__).parents[2]


@pytest.fixture
def tmdb_pool(pipeline: ModuleType) -> ModuleType:  # noqa: ARG001 - Airflow is set up first
    from dags import tmdb_pool

    return tmdb_pool


@pytest.fixture
def check(tmdb_pool: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return a function that makes a database with a pool of so many slots, and checks the pool."""
    database = tmp_path / "airflow.db"
    monkeypatch.setenv("AIRFLOW_METADATA_CONN", f"sqlite:///{database}")

    def checked(**pools: int) -> None:
        with sqlite3.connect(database) as opened:
            opened.execute("CREATE TABLE slot_pool (pool TEXT, slots INTEGER)")
            opened.executemany("INSERT INTO slot_pool VALUES (?, ?)", pools.items())
        opened.close()
        tmdb_pool.check_tmdb_pool.function()

    return checked


@pytest.mark.parametrize("workers", range(1, 11))
def test_tasks_in_the_pool_never_exceed_the_rate_limit(tmdb_pool: ModuleType, workers: int):
    for rate in range(1, 51):
        tasks_at_once = rate // tmdb_pool.share_of(rate, workers)
        assert tasks_at_once * rate / workers <= rate


@pytest.mark.parametrize("slots", [38, 50, -1])
def test_pool_that_is_large_enough_passes(check: Any, caplog: pytest.LogCaptureFixture, slots: int):
    caplog.set_level("INFO")
    check(tmdb=slots, default_pool=1)
    assert "not checked" not in caplog.text  # otherwise it would pass unseen


def test_pool_smaller_than_the_share_of_a_task_is_refused_with_the_number_to_set(check: Any):
    with pytest.raises(AirflowFailException, match=r"has 37 slots, but .* needs 38; .* tmdb 38 "):
        check(tmdb=37, default_pool=128)


def test_missing_pool_is_refused_with_the_command_that_creates_it(check: Any):
    with pytest.raises(AirflowFailException, match=r"no pool tmdb.* `airflow pools set tmdb 38 "):
        check(default_pool=128)


@pytest.mark.parametrize(
    "connection", ["", "sqlite:////no/such/folder/a.db", "?secret?", "mysql://me:secret@nowhere/a"]
)
def test_pool_is_not_checked_if_the_database_is_out_of_reach(
    tmdb_pool: ModuleType,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    connection: str,
):
    monkeypatch.setenv("AIRFLOW_METADATA_CONN", connection)
    with caplog.at_level("INFO"):
        tmdb_pool.check_tmdb_pool.function()
    assert "the pool tmdb is not checked" in caplog.text
    assert "secret" not in caplog.text


def test_pool_is_the_same_wherever_it_is_created(tmdb_pool: ModuleType):
    assert tmdb_pool.TMDB_BUDGET["pool"] == tmdb_pool.POOL == TMDB_POOL
    assert tmdb_pool.DESCRIPTION == TMDB_POOL_DESCRIPTION
    compose = yaml.safe_load((ROOT / "docker-compose-airflow.yaml").read_text())
    values = yaml.safe_load((ROOT / "ops" / "kubernetes" / "airflow-values.yaml").read_text())
    for script in (
        compose["services"]["airflow-migrate"]["command"][-1].replace("$$", "$"),
        values["migrateDatabaseJob"]["args"][-1],
    ):
        (created,) = [line for line in script.splitlines() if " pools set " in line]
        assert f"set {TMDB_POOL} " in created
        assert "TMDB_REQUESTS_PER_SECOND" in created
        assert created.endswith(f' "{TMDB_POOL_DESCRIPTION}"')
