import shutil
from pathlib import Path

import pytest
import wandb

from movierating.settings import load_settings
from sandbox.state import free_ports
from scripts import tracking
from scripts.tracking import log_run
from tests.tracked_runs import tracked

KEY = "f" * 40


def test_run_without_a_key_is_kept_offline_in_the_data_folder(tmp_path: Path):
    settings = load_settings(data_dir=str(tmp_path))
    path = log_run(settings, "rf_2026-11-23", {"max_depth": 10}, {"test_rmse": 0.7})
    assert path is not None
    assert "movie-rating-predictor/" in path
    (run,) = tracked(tmp_path)
    assert run["name"] == "rf_2026-11-23"


def test_tracker_that_cannot_be_reached_stops_nothing_and_learns_no_secret_into_the_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    (port,) = free_ports(1)
    wandb.teardown()
    monkeypatch.setenv("WANDB_BASE_URL", f"http://127.0.0.1:{port}")
    monkeypatch.setattr(tracking, "_LOGIN_SECONDS", 1)
    settings = load_settings(data_dir=str(tmp_path), wandb_api_key=KEY)
    assert log_run(settings, "rf_2026-11-23", {}, {}) is None
    assert "W&B took no run rf_2026-11-23" in caplog.text
    assert KEY not in caplog.text
    wandb.teardown()


def test_folder_that_cannot_be_written_stops_nothing(tmp_path: Path):
    folder = tmp_path / "file"
    folder.touch()
    log_run(load_settings(data_dir=str(folder)), "rf_2026-11-23", {}, {})
    shutil.rmtree(tmp_path)
