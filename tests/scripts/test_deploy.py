import json
import pickle
import shutil
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from movierating.films.source import TMDB, invented_films
from movierating.identity import sha256
from movierating.ledger.ledger import TRACK_RECORD_KEY, UPCOMING_KEY, ForecastLedger
from movierating.ledger.records import TrackRecord, Upcoming, UpcomingFilm
from movierating.registry.bundle import CODES_NAME, MODEL_NAME, Bundle
from movierating.registry.decisions import Decision
from movierating.registry.manifest import BundleError
from movierating.registry.registry import Registry
from movierating.registry.versions import RegistryConflictError
from movierating.s3 import Bucket, open_bucket
from movierating.s3_errors import S3UnavailableError
from movierating.settings import Settings
from scripts import deploy as module
from scripts.deploy import answer, ask, deploy, main, propose
from scripts.evaluation.approval import Approval
from scripts.ledger.track_record import write_track_record
from scripts.runtime.run_files import RunFiles
from scripts.runtime.storage import DataFileError
from tests.support.bundles import CODES, FILES, RUN_DATE, Packed, pack
from tests.support.dying_bucket import DyingBucket, KilledError
from tests.support.forecasts import forecast, scored
from tests.support.samples import as_csv, opened_since
from tests.support.tracked_runs import tracked

TOMORROW = RUN_DATE + timedelta(1)
YESTERDAY = RUN_DATE - timedelta(1)
INVENTED = invented_films("1a2b")
LATEST = ["best_model.pkl", "main_genre_encoder.pkl", "original_language_encoder.pkl"]


FILMS = as_csv(opened_since(date(2025, 1, 10)))  # a cleaned file of films rated around 7


@pytest.fixture(scope="session")
def bundles(tmp_path_factory: pytest.TempPathFactory) -> dict[date, Packed]:
    """Create bundles for three days; their forecasts lie around 5.5, 6.0 and 7.0.

    The hold-out films are rated around 7, so each bundle is better than the one before.
    """
    folder = tmp_path_factory.mktemp("bundles")
    days = {YESTERDAY: 5.5, RUN_DATE: 6.0, TOMORROW: 7.0}
    return {
        day: pack(folder / str(day), day, level, data_sha256=sha256(FILMS))
        for day, level in days.items()
    }


