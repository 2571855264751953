import json
import pickle
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import root_mean_squared_error

from movierating.films.film import Film
from movierating.films.source import TMDB
from movierating.identity import sha256
from movierating.registry.bundle import CARD_NAME, EVIDENCE_NAME, Bundle
from movierating.registry.manifest import MANIFEST_NAME, Manifest
from movierating.settings import Settings, load_settings
from sandbox.tmdb.world import World
from scripts import train as module
from scripts.dataset.fame import RECORDED_ON, LateFameError
from scripts.dataset.legacy import FIVE_COLUMNS, five_columns
from scripts.dataset.split import TimeSplit, TooFewFilmsError
from scripts.dataset.table import NEW_COLUMNS, OLD_COLUMNS, films_of, read_cleaned, row_of
from scripts.evaluation import report as report_module
from scripts.evaluation.report import Report
from scripts.parameters import MODEL_CONFIG, ModelConfig
from scripts.runtime.run_files import RunFiles
from scripts.runtime.storage import DataFileError, write_bytes, write_json
from scripts.train import train
from tests.support.bundles import CODES, FILES, RUN_DATE, Packed, invented_films
from tests.support.pipeline_run import Run
from tests.support.samples import SMALL

FEW = 150  # films: enough for every fold


@dataclass(frozen=True)
class Trained:
    """The result of a training: its settings, its manifest, and the runs logged to W&B."""

    settings: Settings
    manifest: Manifest
    tracked: list[Any]


def keep_runs(patch: pytest.MonkeyPatch) -> list[Any]:
    """Keep the logged runs in a list instead of sending them to W&B.

    `test_tracking` tests the sending."""
    runs: list[Any] = []

    def remember(_: Settings, *run: Any, group: str, report: Report | None) -> None:
        runs.append((*run, group, report))

    patch.setattr(module, "log_run", remember)
    return runs


