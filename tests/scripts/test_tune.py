import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import optuna
import pytest

from movierating.identity import sha256
from movierating.settings import Settings, load_settings
from scripts import tune as module
from scripts.runtime.run_files import RunFiles
from scripts.runtime.storage import DataFileError, write_bytes
from scripts.training import tuning
from scripts.training.tuning import SEARCHES, Search
from scripts.tune import tune
from tests.support.bundles import RUN_DATE
from tests.support.samples import years_of_films

FOLDS = 3
TRIALS = 25  # more than the random ones at the start


@pytest.fixture(autouse=True)
def tracked(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """Keep the logged runs in a list instead of sending them to W&B.

    `test_tracking` tests the sending."""
    runs: list[dict[str, Any]] = []

    def keep(_: Settings, name: str, config: Any, metrics: Any, group: str) -> None:
        runs.append({"name": name, "config": config, "metrics": metrics, "group": group})

    monkeypatch.setattr(module, "log_run", keep)
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    return runs


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Write a file of cleaned films, and return settings that name its folder.

    The default time budget is so long that it never ends a search in these tests."""
    frame = years_of_films()
    write_bytes(RunFiles(tmp_path, RUN_DATE).cleaned, frame.to_csv(index=False).encode("utf-8-sig"))
    return load_settings(Settings, data_dir=str(tmp_path))


@pytest.fixture
def hill(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """Add a parameter search called `hill`, whose error is smallest at x = 3.

    Returns:
        The parameters that each trial used, once for each fold (`year`).
    """
    chosen: list[dict[str, Any]] = []

    def errors(choice: dict[str, Any]) -> Iterator[float]:
        for year in range(1, FOLDS + 1):
            chosen.append(choice | {"year": year})
            yield 1 + abs(choice["x"] - 3)

    def suggest(trial: optuna.Trial) -> dict[str, Any]:
        return {"x": trial.suggest_float("x", -10, 10)}

    monkeypatch.setitem(
        SEARCHES, "hill", lambda _: Search("hill", suggest, {"x": 9.0}, FOLDS, errors)
    )
    return chosen


def test_search_starts_with_the_parameters_in_use_and_finds_better_ones(
    settings: Settings, hill: list[dict[str, Any]]
):
    found = tune(RUN_DATE, settings, ["hill"], TRIALS)
    assert hill[0] == {"x": 9.0, "year": 1}
    assert abs(found["hill"]["x"] - 3) < 2
    written = RunFiles(Path(settings.data_dir), RUN_DATE).tuned.read_text()
    assert json.loads(written) == found


@pytest.mark.usefixtures("hill")
def test_every_trial_is_tracked_in_a_group_with_the_fingerprint_of_the_films(
    settings: Settings, tracked: list[dict[str, Any]]
):
    tune(RUN_DATE, settings, ["hill"], 3)
    assert [run["name"] for run in tracked] == [f"tune_hill_{at}" for at in range(3)]
    cleaned = RunFiles(Path(settings.data_dir), RUN_DATE).cleaned
    (journal,) = Path(settings.data_dir).glob("tune_*.log")
    for run in tracked:
        assert run["group"] == journal.stem
        assert run["config"]["data"] == sha256(cleaned.read_bytes())
        assert run["metrics"]["rmse"] == pytest.approx(1 + abs(run["config"]["x"] - 3))


@pytest.mark.usefixtures("hill")
def test_bad_trials_are_pruned_before_the_last_fold(
    settings: Settings, tracked: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(tuning, "STARTUP_TRIALS", 2)
    tune(RUN_DATE, settings, ["hill"], 10)
    pruned = [run for run in tracked if run["config"]["pruned"]]
    assert pruned
    assert all("rmse_fold_3" not in run["metrics"] for run in pruned)


def test_stopped_search_is_continued(settings: Settings, hill: list[dict[str, Any]]):
    for _ in range(2):
        tune(RUN_DATE, settings, ["hill"], 2)
    (journal,) = Path(settings.data_dir).glob("tune_*.log")
    storage = optuna.storages.JournalStorage(
        optuna.storages.journal.JournalFileBackend(str(journal))
    )
    trials = optuna.load_study(study_name="hill", storage=storage).trials
    assert [trial.number for trial in trials] == [0, 1, 2, 3]
    assert [each["x"] for each in hill].count(9.0) == FOLDS  # tried once, in the first run only


@pytest.mark.usefixtures("hill")
def test_other_parameters_in_use_start_a_new_search(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    tune(RUN_DATE, settings, ["hill"], 1)
    changed = tmp_path / "parameters.py"
    changed.write_text("HALF_LIFE_YEARS = 7\n")
    monkeypatch.setattr(module, "_PARAMETERS", changed)
    tune(RUN_DATE, settings, ["hill"], 1)
    assert len(list(Path(settings.data_dir).glob("tune_*.log"))) == 2


@pytest.mark.usefixtures("hill")
def test_other_films_start_a_new_search(settings: Settings):
    tune(RUN_DATE, settings, ["hill"], 1)
    cleaned = RunFiles(Path(settings.data_dir), RUN_DATE).cleaned
    write_bytes(cleaned, cleaned.read_bytes() + b"\n")
    tune(RUN_DATE, settings, ["hill"], 1)
    assert len(list(Path(settings.data_dir).glob("tune_*.log"))) == 2


@pytest.mark.parametrize("name", list(SEARCHES))
def test_every_search_finds_parameters(
    settings: Settings, name: str, tracked: list[dict[str, Any]]
):
    found = tune(RUN_DATE, settings, [name], 2)  # the parameters in use, and others
    assert found[name]
    assert [run["name"] for run in tracked] == [f"tune_{name}_0", f"tune_{name}_1"]


def test_hold_out_films_do_not_influence_the_search(
    settings: Settings, tracked: list[dict[str, Any]]
):
    tune(RUN_DATE, settings, ["linear"], 1)
    first = tracked[0]["metrics"]["rmse"]
    frame = years_of_films()
    newest = frame["release_date"] >= frame["release_date"].iloc[int(len(frame) * 0.8)]
    frame.loc[newest, "vote_average"] = 3.0
    cleaned = RunFiles(Path(settings.data_dir), RUN_DATE).cleaned
    write_bytes(cleaned, frame.to_csv(index=False).encode("utf-8-sig"))
    tune(RUN_DATE, settings, ["linear"], 1)
    again = next(run for run in tracked[1:] if run["name"] == "tune_linear_0")
    assert again["metrics"]["rmse"] == pytest.approx(first)


def test_step_before_is_named_when_its_file_is_missing(tmp_path: Path):
    with pytest.raises(DataFileError, match="run preprocess for 2026-11-23 first"):
        tune(RUN_DATE, load_settings(Settings, data_dir=str(tmp_path)), ["linear"])


def test_search_without_a_number_of_trials_ends_with_its_time(
    settings: Settings, hill: list[dict[str, Any]]
):
    tune(RUN_DATE, settings.model_copy(update={"tune_minutes": 0.001}), ["hill"])
    assert hill


def test_number_of_trials_is_read_from_the_command_line(monkeypatch: pytest.MonkeyPatch):
    asked: list[tuple[Any, ...]] = []
    monkeypatch.setattr(module, "tune", lambda *arguments: asked.append(arguments[2:]))
    assert module.main(["--search", "rf", "linear", "--trials", "7"]) == 0
    assert module.main([]) == 0
    assert asked == [(["rf", "linear"], 7), (["lgbm"], None)]


@pytest.mark.parametrize("trials", ["0", "-1", "many"])
def test_number_of_trials_that_is_none_is_refused(trials: str, capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit, match="2"):
        module.main(["--trials", trials])
    assert "argument --trials: " in capsys.readouterr().err