@pytest.fixture(autouse=True)
def tracked_calls(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> list[Any]:
    """Replace the function that logs to W&B, and return a list of its calls.

    A real W&B run takes two seconds. Only the test that is marked `real_wandb` makes one.
    """
    calls: list[Any] = []
    if "real_wandb" not in request.keywords:
        monkeypatch.setattr(module, "log_run", lambda *arguments, **_: calls.append(arguments))
    return calls


@pytest.fixture
def settings(bucket_settings: Settings, bundles: dict[date, Packed]) -> Settings:
    """Write the files of three pipeline runs that have finished training; none is deployed."""
    for day, bundle in bundles.items():
        files = RunFiles(Path(bucket_settings.data_dir), day)
        shutil.copytree(bundle.folder, files.bundle)
        files.legacy_model.write_bytes(f"old model of {day}".encode())
        files.cleaned.write_bytes(FILMS)
    return bucket_settings


def put_in_place(
    settings: Settings, like: Packed, day: date, level: float, **others: Any
) -> Packed:
    """Replace the bundle of the run of `day`; the new forecasts lie around the rating `level`.

    The new bundle's training data has the same checksum as that of the bundle `like`.
    """
    files = RunFiles(Path(settings.data_dir), day)
    shutil.rmtree(files.bundle, ignore_errors=True)
    files.legacy_model.write_bytes(f"old model of {day}".encode())
    files.cleaned.write_bytes(FILMS)
    data_sha256 = like.manifest.data.sha256
    return pack(Path(str(files.bundle)), day, level, data_sha256=data_sha256, **others)


@pytest.fixture
def bucket(settings: Settings) -> Bucket:
    return open_bucket(settings)


def ledger(bucket: Bucket) -> list[Decision]:
    blobs = [bucket.get(key) for key in bucket.keys("models/ledger/")]
    return [Decision.model_validate_json(blob.raw) for blob in blobs if blob]


def in_production(bucket: Bucket, folder: Path) -> str:
    """Load the version in production as the API does, with all files verified; return its name."""
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
    start = "nothing is in production yet; hold-out RMSE 0.700 (baselines: mean 0.800,"
    assert decision.reason.startswith(start)
    assert decision.figures["holdout_rmse"] == 0.7


def test_bucket_of_the_old_system_can_be_used(settings: Settings, bucket: Bucket):
    bucket.put("models/latest/best_model.pkl", b"the old system's")
    assert deploy(RUN_DATE, settings).promoted


def of_source(settings: Settings, day: date, source: str, rmse: float = 0.7) -> str:
    """Replace the bundle of the run of `day`; the new one was trained on films from `source`.

    Return the new bundle's version."""
    folder = Path(str(RunFiles(Path(settings.data_dir), day).bundle))
    shutil.rmtree(folder)
    return pack(folder, day, 6.0, rmse, sha256(FILMS), source).manifest.version


def test_model_of_real_films_replaces_one_of_invented_films_at_once(
    settings: Settings, bucket: Bucket, tmp_path: Path
):
    champion = of_source(settings, TOMORROW, INVENTED)
    deploy(TOMORROW, settings)
    # The model of real films has an earlier date, and is worse than the mean.
    version = of_source(settings, RUN_DATE, TMDB, rmse=0.9)
    assert propose(RUN_DATE, settings).promoted
    deployment = deploy(RUN_DATE, settings)
    assert deployment.promoted
    assert deployment.reason.startswith(
        f"it was trained on TMDB's films (api.themoviedb.org), and {champion} on invented films "
        f"({INVENTED}), so it replaces {champion} without a comparison, although"
    )
    assert in_production(bucket, tmp_path / "read") == version
    assert ledger(bucket)[-1].reason == deployment.reason
    assert stored(bucket)["models/latest/best_model.pkl"] == b"old model of 2026-11-23"


def test_pages_show_no_films_of_another_source_than_production(settings: Settings, bucket: Bucket):
    of_source(settings, RUN_DATE, INVENTED)
    deploy(RUN_DATE, settings)
    shown = ForecastLedger(bucket, INVENTED)
    upcoming = UpcomingFilm(forecast=forecast(source=INVENTED), week_ago=None)
    shown.write_view(UPCOMING_KEY, Upcoming(as_of=RUN_DATE, source=INVENTED, films=(upcoming,)))
    shown.append_scores(RUN_DATE, [scored(source=INVENTED)])
    write_track_record(shown, shown.scores(), RUN_DATE, 50)
    deploy(TOMORROW, settings)
    found = shown.read_view(UPCOMING_KEY, Upcoming)
    assert found == Upcoming(as_of=RUN_DATE, source=TMDB, films=())
    record = shown.read_view(TRACK_RECORD_KEY, TrackRecord)
    assert record is not None
    assert (record.source, record.figures) == (TMDB, None)
    assert len(shown.scores()) == 1


def test_model_of_real_films_replaces_one_of_invented_films_after_a_rollback(
    settings: Settings, bucket: Bucket
):
    for day in (YESTERDAY, RUN_DATE):
        of_source(settings, day, invented_films(str(day)))
        deploy(day, settings)
    Registry(bucket).roll_back(Registry(bucket).previous_version(), "ada", "ratings too high")
    of_source(settings, RUN_DATE, TMDB)
    assert deploy(RUN_DATE, settings).promoted


def test_model_of_invented_films_never_replaces_one_of_real_films(
    settings: Settings, bucket: Bucket, tmp_path: Path
):
    deploy(RUN_DATE, settings)
    champion = in_production(bucket, tmp_path / "read")
    of_source(settings, TOMORROW, INVENTED, rmse=0.1)
    assert not propose(TOMORROW, settings).promoted
    deployment = deploy(TOMORROW, settings)
    assert not deployment.promoted
    assert "invented films never replace real ones" in deployment.reason
    assert in_production(bucket, tmp_path / "read") == champion
    assert ledger(bucket)[-1].action == "refused"


def test_champion_of_a_newer_format_and_another_source_is_not_replaced_by_older_code(
    settings: Settings, bucket: Bucket
):
    point_at(bucket, "new", b'{"format": 99, "data": {"source": "tmdb.example"}}')
    assert deploy(RUN_DATE, settings).reason.startswith("new is newer than this code")


def test_next_day_replaces_the_version_and_names_it(
    settings: Settings, bucket: Bucket, bundles: dict[date, Packed]
):
    deploy(RUN_DATE, settings)
    deploy(TOMORROW, settings)
    current = Registry(bucket).production()
    assert current is not None
    assert current.pointer.version == bundles[TOMORROW].manifest.version
    assert current.pointer.previous == bundles[RUN_DATE].manifest.version


def test_past_date_is_published_and_does_not_move_production(
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
        (0.8, "RMSE of 0.800 does not beat mean (0.800) and recent_mean (0.800) and genre_mean"),
        (0.95, "RMSE of 0.950 does not beat"),
    ],
)
def test_challenger_that_does_not_beat_the_means_is_refused(
    settings: Settings, bucket: Bucket, rmse: float, reason: str
):
    deploy(RUN_DATE, settings)
    before = {key: raw for key, raw in stored(bucket).items() if "/versions/" not in key}
    bundle = Path(str(RunFiles(Path(settings.data_dir), TOMORROW).bundle))
    shutil.rmtree(bundle)
    challenger = pack(bundle, TOMORROW, 7.0, holdout_rmse=rmse, data_sha256=sha256(FILMS))
    deployment = deploy(TOMORROW, settings)
    assert not deployment.promoted
    assert reason in deployment.reason
    decision = ledger(bucket)[-1]
    assert (decision.action, decision.reason) == ("refused", deployment.reason)
    assert decision.version == challenger.manifest.version
    after = {key: raw for key, raw in stored(bucket).items() if "/versions/" not in key}
    assert before.items() < after.items()
    assert len(after) == len(before) + 1  # the recorded decision