@pytest.fixture(autouse=True)
def tracked(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Return the runs that one test logs to W&B."""
    return keep_runs(monkeypatch)


@pytest.fixture(scope="module", autouse=True)
def no_pictures() -> Iterator[None]:
    """Leave the pictures out of the reports, which `test_report` tests: drawing takes 0.4 s."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(report_module, "_svg", lambda _: "<svg></svg>")
        yield


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    """Train models of all families on a few films; tests must not change the result."""
    with pytest.MonkeyPatch.context() as patch:
        runs = keep_runs(patch)
        settings = prepared(tmp_path_factory.mktemp("trained"))
        return Trained(settings, train(RUN_DATE, settings, SMALL), runs)


def prepared(folder: Path, count: int = FEW, reversed_from: int | None = None) -> Settings:
    """Write the file that preprocessing would write, with `count` invented films.

    Longer films have higher ratings.

    Args:
        folder: The working folder.
        count: Number of films, in the order of their release.
        reversed_from: From the film with this number on, longer films have lower ratings.
    """
    rng = np.random.default_rng(3)
    rows = []
    for at, film in enumerate(invented_films(count)):
        opened = pd.Timestamp("2020-01-01") + pd.Timedelta(days=3 * at)
        minutes = float(rng.integers(80, 160))
        sign = -1 if reversed_from is not None and at >= reversed_from else 1
        outcome = {
            "id": at,
            "title": f"Film {at}",
            "revenue": None,
            "vote_count": 100,
            "vote_average": 6 + sign * (minutes - 120) / 40 + rng.normal(0, 0.2),
        }
        known = Film(
            genres=film.genres,
            original_language=film.original_language,
            runtime_minutes=minutes,
            release_date=opened.date(),
            plot=film.plot,
        )
        rows.append(outcome | row_of(known, CODES))
    files = RunFiles(folder, RUN_DATE)
    frame = pd.DataFrame(rows)[[*OLD_COLUMNS, *NEW_COLUMNS]]
    write_bytes(files.cleaned, frame.to_csv(index=False).encode("utf-8-sig"))
    write_json(files.codes, CODES.to_json())
    write_json(files.preprocess_report, {"source": "tests", "collected": count})
    faults = {"runtime: impossible": 3}
    write_json(files.collect_report, {"source": "tests", "validation": {"faults": faults}})
    return load_settings(Settings, data_dir=str(folder))


def held_out(run: Run) -> pd.DataFrame:
    return TimeSplit.of_newest(read_cleaned(run.files.cleaned)).holdout.frame


def test_same_films_give_the_same_bundle_and_version(trained: Trained, tmp_path: Path):
    again = train(RUN_DATE, prepared(tmp_path), SMALL)
    assert again.version == trained.manifest.version
    assert again.files == trained.manifest.files


def test_other_films_give_another_version(trained: Trained, tmp_path: Path):
    other = train(RUN_DATE, prepared(tmp_path, count=FEW + 1), SMALL)
    assert other.version != trained.manifest.version


def test_written_bundle_verifies_and_names_its_data(trained: Trained):
    manifest = trained.manifest
    files = RunFiles(Path(trained.settings.data_dir), RUN_DATE)
    raw = (files.bundle / MANIFEST_NAME).read_bytes()
    assert Bundle.load(Path(str(files.bundle)), sha256(raw)).manifest == manifest
    assert manifest.data.sha256 == sha256(files.cleaned.read_bytes())
    assert (manifest.data.films, manifest.data.source) == (FEW, "tests")
    assert manifest.data.faults == {"runtime: impossible": 3}
    assert manifest.split.train_films + manifest.split.holdout_films == FEW
    assert manifest.run_date == manifest.split.until == RUN_DATE
    assert set(manifest.metrics) == {"train", "holdout", "form"}
    assert set(manifest.baselines) == {"mean", "recent_mean", "genre_mean", "old_model"}
    assert manifest.files.keys() == {*FILES, CARD_NAME, EVIDENCE_NAME}


def test_films_collected_from_another_source_since_are_refused(tmp_path: Path):
    settings = prepared(tmp_path)
    report = RunFiles(tmp_path, RUN_DATE).collect_report
    write_json(report, {"source": TMDB, "validation": {"faults": {}}})
    with pytest.raises(DataFileError, match=r"has the films of tests, but .*; run preprocess"):
        train(RUN_DATE, settings, SMALL)


def test_folds_select_the_family_and_hold_out_films_do_not(tmp_path: Path, tracked: list[Any]):
    # Longer films have higher ratings among the first 320 films, but lower ratings among the last
    # 80, the hold-out films. There, a forest that has learned almost nothing has a smaller error.
    config = ModelConfig(
        parameters={
            "xgboost": {"n_estimators": 100, "max_depth": 3},
            "rf": {"n_estimators": 1, "max_depth": 1, "min_child_weight": 10_000},
        }
    )
    both = train(RUN_DATE, prepared(tmp_path, 400, reversed_from=320), config)
    assert both.model_type == "xgboost"
    _, lazy = (metrics["test_rmse"] for _, _, metrics, *_ in tracked)
    assert lazy < both.metrics["holdout"].rmse


@pytest.mark.parametrize("family", MODEL_CONFIG.families)
def test_single_family_can_be_trained(tmp_path: Path, family: Any, tracked: list[Any]):
    manifest = train(RUN_DATE, prepared(tmp_path), ModelConfig(family, SMALL.parameters))
    assert manifest.model_type == family
    assert [run[0] for run in tracked] == [f"{family}_2026-11-23"]


def test_every_candidate_is_logged_with_its_parameters_and_scores(trained: Trained):
    assert [run[0] for run in trained.tracked] == [
        f"{name}_2026-11-23" for name in SMALL.parameters
    ]
    for (family, parameters), (_, config, metrics, group, report) in zip(
        SMALL.parameters.items(), trained.tracked, strict=True
    ):
        assert config == {"model_type": family, **parameters}
        assert group == "train_2026-11-23"
        assert (report is not None) == (family == trained.manifest.model_type)
        assert metrics["rmse_gap"] == pytest.approx(metrics["test_rmse"] - metrics["train_rmse"])
        assert metrics["baseline_mean_rmse"] > metrics["test_rmse"]


def test_legacy_model_forecasts_from_the_five_columns_with_its_stored_score(run: Run):
    folder = run.files.folder
    model = pickle.loads((folder / "best_model.pkl").read_bytes())
    frame = held_out(run)
    forecast = model.predict(five_columns(frame))
    assert five_columns(frame).columns.tolist() == list(FIVE_COLUMNS)
    score = float((folder / "best_score.txt").read_text())
    assert score == pytest.approx(root_mean_squared_error(frame["vote_average"], forecast))
    assert (folder / "best_model.pkl").read_bytes() == run.files.legacy_model.read_bytes()


def test_legacy_model_accepts_a_frame_as_its_users_build_it(run: Run):
    model = pickle.loads(run.files.legacy_model.read_bytes())
    values = {
        "runtime": 112,
        "genre_encoded": 0,
        "lang_encoded": 0,
        "overview_sentiment": 0.1,
        "overview_len": 180,
    }
    assert 0 < model.predict(pd.DataFrame([values]))[0] < 10


def test_synthetic_world_is_forecast_almost_as_well_as_possible(run: Run):
    """The model's RMSE must lie between two limits that come from the rules of the invented world.

    - Lower limit: the RMSE of a forecast that knows all rules. No model can be better, except by
      luck.
    - Upper limit: the RMSE of a forecast that knows all rules except those about people and
      companies. The model is trained on 770 films, in which few people of the hold-out films
      appear.

    Both limits have a margin, because the standard error of an RMSE on 184 films is about 5 %.
    """
    world = World(RUN_DATE)
    rated = held_out(run)["id"].tolist()
    best, floor = (world.noise_floor(rated, histories=known) for known in (True, False))
    reached = run.manifest.metrics["holdout"].rmse
    assert 0.9 * best < reached < 1.2 * floor
    for name in ("mean", "recent_mean"):
        assert reached < 0.9 * run.manifest.baselines[name].rmse
    assert run.manifest.metrics["form"].rmse < 0.95 * run.manifest.baselines["mean"].rmse


def test_interval_covers_about_the_promised_share_of_films(run: Run):
    # The standard error of a share of 0.8 among 184 films is 0.029.
    interval = run.manifest.interval80
    assert 0.7 < interval.coverage < 0.9
    assert 0.7 < interval.form_coverage < 0.9


def test_bundle_has_effects_of_people_and_its_measured_model_forecasts_as_evaluated(run: Run):
    bundle = Packed(run.bundle, run.manifest).load()
    assert all(
        bundle.effects.tables[trait]
        for trait in ("director", "writer", "cast", "company", "franchise", "keyword", "plot")
    )
    frame = held_out(run)
    forecast = bundle.measured.ratings(films_of(frame))
    expected = run.manifest.metrics["holdout"].rmse
    assert root_mean_squared_error(frame["vote_average"], forecast) == pytest.approx(
        expected, abs=1e-4
    )


def test_no_feature_is_known_only_after_release(run: Run):
    unwanted = ("vote", "popularity", "revenue", "status", "poster", "homepage")
    assert not [name for name in run.manifest.features if name.startswith(unwanted)]


def test_step_before_is_named_when_its_file_is_missing(tmp_path: Path):
    with pytest.raises(DataFileError, match="run preprocess for 2026-11-23 first"):
        train(RUN_DATE, load_settings(Settings, data_dir=str(tmp_path)))


def test_fame_from_after_the_release_of_a_film_is_refused_by_its_name(tmp_path: Path):
    settings = prepared(tmp_path)
    files = RunFiles(tmp_path, RUN_DATE)
    films = pd.read_csv(files.cleaned, encoding="utf-8-sig", dtype={RECORDED_ON: "str"})
    films[RECORDED_ON] = films[RECORDED_ON].where(films["id"] != 5, "2020-01-17")
    films["fame_votes"] = films["fame_votes"].where(films["id"] != 5, 900)
    write_bytes(files.cleaned, films.to_csv(index=False).encode("utf-8-sig"))
    late = r"film 5 has fame with the day 2020-01-17, and was released on 2020-01-16"
    with pytest.raises(LateFameError, match=late):
        train(RUN_DATE, settings, SMALL)
    assert not files.bundle.exists()


def test_too_few_films_are_an_error_and_leave_no_bundle(tmp_path: Path):
    settings = prepared(tmp_path, count=20)
    with pytest.raises(TooFewFilmsError, match="raise COLLECT_MAX_FILMS"):
        train(RUN_DATE, settings, SMALL)
    assert not RunFiles(tmp_path, RUN_DATE).bundle.exists()


def test_unwritable_bundle_is_reported_in_one_sentence(tmp_path: Path):
    settings = prepared(tmp_path)
    RunFiles(tmp_path, RUN_DATE).bundle.touch()
    with pytest.raises(DataFileError, match=r"bundle_2026-11-23 cannot be written .* DATA_DIR"):
        train(RUN_DATE, settings, ModelConfig("linear", SMALL.parameters))


def test_bundle_is_complete_before_wandb_is_asked_and_then_names_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    def look(*_: Any, **__: Any) -> str:
        raw = (files.bundle / MANIFEST_NAME).read_bytes()
        assert Bundle.load(Path(str(files.bundle)), sha256(raw)).manifest.wandb_run is None
        assert (tmp_path / "best_score.txt").exists()
        return "studio/films/1"

    files = RunFiles(tmp_path, RUN_DATE)
    monkeypatch.setattr(module, "log_run", look)
    manifest = train(RUN_DATE, prepared(tmp_path), ModelConfig("linear"))
    assert manifest.wandb_run == "studio/films/1"
    raw = (files.bundle / MANIFEST_NAME).read_bytes()
    assert Bundle.load(Path(str(files.bundle)), sha256(raw)).manifest == manifest


def test_tracked_runs_are_in_the_manifest(run: Run):
    assert run.manifest.wandb_run is not None
    assert "movie-rating-predictor" in run.manifest.wandb_run
    runs = list(run.disk.glob("wandb/offline-run-*"))  # W&B's client cannot write to S3
    assert len(runs) == len(MODEL_CONFIG.families)


def test_manifest_is_readable_json(run: Run):
    manifest = json.loads((run.files.bundle / MANIFEST_NAME).read_bytes())
    assert manifest["version"] == run.manifest.version
