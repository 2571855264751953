import logging
import re
import shutil
from datetime import timedelta
from pathlib import Path

import pytest

from movierating.registry.bundle import MODEL_NAME
from movierating.registry.registry import Registry
from movierating.s3 import Bucket, open_bucket
from movierating.settings import Settings
from scripts import registry as module
from scripts.registry import main
from scripts.runtime.run_files import RunFiles
from tests.support.bundles import RUN_DATE, Packed, pack, put_into_production

TOMORROW = RUN_DATE + timedelta(1)


@pytest.fixture(scope="session")
def tomorrows(tmp_path_factory: pytest.TempPathFactory) -> Packed:
    return pack(tmp_path_factory.mktemp("tomorrow"), TOMORROW, level=6.5)


@pytest.fixture(autouse=True)
def settings(bucket_settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Make `scripts.registry` use the settings of the test bucket."""
    monkeypatch.setattr(module, "pipeline_settings", lambda: bucket_settings)
    return bucket_settings


@pytest.fixture
def bucket(bucket_settings: Settings) -> Bucket:
    return open_bucket(bucket_settings)


@pytest.fixture
def two_days(registry: Registry, packed: Packed, tomorrows: Packed) -> tuple[str, str]:
    """Publish two model versions; the later one is in production."""
    old = put_into_production(registry, packed)
    put_into_production(registry, tomorrows, over=old)
    return packed.manifest.version, tomorrows.manifest.version


def in_production(registry: Registry) -> str:
    current = registry.production()
    assert current is not None
    return current.pointer.version


def ran(settings: Settings, packed: Packed) -> None:
    """Write the files of the pipeline run that made the bundle `packed`."""
    files = RunFiles(Path(settings.data_dir), packed.manifest.run_date)
    shutil.copytree(packed.folder, files.bundle)
    files.legacy_model.write_bytes(f"old model of {packed.manifest.run_date}".encode())


def test_empty_bucket_gives_empty_tables_and_errors_in_one_sentence(
    capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
):
    assert main(["list"]) == main(["history"]) == 0
    assert capsys.readouterr().out.split() == ["none", "none"]
    assert main(["show"]) == main(["verify"]) == 1
    assert main(["rollback", "--reason", "x"]) == 1
    assert [record.getMessage() for record in caplog.records] == [
        "nothing is in production yet; name a version",
        "nothing is in production yet; name a version",
        "nothing is in production, so there is nothing to roll back",
    ]


def test_list_marks_the_version_in_production_and_the_previous_one(
    two_days: tuple[str, str], capsys: pytest.CaptureFixture[str]
):
    assert main(["list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["version", "published", "(UTC)", "MB", "state"]
    states = {line.split()[0]: re.split(r"\s{2,}", line)[-1] for line in lines[2:] if line}
    assert states == dict(zip(two_days, ("before production", "production"), strict=True))


def test_history_is_in_order_and_can_be_limited(
    two_days: tuple[str, str], capsys: pytest.CaptureFixture[str]
):
    assert main(["history"]) == 0
    out = capsys.readouterr().out
    assert out.index(two_days[0]) < out.index(two_days[1])
    assert "because a test says so" in out
    assert main(["history", "--last", "1"]) == 0
    assert two_days[0] not in capsys.readouterr().out


def test_show_prints_origin_scores_and_decisions(
    two_days: tuple[str, str], capsys: pytest.CaptureFixture[str]
):
    assert main(["show"]) == 0
    out = capsys.readouterr().out
    assert two_days[1] in out
    for expected in ("300 films before 2025-01-01", "holdout", "old_model", "0.7", "promoted"):
        assert expected in out
    assert "trained again on 400 films until" in out
    assert "forecasts differ by 0.050 points from the measured model's" in " ".join(out.split())
    assert main(["show", two_days[0]]) == 0
    assert two_days[0] in capsys.readouterr().out


def test_rollback_returns_to_the_previous_version_and_logs_it(
    registry: Registry, two_days: tuple[str, str], caplog: pytest.LogCaptureFixture
):
    caplog.set_level(logging.INFO)
    assert main(["rollback", "--reason", "ratings too high"]) == 0
    assert in_production(registry) == two_days[0]
    assert registry.history()[-1].reason == "ratings too high"
    assert f"{two_days[0]} is in production, after {two_days[1]}" in caplog.text
    assert main(["rollback", "--reason", "again"]) == 1
    assert "name the version to go back to" in caplog.text
    assert main(["promote", two_days[1], "--reason", "fixed"]) == 0
    assert in_production(registry) == two_days[1]


def test_rollback_restores_the_five_column_model_while_the_files_of_its_run_exist(
    settings: Settings,
    bucket: Bucket,
    packed: Packed,
    two_days: tuple[str, str],
    caplog: pytest.LogCaptureFixture,
):
    ran(settings, packed)
    assert main(["rollback", "--reason", "ratings too high"]) == 0
    exported = bucket.get("models/latest/best_model.pkl")
    assert exported is not None
    assert exported.raw == b"old model of 2026-11-23"
    assert main(["promote", two_days[1], "--reason", "fixed"]) == 0
    assert "models/latest keeps the five-column model of another version" in caplog.text
    assert bucket.get("models/latest/best_model.pkl") == exported


def test_files_of_another_run_of_the_same_date_are_not_exported(
    settings: Settings, bucket: Bucket, newer: Packed, two_days: tuple[str, str]
):
    ran(settings, newer)
    assert newer.manifest.run_date == RUN_DATE
    assert main(["rollback", two_days[0], "--reason", "ratings too high"]) == 0
    assert bucket.keys("models/latest/") == []


@pytest.mark.parametrize("command", ["promote", "rollback"])
def test_move_requires_a_reason(command: str, capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit) as caught:
        main([command, "some-version"])
    assert caught.value.code == 2
    assert "--reason" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["show", "verify", "promote", "rollback"])
def test_unknown_version_is_reported_in_one_sentence(
    command: str, two_days: tuple[str, str], caplog: pytest.LogCaptureFixture
):
    reason = ["--reason", "x"] if command in {"promote", "rollback"} else []
    assert main([command, "2020-01-01-abc", *reason]) == 1
    (record,) = caplog.records
    assert record.getMessage().startswith("there is no version 2020-01-01-abc;")
    assert two_days


def test_version_with_a_failing_golden_input_cannot_be_put_into_production(
    registry: Registry, tmp_path: Path, two_days: tuple[str, str], caplog: pytest.LogCaptureFixture
):
    broken = pack(tmp_path / "broken", TOMORROW + timedelta(1))
    wrong = broken.manifest.golden[0].model_copy(update={"rating": 1.0})
    manifest = broken.manifest.model_copy(update={"golden": (wrong,)}).with_version()
    registry.publish(broken.folder, manifest)
    for command in ("promote", "rollback"):
        assert main([command, manifest.version, "--reason", "x"]) == 1
        assert f"{manifest.version} cannot be used: a golden answer differs" in caplog.text
    assert in_production(registry) == two_days[1]


def test_verify_names_the_altered_file(
    bucket: Bucket, two_days: tuple[str, str], caplog: pytest.LogCaptureFixture
):
    caplog.set_level(logging.INFO)
    assert main(["verify"]) == 0
    assert f"{two_days[1]} is intact: " in caplog.text
    bucket.put(f"models/versions/{two_days[1]}/{MODEL_NAME}", b"altered")
    assert main(["verify"]) == 1
    assert f"{two_days[1]} cannot be used: {MODEL_NAME} does not have" in caplog.text


def test_prune_keeps_as_many_as_the_setting_or_the_option_says(
    registry: Registry,
    packed: Packed,
    two_days: tuple[str, str],
    monkeypatch: pytest.MonkeyPatch,
    settings: Settings,
    caplog: pytest.LogCaptureFixture,
):
    caplog.set_level(logging.INFO)
    for name in ("v0", "v1", "v2"):
        registry.publish(packed.folder, packed.manifest.model_copy(update={"version": name}))
    keeping = settings.model_copy(update={"keep_versions": 2})
    monkeypatch.setattr(module, "pipeline_settings", lambda: keeping)
    assert main(["prune"]) == 0
    assert "deleted v0" in caplog.text
    assert main(["prune", "--keep", "1"]) == 0
    assert "deleted v1" in caplog.text
    assert main(["prune"]) == 0
    assert "deleted nothing" in caplog.text
    assert {each.version for each in registry.versions()} == {*two_days, "v2"}


@pytest.mark.parametrize("keep", ["0", "-1", "all"])
def test_prune_keeps_at_least_one(keep: str, capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit):
        main(["prune", f"--keep={keep}"])
    assert "--keep" in capsys.readouterr().err