def test_challenger_that_is_worse_on_unseen_films_is_refused_with_its_figures(
    settings: Settings,
    bucket: Bucket,
    tmp_path: Path,
    bundles: dict[date, Packed],
    tracked_calls: list[Any],
):
    put_in_place(settings, bundles[RUN_DATE], TOMORROW, level=5.0)
    deploy(RUN_DATE, settings)
    deployment = deploy(TOMORROW, settings)
    assert not deployment.promoted
    champion = bundles[RUN_DATE].manifest.version
    assert deployment.reason.startswith(f"it is worse than {champion} for all films (RMSE ")
    assert in_production(bucket, tmp_path / "read") == champion
    decision = ledger(bucket)[-1]
    assert (decision.action, decision.production) == ("refused", champion)
    figures = decision.figures
    assert figures["all_films_films"] == 200
    assert 1.9 < figures["all_films_rmse"] < 2.2
    assert 0.9 < figures["all_films_champion_rmse"] < 1.2
    assert 0 < figures["all_films_difference_low"] < figures["all_films_difference_high"]
    assert {"korean_films_rmse", "few_votes_rmse", "newest_year_rmse"} <= figures.keys()
    assert [call[1] for call in tracked_calls] == ["gate_2026-11-23", "gate_2026-11-24"]
    assert tracked_calls[-1][2]["outcome"] == "refused"
    assert tracked_calls[-1][3] == figures


def test_refusal_is_recorded_once_if_the_run_is_repeated(
    settings: Settings, bucket: Bucket, bundles: dict[date, Packed], tracked_calls: list[Any]
):
    put_in_place(settings, bundles[RUN_DATE], TOMORROW, level=5.0)
    deploy(RUN_DATE, settings)
    refused = deploy(TOMORROW, settings)
    before = stored(bucket)
    assert deploy(TOMORROW, settings) == refused
    assert stored(bucket) == before
    assert len(tracked_calls) == 2


def test_equally_good_challenger_is_promoted_only_if_its_recipe_is_unchanged(
    settings: Settings, bundles: dict[date, Packed]
):
    put_in_place(settings, bundles[RUN_DATE], TOMORROW, level=6.0, recipe="another")
    deploy(RUN_DATE, settings)
    refused = deploy(TOMORROW, settings)
    assert not refused.promoted
    assert "its recipe is new, and it is not better than" in refused.reason
    put_in_place(settings, bundles[RUN_DATE], TOMORROW, level=6.0)
    promoted = deploy(TOMORROW, settings)
    assert promoted.promoted
    assert "its recipe is unchanged, and it is less than 0.02 worse than" in promoted.reason


def test_gate_requires_the_file_that_the_model_was_trained_on(settings: Settings):
    deploy(RUN_DATE, settings)
    files = RunFiles(Path(settings.data_dir), TOMORROW)
    files.cleaned.write_bytes(FILMS + b"\n")
    with pytest.raises(
        DataFileError, match=r"is not the file that .* was trained on; run train for"
    ):
        deploy(TOMORROW, settings)
    files.cleaned.unlink()
    with pytest.raises(DataFileError, match="run preprocess for 2026-11-24 first"):
        deploy(TOMORROW, settings)


