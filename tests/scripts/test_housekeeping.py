import os
import sqlite3
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from cloudpathlib import S3Path

from movierating.settings import Settings, load_settings
from scripts.housekeeping import clean_metadata, main, prune
from scripts.runtime import clock
from scripts.runtime.storage import data_folder, write_bytes
from tests.support.bundles import RUN_DATE
from tests.support.films import columns, moment, stored, tmdb_store

MEGABYTE = 1_000_000


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load_settings(Settings, data_dir=str(tmp_path / "data"))


@pytest.fixture
def folder(settings: Settings) -> Path:
    path = Path(settings.data_dir)
    path.mkdir()
    return path


def aged(path: Path, days: float, size: int = 10) -> Path:
    """Create a file of `size` bytes whose last change was `days` ago."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"x" * size)
    then = moment().timestamp() - days * 86_400
    os.utime(path, (then, then))
    return path


def names(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def test_old_files_of_runs_are_deleted(settings: Settings, folder: Path):
    left_behind = [
        "movies_{}.csv",
        "movies_{}.json",
        "movies_cleaned_{}.csv",
        "preprocess_{}.json",
        "codes_{}.json",
        "approval_{}.json",
        "model_{}.pkl",
        "bundle_{}/model.onnx",
        "wandb/offline-run-{}/run.wandb",
        ".movies_{}.csv.77.partial",
    ]
    for name in left_behind:
        aged(folder / name.format("2026-10-20"), 31)
        aged(folder / name.format("2026-10-26"), 28)
    assert prune(settings) == 10 * len(left_behind)
    assert names(folder) == {
        *(name.format("2026-10-26") for name in left_behind),
        "housekeeping.json",
    }


def test_film_store_and_undated_files_are_kept(settings: Settings, folder: Path):
    store = tmdb_store(settings)
    store.add(columns({"id": 1}))
    (path,) = store.folder.glob("*.parquet")
    aged(folder / "best_model.pkl", 400)
    aged(folder / "notes.txt", 400)
    os.utime(str(path), (0, 0))
    prune(settings)
    assert {"best_model.pkl", "notes.txt"} <= names(folder)
    assert stored(store).keys() == {1}


def test_progress_of_a_cancelled_backfill_is_deleted_after_seven_days(settings: Settings):
    store = tmdb_store(settings)
    store.add(columns({"id": 1}))
    folder = Path(str(store.folder))
    may = "slice_2026-05-01_2026-05-31_0_20261101T030000.json"
    june = "slice_2026-06-01_2026-06-30_0_20261116T030000.json"
    for name in (may, "plan.json", "backfill.json", "failing.json"):
        aged(folder / name, 7.1)
    other_source = aged(folder.parent / "invented" / may, 7.1)
    aged(folder / june, 6.9)
    prune(settings)
    left = {path.name for path in folder.iterdir() if path.suffix != ".parquet"}
    assert left == {june, "backfill.json", "failing.json"}
    assert not other_source.exists()
    assert stored(store).keys() == {1}


def test_old_logs_of_airflow_are_deleted(settings: Settings, folder: Path, tmp_path: Path):
    logs = tmp_path / "logs"
    old = aged(logs / "dag_id=a" / "run_id=1" / "task_id=b" / "attempt=1.log", 40)
    new = aged(logs / "dag_id=a" / "run_id=2" / "task_id=b" / "attempt=1.log", 4)
    prune(settings, logs)
    assert (old.exists(), new.exists()) == (False, True)
    assert folder.is_dir()


def test_oldest_files_beyond_the_size_limit_are_deleted_but_no_recent_ones(
    settings: Settings, folder: Path
):
    tight = settings.model_copy(update={"keep_max_gb": 0.003})
    for days in (1, 2, 5, 6, 7):
        aged(folder / f"movies_{RUN_DATE - timedelta(days=days)}.csv", days, MEGABYTE)
    prune(tight)
    assert names(folder) == {
        "housekeeping.json",
        "movies_2026-11-18.csv",
        "movies_2026-11-21.csv",
        "movies_2026-11-22.csv",
    }
    prune(settings.model_copy(update={"keep_max_gb": 0.001}))
    assert names(folder) == {
        "housekeeping.json",
        "movies_2026-11-21.csv",
        "movies_2026-11-22.csv",
    }


@pytest.mark.parametrize("days", [-90, 90])
def test_nothing_is_deleted_just_after_the_clock_jumped(
    settings: Settings, folder: Path, monkeypatch: pytest.MonkeyPatch, days: int
):
    aged(folder / "movies_2026-11-01.csv", 22)
    prune(settings)
    leapt = moment(RUN_DATE + timedelta(days=days))
    monkeypatch.setattr(clock, "_clock", lambda: leapt)
    assert prune(settings) == 0
    assert (folder / "movies_2026-11-01.csv").exists()
    monkeypatch.setattr(clock, "_clock", lambda: leapt + timedelta(days=1))
    assert (prune(settings) > 0) == (days > 0)


def test_old_files_in_s3_are_deleted(bucket_settings: Settings):
    there = bucket_settings.model_copy(
        update={"data_dir": f"s3://{bucket_settings.s3_bucket_name}/pipeline", "keep_max_gb": 1e-9}
    )
    folder = data_folder(there)
    assert isinstance(folder, S3Path)
    slices = "films/tmdb/slice_2026-05-01_2026-05-31_0_20261101T030000.json"
    for name in ("movies_2026-11-01.csv", "bundle_2026-11-01/model.onnx", slices, "best_model.pkl"):
        write_bytes(folder / name, b"x" * 10)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(clock, "_clock", lambda: moment(RUN_DATE + timedelta(days=3650)))
        prune(there)
    left = {path.name for path in folder.rglob("*") if path.is_file()}
    assert left == {"best_model.pkl", "housekeeping.json"}


@pytest.mark.airflow
def test_old_runs_are_deleted_from_airflows_database(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    connection = f"sqlite:///{tmp_path}/airflow.db"
    environment = os.environ | {
        "AIRFLOW_HOME": str(tmp_path),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": connection,
    }
    migrate = [sys.executable, "-m", "airflow", "db", "migrate"]
    subprocess.run(migrate, env=environment, check=True, capture_output=True)
    with sqlite3.connect(tmp_path / "airflow.db") as database:
        for day in ("2026-10-01", "2026-11-20"):
            database.execute(
                "insert into log (dttm, event) values (?, 'invented')", (f"{day} 00:00:00",)
            )
    database.close()
    monkeypatch.setenv("AIRFLOW_HOME", str(tmp_path))
    # In tasks, Airflow replaces the database's real address with this one.
    monkeypatch.setenv("AIRFLOW__DATABASE__SQL_ALCHEMY_CONN", "airflow-db-not-allowed:///")
    clean_metadata(connection, keep_days=30)
    with sqlite3.connect(tmp_path / "airflow.db") as database:
        left = database.execute("select dttm from log where event = 'invented'").fetchall()
    database.close()
    assert left == [("2026-11-20 00:00:00",)]


def test_command_line_deletes_old_files_and_logs(
    monkeypatch: pytest.MonkeyPatch, settings: Settings, folder: Path, tmp_path: Path
):
    old = aged(folder / "movies_2026-01-01.csv", 300)
    log = aged(tmp_path / "logs" / "a.log", 300)
    monkeypatch.setattr("scripts.housekeeping.pipeline_settings", lambda: settings)
    assert main(["--logs", str(tmp_path / "logs")]) == 0
    assert not old.exists()
    assert not log.exists()
