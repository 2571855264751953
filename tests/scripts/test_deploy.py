import pickle
import shutil
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from movierating.bundle import MODEL_NAME, Bundle
from movierating.manifest import BundleError
from movierating.registry import Decision, Registry, RegistryConflictError
from movierating.s3 import Bucket, StoreUnavailableError, open_bucket
from movierating.settings import Settings
from scripts import deploy as module
from scripts.deploy import deploy
from scripts.files import DataFileError, RunFiles
from tests.bundles import CODES, FILES, RUN_DATE, Packed, pack
from tests.dying_bucket import DyingBucket, KilledError

TOMORROW = RUN_DATE + timedelta(1)
YESTERDAY = RUN_DATE - timedelta(1)
LATEST = ["best_model.pkl", "main_genre_encoder.pkl", "original_language_encoder.pkl"]


@pytest.fixture(scope="session")
def bundles(tmp_path_factory: pytest.TempPathFactory) -> dict[date, Packed]:
    """A bundle of each day."""
    folder = tmp_path_factory.mktemp("bundles")
    days = {YESTERDAY: 5.5, RUN_DATE: 6.0, TOMORROW: 7.0}
    return {day: pack(folder / str(day), day, level) for day, level in days.items()}


@pytest.fixture
def settings(bucket_settings: Settings, bundles: dict[date, Packed]) -> Settings:
    """Three finished runs, none of them deployed."""
    for day, bundle in bundles.items():
        files = RunFiles(Path(bucket_settings.data_dir), day)
        shutil.copytree(bundle.folder, files.bundle)
        files.model.write_bytes(f"old model of {day}".encode())
    return bucket_settings


@pytest.fixture
def bucket(settings: Settings) -> Bucket:
    return open_bucket(settings)


def ledger(bucket: Bucket) -> list[Decision]:
    blobs = [bucket.get(key) for key in bucket.keys("models/ledger/")]
    return [Decision.model_validate_json(blob.raw) for blob in blobs if blob]


def in_production(bucket: Bucket, folder: Path) -> str:
    """The version a reader gets, every file of it verified."""
    current = Registry(bucket).production()
    assert current is not None
    shutil.rmtree(folder, ignore_errors=True)
    Registry(bucket).fetch(current.pointer, folder)
    return Bundle.load(folder, current.pointer.manifest_sha256).manifest.version


def stored(bucket: Bucket) -> dict[str, Any]:
    blobs = {key: bucket.get(key) for key in bucket.keys("")}
    return {key: blob.raw for key, blob in blobs.items() if blob}


def test_first_version_goes_into_production(
    settings: Settings, bucket: Bucket, bundles: dict[date, Packed], tmp_path: Path
):
    deployment = deploy(RUN_DATE, settings)
    version = bundles[RUN_DATE].manifest.version
    assert (deployment.version, deployment.promoted) == (version, True)
    assert in_production(bucket, tmp_path / "read") == version
    (decision,) = ledger(bucket)
    assert (decision.action, decision.version) == ("promoted", version)
    assert decision.reason.startswith("held-out RMSE 0.700 (baselines: mean 0.800,")


def test_bucket_of_the_old_system_is_no_hindrance(settings: Settings, bucket: Bucket):
    bucket.put("models/latest/best_model.pkl", b"the old system's")
    assert deploy(RUN_DATE, settings).promoted


def test_next_day_follows_and_names_what_it_replaces(
    settings: Settings, bucket: Bucket, bundles: dict[date, Packed]
):
    deploy(RUN_DATE, settings)
    deploy(TOMORROW, settings)
    current = Registry(bucket).production()
    assert current is not None
    assert current.pointer.version == bundles[TOMORROW].manifest.version
    assert current.pointer.previous == bundles[RUN_DATE].manifest.version


def test_past_date_publishes_and_does_not_move_production(
    settings: Settings, bucket: Bucket, bundles: dict[date, Packed], tmp_path: Path
):
    deploy(RUN_DATE, settings)
    deployment = deploy(YESTERDAY, settings)
    assert not deployment.promoted
    assert "production never moves backwards" in deployment.reason
    old, new = (bundles[day].manifest.version for day in (YESTERDAY, RUN_DATE))
    assert f"models/versions/{old}/manifest.json" in bucket.keys("")
    assert in_production(bucket, tmp_path / "read") == new
    assert [each.action for each in ledger(bucket)] == ["promoted", "refused"]
    assert stored(bucket)["models/latest/best_model.pkl"] == b"old model of 2026-11-23"