def test_rollback_is_not_undone_by_a_run_of_the_same_or_an_earlier_date(
    settings: Settings, bucket: Bucket, bundles: dict[date, Packed]
):
    deploy(RUN_DATE, settings)
    deploy(TOMORROW, settings)
    registry = Registry(bucket)
    registry.roll_back(registry.previous_version(), "ada", "ratings too high")
    rolled_back = registry.production()
    for day, reason in (
        (YESTERDAY, "production never moves backwards"),
        (TOMORROW, f"rolled back from {bundles[TOMORROW].manifest.version}"),
    ):
        deployment = deploy(day, settings)
        assert not deployment.promoted
        assert reason in deployment.reason
    assert deploy(RUN_DATE, settings).reason == "is in production already"
    assert registry.production() == rolled_back


def test_run_of_the_next_day_can_replace_a_rolled_back_version(
    settings: Settings, bucket: Bucket, bundles: dict[date, Packed]
):
    deploy(RUN_DATE, settings)
    deploy(TOMORROW, settings)
    registry = Registry(bucket)
    registry.roll_back(registry.previous_version(), "ada", "ratings too high")
    later = TOMORROW + timedelta(1)
    put_in_place(settings, bundles[RUN_DATE], later, level=6.9)
    assert deploy(later, settings).promoted
    current = registry.production()
    assert current is not None
    assert current.pointer.rolled_back_from is None


def point_at(bucket: Bucket, version: str, manifest: bytes) -> None:
    """Put a version with this manifest into production, directly in S3.

    So the manifest may have a content that this code would never write."""
    bucket.put(f"models/versions/{version}/manifest.json", manifest)
    pointer = {
        "version": version,
        "manifest_sha256": sha256(manifest),
        "previous": None,
        "at": "2026-11-22T00:00:00Z",
        "by": "tests",
        "reason": "",
        "run_date": "2026-11-22",
    }
    bucket.put("models/production.json", json.dumps(pointer).encode())


def test_champion_of_an_older_format_is_replaced_by_one_that_beats_the_means(
    settings: Settings, bucket: Bucket
):
    point_at(bucket, "old", b'{"format": 1}')
    deployment = deploy(RUN_DATE, settings)
    assert deployment.promoted
    assert deployment.reason.startswith("old cannot be compared")
    assert "format 1" in deployment.reason


def test_champion_of_a_newer_format_is_not_replaced_by_older_code(
    settings: Settings, bucket: Bucket
):
    point_at(bucket, "new", b'{"format": 99}')
    deployment = deploy(RUN_DATE, settings)
    assert not deployment.promoted
    assert deployment.reason.startswith("new is newer than this code")
    assert "update it" in deployment.reason


def test_champion_with_an_altered_file_is_replaced(
    settings: Settings, bucket: Bucket, bundles: dict[date, Packed]
):
    deploy(RUN_DATE, settings)
    old = bundles[RUN_DATE].manifest.version
    bucket.put(f"models/versions/{old}/{CODES_NAME}", b"altered")
    deployment = deploy(TOMORROW, settings)
    assert deployment.promoted
    assert f"{old} cannot be compared" in deployment.reason


AT = datetime(2026, 11, 23, 3, 12, tzinfo=UTC)


@pytest.fixture
def asking(settings: Settings) -> Settings:
    """Return settings with which a person must approve each version."""
    return settings.model_copy(update={"promotion_approval": True})


def answered(settings: Settings, approved: bool, run_id: str = "run", day: date = RUN_DATE) -> None:
    """Ask about the version of the run of `day`, and record the answer of the person `ada`."""
    assert ask(day, settings, run_id).promoted
    answer(day, settings, run_id, Approval(approved=approved, by="ada", at=AT))


