import json
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from movierating.settings import Settings, load_settings
from sandbox.state import free_ports
from scripts.evaluation import tracking, wandb_process
from scripts.evaluation.report import Report
from scripts.evaluation.tracking import log_run
from scripts.evaluation.wandb_process import TrackingError, WandbProcess
from tests.support.recording_proxy import PASSWORD, recording_proxy, set_proxy
from tests.support.tracked_runs import tracked
from tests.support.wandb_server import WandbServer, running_wandb

KEY = "f" * 40
REPORT = Report("Model of 2026-11-23", "| | RMSE |\n|---|---:|\n| mean | 0.8 |", "<p>Its page.</p>")


# A client that starts another process in a session of its own, as W&B's does, and then hangs.
HANGS = """
import json, pathlib, subprocess, time
child = subprocess.Popen(["sleep", "600"], start_new_session=True)
pathlib.Path(__file__).with_name("child").write_text(str(child.pid))
print(json.dumps({"wandb_run": "ready"}), flush=True)
time.sleep(600)
"""


@pytest.fixture
def wandb_server(monkeypatch: pytest.MonkeyPatch) -> Iterator[WandbServer]:
    """Run a local imitation of the W&B server, and make this process's W&B client use it."""
    with running_wandb() as server:
        monkeypatch.setenv("WANDB_BASE_URL", server.url)
        yield server


def test_run_without_a_key_is_kept_offline_in_the_data_folder(tmp_path: Path):
    settings = load_settings(Settings, data_dir=str(tmp_path))
    path = log_run(settings, "rf_2026-11-23", {"max_depth": 10}, {"test_rmse": 0.7})
    assert path is not None
    assert "movie-rating-predictor/" in path
    (run,) = tracked(tmp_path)
    assert run["name"] == "rf_2026-11-23"


def test_unreachable_wandb_stops_nothing_and_the_log_holds_no_secret(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    (port,) = free_ports(1)
    monkeypatch.setenv("WANDB_BASE_URL", f"http://127.0.0.1:{port}")
    monkeypatch.setattr(tracking, "_LOGIN_SECONDS", 1)
    settings = load_settings(Settings, data_dir=str(tmp_path), wandb_api_key=KEY)
    assert log_run(settings, "rf_2026-11-23", {}, {}) is None
    assert "cannot log run rf_2026-11-23 in W&B" in caplog.text
    assert KEY not in caplog.text
    assert len(tracked(tmp_path)) == 1


def test_unwritable_folder_stops_nothing(tmp_path: Path):
    folder = tmp_path / "file"
    folder.touch()
    assert (
        log_run(load_settings(Settings, data_dir=str(folder)), "rf_2026-11-23", {}, {}) is not None
    )
    shutil.rmtree(tmp_path)


def test_report_is_written_beside_its_run_where_wandb_is_online(
    tmp_path: Path, wandb_server: WandbServer, caplog: pytest.LogCaptureFixture
):
    caplog.set_level("INFO")
    settings = load_settings(Settings, data_dir=str(tmp_path), wandb_api_key=KEY)
    path = log_run(settings, "rf_2026-11-23", {}, {"test_rmse": 0.7}, report=REPORT)
    assert path is not None
    assert path.startswith("studio/movie-rating-predictor/")
    (said,) = wandb_server.reports
    assert (said["entityName"], said["projectName"]) == ("studio", "movie-rating-predictor")
    assert (said["displayName"], said["type"]) == (REPORT.title, "runs")
    assert said["description"].startswith("rf_2026-11-23: http")
    texts = [each["content"] for each in json.loads(said["spec"])["blocks"] if "content" in each]
    assert texts == [REPORT.text]
    assert any(REPORT.page.encode() in each for each in wandb_server.files.values())
    assert f"wrote the report to W&B: {wandb_server.url}/studio/" in caplog.text
    assert KEY not in caplog.text


def test_report_that_wandb_refuses_leaves_the_run_as_it_is(
    tmp_path: Path, wandb_server: WandbServer, caplog: pytest.LogCaptureFixture
):
    wandb_server.refused = "upsertView"
    settings = load_settings(Settings, data_dir=str(tmp_path), wandb_api_key=KEY)
    assert log_run(settings, "rf_2026-11-23", {}, {}, report=REPORT) is not None
    (warning,) = [each for each in caplog.messages if "W&B" in each]
    assert warning.startswith("cannot write the report of rf_2026-11-23 to W&B (")
    assert warning.endswith("; training continues")
    assert KEY not in caplog.text


def test_report_stays_in_its_run_where_wandb_is_offline(tmp_path: Path, wandb_server: WandbServer):
    assert (
        log_run(load_settings(Settings, data_dir=str(tmp_path)), "rf", {}, {}, report=REPORT)
        is not None
    )
    assert wandb_server.asked == []


@pytest.mark.parametrize("fault", [None, 502], ids=["silent", "502"])
def test_wandb_that_fails_in_the_middle_ends_in_time_and_the_runs_are_kept(
    tmp_path: Path,
    wandb_server: WandbServer,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    fault: int | None,
):
    monkeypatch.setattr(tracking, "_RUN_SECONDS", 1)
    wandb_server.ends_after, wandb_server.fault = "UpsertBucket", fault
    settings = load_settings(Settings, data_dir=str(tmp_path), wandb_api_key=KEY)
    assert log_run(settings, "rf", {}, {"test_rmse": 0.7}, report=REPORT) is None
    assert "cannot log run rf in W&B (it did not answer in time); training continues" in caplog.text
    asked = len(wandb_server.asked)
    assert log_run(settings, "lgbm", {}, {"test_rmse": 0.6}) is None
    assert len(wandb_server.asked) == asked  # a step waits for W&B only once
    assert {run["name"] for run in tracked(tmp_path)} == {"rf", "lgbm"}
    assert "`wandb sync` can send it" in caplog.text
    assert KEY not in caplog.text


def test_client_that_hangs_is_ended_with_its_processes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    (program := tmp_path / "hangs.py").write_text(HANGS)
    monkeypatch.setattr(wandb_process, "PROGRAM", program)
    client = WandbProcess(None)
    with pytest.raises(TrackingError, match="did not answer in time"):
        client.log({"name": "rf"}, 0.1)
    assert not client.is_usable(None)
    child = int((tmp_path / "child").read_text())
    # The kernel ends the process soon after the signal, but on some machines its entry remains.
    while psutil.pid_exists(child) and psutil.Process(child).status() != psutil.STATUS_ZOMBIE:
        time.sleep(0.01)  # pytest's time limit ends this


def test_client_that_dies_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (program := tmp_path / "dies.py").write_text("")
    monkeypatch.setattr(wandb_process, "PROGRAM", program)
    with pytest.raises(TrackingError, match="ended without a result"):
        WandbProcess(None).log({"name": "rf"}, 30)


def test_proxy_is_named_if_wandb_cannot_be_reached_through_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    monkeypatch.setattr(tracking, "_LOGIN_SECONDS", 1)
    monkeypatch.setenv("WANDB_BASE_URL", "http://wandb.example")
    settings = load_settings(Settings, data_dir=str(tmp_path), wandb_api_key=KEY)
    with recording_proxy() as proxy:
        proxy.refuses = 407
        set_proxy(monkeypatch, "ALL_PROXY", proxy.with_password)
        assert log_run(settings, "rf_2026-11-23", {}, {}) is None
        assert proxy.seen
    assert "through the proxy in ALL_PROXY" in caplog.text
    logs = [file.read_bytes() for file in tmp_path.rglob("*") if file.is_file()]
    assert PASSWORD.encode() not in b"".join([caplog.text.encode(), *logs])
