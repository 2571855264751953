import logging
import os
import subprocess
import sys
from argparse import ArgumentTypeError
from datetime import date
from pathlib import Path
from types import ModuleType

import pytest

from movierating.errors import ExplainedError
from movierating.settings import Settings, load_settings
from scripts import collect, deploy, drift, preprocess, score, train, tune
from scripts.runtime.cli import not_negative, run, step_parser

ROOT = Path(__file__).parents[3]
STEPS = (collect, preprocess, train, deploy)


def program(name: str, *arguments: str, folder: Path) -> "subprocess.CompletedProcess[str]":
    """Run `python -m scripts.NAME` in a folder without `.env`, with DATA_DIR inside it."""
    return subprocess.run(
        [sys.executable, "-m", f"scripts.{name}", *arguments],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(ROOT), "DATA_DIR": str(folder / "data")},
        capture_output=True,
        text=True,
        check=False,
    )


def test_explained_error_is_logged_without_traceback_and_exits_with_one(
    caplog: pytest.LogCaptureFixture,
):
    def fail() -> None:
        raise ExplainedError("change SOMETHING")

    assert run(fail) == 1
    (record,) = caplog.records
    assert record.levelno == logging.ERROR
    assert record.getMessage() == "change SOMETHING"
    assert record.exc_info is None


def test_successful_step_exits_with_zero():
    assert run(lambda: "anything") == 0


def test_unexpected_error_keeps_its_traceback():
    def fail() -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        run(fail)


def test_date_is_read_from_the_command_line():
    assert step_parser("Doc.").parse_args(["--date", "2026-11-23"]).date == date(2026, 11, 23)


@pytest.mark.parametrize(
    "step",
    [collect, preprocess, train, tune, deploy, score, drift],
    ids=lambda step: step.__name__,
)
def test_future_date_is_refused_in_one_sentence(step: ModuleType, caplog: pytest.LogCaptureFixture):
    assert step.main(["--date", "2026-11-24"]) == 1
    (record,) = caplog.records
    assert record.getMessage() == (
        "the run date 2026-11-24 is in the future; choose 2026-11-23 or earlier"
    )


def test_number_below_zero_is_refused():
    assert not_negative("0") == 0
    with pytest.raises(ArgumentTypeError, match="must be 0 or more"):
        not_negative("-1")


def test_invalid_date_is_refused(capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit) as caught:
        step_parser("Doc.").parse_args(["--date", "yesterday"])
    assert caught.value.code == 2
    assert "--date" in capsys.readouterr().err


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.__name__)
def test_step_has_a_help_text(step: ModuleType, capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit) as ended:
        step.main(["--help"])
    assert ended.value.code == 0
    assert "--date" in capsys.readouterr().out


def test_program_shows_its_help_and_writes_no_file(tmp_path: Path):
    result = program("collect", "--help", folder=tmp_path)
    assert result.returncode == 0, result.stderr
    assert "--date" in result.stdout
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("step", "sentence"),
    [
        (collect, "TMDB_API_KEY is not set; put it into .env"),
        (preprocess, "run collect for 2026-11-23 first"),
        (train, "run preprocess for 2026-11-23 first"),
        (deploy, "run train for 2026-11-23 first"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_bad_setup_is_reported_in_one_sentence(
    step: ModuleType,
    sentence: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
):
    monkeypatch.setattr(
        step, "pipeline_settings", lambda: load_settings(Settings, data_dir=str(tmp_path))
    )
    assert step.main(["--date", "2026-11-23"]) == 1
    (record,) = caplog.records
    assert record.getMessage().endswith(sentence)


def test_broken_env_file_is_reported_in_one_sentence(tmp_path: Path):
    (tmp_path / ".env").write_text("S3_BUCKET_NAME films\n")
    result = program("collect", folder=tmp_path)
    assert result.returncode == 1
    assert "line 1 of .env is broken; write NAME=value" in result.stderr
    assert len(result.stderr.splitlines()) == 1