@pytest.mark.parametrize(("approved", "said"), [(True, "approved"), (False, "rejected")])
def test_answer_decides_and_is_recorded_with_name_and_time(
    asking: Settings, bucket: Bucket, approved: bool, said: str
):
    proposal = propose(RUN_DATE, asking)
    assert proposal.promoted
    answered(asking, approved)
    assert Registry(bucket).production() is None
    assert ledger(bucket) == []
    deployment = deploy(RUN_DATE, asking, "run")
    assert deployment.promoted == approved
    start, end = f"{said} by ada; {proposal.reason}; ", "answered at 2026-11-23 03:12:00 UTC"
    assert deployment.reason == start + end
    (decision,) = ledger(bucket)
    assert decision.action == ("promoted" if approved else "refused")
    assert decision.reason == deployment.reason
    assert (Registry(bucket).production() is not None) == approved
    assert deploy(RUN_DATE, asking, "run").promoted == approved
    assert ledger(bucket) == [decision]


def withdraw(settings: Settings) -> None:
    answered(settings, approved=True)
    ask(RUN_DATE, settings, "run")


def train_again(settings: Settings) -> None:
    answered(settings, approved=True)
    bundle = Path(settings.data_dir) / f"bundle_{RUN_DATE}"
    shutil.rmtree(bundle)
    pack(bundle, RUN_DATE, 6.5, data_sha256=sha256(FILMS))


@pytest.mark.parametrize(
    ("before", "reason"),
    [
        (lambda _: None, "nobody was asked for approval in this run"),
        (lambda settings: ask(RUN_DATE, settings, "run"), "nobody has answered the question"),
        (lambda settings: answered(settings, True, "other"), "nobody was asked for approval in"),
        (lambda settings: answered(settings, True, day=TOMORROW), "nobody was asked for approval"),
        (withdraw, "nobody has answered the question"),
        (train_again, "approval was asked for another model (2026-11-23-"),
    ],
    ids=["not asked", "not answered", "other run", "other date", "asked again", "trained again"],
)
def test_nothing_goes_into_production_without_an_answer_about_it_in_this_run(
    asking: Settings,
    bucket: Bucket,
    caplog: pytest.LogCaptureFixture,
    before: Callable[[Settings], Any],
    reason: str,
):
    before(asking)
    deployment = deploy(RUN_DATE, asking, "run")
    assert not deployment.promoted
    assert deployment.reason.startswith(f"not approved: {reason}")
    assert "nothing is in production yet; hold-out RMSE" in deployment.reason
    assert Registry(bucket).production() is None
    (decision,) = ledger(bucket)
    assert (decision.action, decision.reason) == ("refused", deployment.reason)
    assert "clear the task approve_promotion in Airflow" in caplog.text
    assert deploy(RUN_DATE, asking, "run") == deployment
    assert len(ledger(bucket)) == 1


def test_version_refused_without_an_answer_can_still_be_approved(asking: Settings, bucket: Bucket):
    assert not deploy(RUN_DATE, asking, "run").promoted
    answered(asking, approved=True)
    assert deploy(RUN_DATE, asking, "run").promoted
    assert [each.action for each in ledger(bucket)] == ["refused", "promoted"]