@pytest.mark.parametrize(
    ("rmse", "reason"),
    [
        (0.8, "RMSE of 0.800 does not beat mean (0.800) and recent_mean (0.800)"),
        (0.95, "RMSE of 0.950 does not beat"),
    ],
)
def test_challenger_that_does_not_beat_the_means_is_refused(
    settings: Settings, bucket: Bucket, rmse: float, reason: str
):
    deploy(RUN_DATE, settings)
    before = {key: raw for key, raw in stored(bucket).items() if "/versions/" not in key}
    files = RunFiles(Path(settings.data_dir), TOMORROW)
    shutil.rmtree(files.bundle)
    challenger = pack(Path(str(files.bundle)), TOMORROW, holdout_rmse=rmse)
    deployment = deploy(TOMORROW, settings)
    assert not deployment.promoted
    assert reason in deployment.reason
    decision = ledger(bucket)[-1]
    assert (decision.action, decision.reason) == ("refused", deployment.reason)
    assert decision.version == challenger.manifest.version
    after = {key: raw for key, raw in stored(bucket).items() if "/versions/" not in key}
    assert before.items() < after.items()
    assert len(after) == len(before) + 1  # the line in the ledger


def test_running_again_changes_nothing(settings: Settings, bucket: Bucket):
    deploy(RUN_DATE, settings)
    before = stored(bucket)
    again = deploy(RUN_DATE, settings)
    assert again.promoted
    assert stored(bucket) == before


def test_old_consumers_get_the_files_of_the_run_itself(settings: Settings, bucket: Bucket):
    (Path(settings.data_dir) / "best_model.pkl").write_bytes(b"of who knows which run")
    deploy(RUN_DATE, settings)
    assert bucket.keys("models/latest/") == [f"models/latest/{name}" for name in LATEST]
    exported = stored(bucket)
    assert exported["models/latest/best_model.pkl"] == b"old model of 2026-11-23"
    encoder = pickle.loads(exported["models/latest/main_genre_encoder.pkl"])
    assert encoder.categories_[0].tolist() == list(CODES.genres.names)


@pytest.mark.parametrize("writes", range(len(FILES) + 6))
def test_deployment_killed_after_any_write_leaves_old_or_new_and_is_healed_by_the_next(
    settings: Settings,
    bucket: Bucket,
    bundles: dict[date, Packed],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    writes: int,
):
    deploy(RUN_DATE, settings)
    old, new = (bundles[day].manifest.version for day in (RUN_DATE, TOMORROW))
    with monkeypatch.context() as patch:
        patch.setattr(module, "open_bucket", lambda _: DyingBucket(bucket, writes))
        with pytest.raises(KilledError):
            deploy(TOMORROW, settings)

    # The files, the manifest, the pointer; then the ledger and three files for the old consumers.
    moved = len(FILES) + 2
    assert in_production(bucket, tmp_path / "read") == (new if writes >= moved else old)
    latest = stored(bucket)["models/latest/best_model.pkl"]
    assert latest == b"old model of " + (b"2026-11-24" if writes >= moved + 2 else b"2026-11-23")

    assert deploy(TOMORROW, settings).promoted
    assert in_production(bucket, tmp_path / "read") == new
    assert [each.version for each in ledger(bucket)] == [old, new]
    assert stored(bucket)["models/latest/best_model.pkl"] == b"old model of 2026-11-24"


def test_pointer_that_another_publisher_moved_meanwhile_is_left_alone(
    settings: Settings, bucket: Bucket, monkeypatch: pytest.MonkeyPatch
):
    class Overtaken(Registry):
        def promote(self, *arguments: Any, **others: Any) -> None:
            with monkeypatch.context() as patch:
                patch.setattr(module, "Registry", Registry)
                deploy(TOMORROW, settings)
            super().promote(*arguments, **others)

    monkeypatch.setattr(module, "Registry", Overtaken)
    with pytest.raises(RegistryConflictError, match="another publisher moved production"):
        deploy(RUN_DATE, settings)
    assert [each.action for each in ledger(bucket)] == ["promoted"]
    assert stored(bucket)["models/latest/best_model.pkl"] == b"old model of 2026-11-24"


def test_altered_bundle_is_not_published(settings: Settings, bucket: Bucket):
    model = RunFiles(Path(settings.data_dir), RUN_DATE).bundle / MODEL_NAME
    model.write_bytes(model.read_bytes() + b"\0")
    with pytest.raises(BundleError, match=r"model.onnx does not have the SHA-256"):
        deploy(RUN_DATE, settings)
    assert bucket.keys("") == []


@pytest.mark.parametrize("missing", ["bundle", "model"])
def test_run_that_did_not_train_is_named(settings: Settings, bucket: Bucket, missing: str):
    path: Path = getattr(RunFiles(Path(settings.data_dir), RUN_DATE), missing)
    path.unlink() if path.is_file() else shutil.rmtree(path)
    with pytest.raises(DataFileError, match="run train for 2026-11-23 first"):
        deploy(RUN_DATE, settings)
    assert bucket.keys("") == []


def test_missing_bucket_names_the_setting(settings: Settings):
    with pytest.raises(StoreUnavailableError, match="S3_BUCKET_NAME"):
        deploy(RUN_DATE, settings.model_copy(update={"s3_bucket_name": "no-such-bucket"}))