def test_command_line_promotes_only_what_was_approved(
    asking: Settings, bucket: Bucket, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(module, "pipeline_settings", lambda: asking)
    assert main([f"--date={RUN_DATE}"]) == 0
    assert Registry(bucket).production() is None
    answered(asking, approved=True)
    assert main([f"--date={RUN_DATE}"]) == 0
    assert Registry(bucket).production() is not None


def test_answer_without_a_question_of_the_run_is_refused(asking: Settings):
    ask(RUN_DATE, asking, "other")
    with pytest.raises(DataFileError, match="so the answer of ada does not count; clear the task"):
        answer(RUN_DATE, asking, "run", Approval(approved=True, by="ada", at=AT))


@pytest.mark.parametrize("raw", [b"", b"[]", b'{"answer": {"approved": true, "by": "ada"}}'])
def test_unreadable_answer_is_named(asking: Settings, bucket: Bucket, raw: bytes):
    (Path(asking.data_dir) / f"approval_{RUN_DATE}.json").write_bytes(raw)
    with pytest.raises(DataFileError, match=r"approval_2026-11-23.json is not readable; delete it"):
        deploy(RUN_DATE, asking)
    assert Registry(bucket).production() is None


def test_no_approval_is_asked_if_the_gate_refuses_or_the_version_is_in_production(
    settings: Settings, asking: Settings, bundles: dict[date, Packed]
):
    put_in_place(settings, bundles[RUN_DATE], TOMORROW, level=5.0)
    deploy(RUN_DATE, settings)
    assert not ask(RUN_DATE, asking, "run").promoted
    assert not ask(TOMORROW, asking, "run").promoted
    assert list(Path(settings.data_dir).glob("approval_*")) == []
    refused = deploy(TOMORROW, asking, "run")
    assert not refused.promoted
    assert refused.reason.startswith("it is worse than")
    assert deploy(RUN_DATE, asking, "run").reason == "is in production already"


@pytest.mark.real_wandb
def test_decision_is_logged_in_wandb_without_an_account_too(settings: Settings):
    deploy(RUN_DATE, settings)
    (run,) = tracked(Path(settings.data_dir))
    assert run["name"] == "gate_2026-11-23"
    assert run["summary"]["holdout_rmse"] == 0.7


def test_wandb_is_asked_after_everything_else(
    settings: Settings, bucket: Bucket, monkeypatch: pytest.MonkeyPatch
):
    found: list[list[str]] = []
    monkeypatch.setattr(module, "log_run", lambda *_, **__: found.append(bucket.keys("models/")))
    deploy(RUN_DATE, settings)
    (at_the_call,) = found
    assert at_the_call == bucket.keys("models/")
    assert f"models/latest/{LATEST[0]}" in at_the_call


def test_running_again_changes_nothing(settings: Settings, bucket: Bucket):
    deploy(RUN_DATE, settings)
    before = stored(bucket)
    again = deploy(RUN_DATE, settings)
    assert again.promoted
    assert stored(bucket) == before


def test_users_of_the_old_system_get_the_files_of_this_run(settings: Settings, bucket: Bucket):
    (Path(settings.data_dir) / "best_model.pkl").write_bytes(b"of who knows which run")
    deploy(RUN_DATE, settings)
    assert bucket.keys("models/latest/") == [f"models/latest/{name}" for name in LATEST]
    exported = stored(bucket)
    assert exported["models/latest/best_model.pkl"] == b"old model of 2026-11-23"
    encoder = pickle.loads(exported["models/latest/main_genre_encoder.pkl"])
    assert encoder.categories_[0].tolist() == list(CODES.genres.names)


def test_deployment_killed_after_any_write_leaves_old_or_new_and_is_repaired_by_the_next(
    settings: Settings,
    bucket: Bucket,
    bundles: dict[date, Packed],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
):
    old, new = (bundles[day].manifest.version for day in (RUN_DATE, TOMORROW))
    deploy(RUN_DATE, settings)
    before = stored(bucket)
    for writes in count():
        for key in bucket.keys(""):
            bucket.delete(key)
        for key, raw in before.items():
            bucket.put(key, raw)
        with monkeypatch.context() as patch:
            patch.setattr(module, "open_bucket", lambda _, w=writes: DyingBucket(bucket, w))
            try:
                deploy(TOMORROW, settings)
            except KilledError:
                assert in_production(bucket, tmp_path / "read") in {old, new}
            else:
                break
        assert deploy(TOMORROW, settings).promoted
        assert in_production(bucket, tmp_path / "read") == new
        assert [each.version for each in ledger(bucket)] == [old, new]
        assert ledger(bucket)[-1].figures["all_films_rmse"] > 0
        assert stored(bucket)["models/latest/best_model.pkl"] == b"old model of 2026-11-24"
    # A deployment writes the bundle's files and its manifest; then the previous decision again, the
    # pointer and the new decision; at last the files for users of the old system.
    assert writes == len(FILES) + 1 + 3 + len(LATEST)


def test_pointer_moved_by_another_publisher_is_not_overwritten(
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
    with pytest.raises(BundleError, match=r"model.onnx has more than the \d+ bytes"):
        deploy(RUN_DATE, settings)
    assert bucket.keys("") == []


@pytest.mark.parametrize("missing", ["bundle", "legacy_model"])
def test_missing_training_is_named(settings: Settings, bucket: Bucket, missing: str):
    path: Path = getattr(RunFiles(Path(settings.data_dir), RUN_DATE), missing)
    path.unlink() if path.is_file() else shutil.rmtree(path)
    with pytest.raises(DataFileError, match="run train for 2026-11-23 first"):
        deploy(RUN_DATE, settings)
    assert bucket.keys("") == []


def test_missing_bucket_names_the_setting(settings: Settings):
    with pytest.raises(S3UnavailableError, match="S3_BUCKET_NAME"):
        deploy(RUN_DATE, settings.model_copy(update={"s3_bucket_name": "no-such-bucket"}))
