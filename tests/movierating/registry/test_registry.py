import json
import shutil
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

import pytest

from movierating.errors import ExplainedError
from movierating.films.codes import Codes
from movierating.films.film import Film, Plot
from movierating.films.source import TMDB
from movierating.films.source import invented_films as invented_films_of
from movierating.identity import sha256
from movierating.registry.bundle import CODES_NAME, Bundle
from movierating.registry.manifest import FORMAT, MANIFEST_NAME, BundleError
from movierating.registry.pointer import (
    POINTER_KEY,
    InventedFilmsError,
    MoveError,
    Pointer,
    Production,
)
from movierating.registry.registry import Registry
from movierating.registry.versions import RegistryConflictError, UnknownVersionError
from movierating.s3 import Bucket, open_bucket
from movierating.s3_errors import PreconditionFailedError, S3UnavailableError
from movierating.settings import Settings
from tests.support.bundles import (
    CODES,
    FILES,
    RUN_DATE,
    Packed,
    invented_films,
    pack,
    put_into_production,
)
from tests.support.dying_bucket import DyingBucket, KilledError
from tests.support.encoders import with_encoder
from tests.support.faulty_s3 import GARBAGE, SERVER_ERROR, Answer, answering

PUBLISHERS = 2
ROUNDS = 20
TOMORROW = RUN_DATE + timedelta(1)
EXPORTED = {"best_model.pkl": b"new", "main_genre_encoder.pkl": b"new"}


def read(registry: Registry, folder: Path) -> Bundle:
    """Download and load the bundle in production as the API does, with all checks."""
    current = registry.production()
    assert current is not None
    shutil.rmtree(folder, ignore_errors=True)
    registry.fetch(current.pointer, folder)
    return Bundle.load(folder, current.pointer.manifest_sha256)


def stored(bucket: Bucket, prefix: str = "") -> dict[str, bytes]:
    """Return the content of all objects whose keys start with `prefix`, by key."""
    blobs = {key: bucket.get(key) for key in bucket.keys(prefix)}
    return {key: blob.raw for key, blob in blobs.items() if blob}


def emptied(bucket: Bucket) -> None:
    for key in bucket.keys(""):
        bucket.delete(key)


@pytest.fixture(scope="session")
def tomorrows(tmp_path_factory: pytest.TempPathFactory) -> Packed:
    """Create a bundle whose run date is one day after that of the bundle `packed`."""
    return pack(tmp_path_factory.mktemp("tomorrow"), TOMORROW, level=6.5)


def test_empty_bucket_has_nothing_in_production(registry: Registry):
    assert registry.production() is None
    assert registry.production_codes() == Codes()


def test_bucket_of_the_old_system_has_nothing_in_production(registry: Registry, bucket: Bucket):
    bucket.put("models/latest/best_model.pkl", b"an old model")
    assert registry.production() is None
    assert registry.production_codes() == Codes()


def test_reader_gets_what_was_published(registry: Registry, packed: Packed, tmp_path: Path):
    put_into_production(registry, packed)
    assert read(registry, tmp_path).manifest == packed.manifest
    assert registry.production_codes() == CODES


def test_manifest_is_written_last(bucket: Bucket, packed: Packed):
    Registry(bucket).publish(packed.folder, packed.manifest)
    versions = f"models/versions/{packed.manifest.version}"
    assert set(bucket.keys("")) == {f"{versions}/{name}" for name in (*FILES, MANIFEST_NAME)}
    for writes in range(len(FILES) + 1):
        other = Registry(DyingBucket(bucket, writes))
        with pytest.raises(KilledError):
            other.publish(packed.folder, packed.manifest.model_copy(update={"version": "other"}))
        assert f"models/versions/other/{MANIFEST_NAME}" not in bucket.keys("")


def test_altered_code_tables_in_production_are_refused(
    registry: Registry, bucket: Bucket, packed: Packed
):
    put_into_production(registry, packed)
    bucket.put(f"models/versions/{packed.manifest.version}/{CODES_NAME}", b"altered")
    with pytest.raises(BundleError, match=r"^codes.json does not have the SHA-256"):
        registry.production_codes()


@pytest.mark.parametrize("other", [1, FORMAT + 1])
def test_code_tables_of_another_format_are_read(
    registry: Registry, bucket: Bucket, packed: Packed, other: int
):
    codes = json.dumps(CODES.to_json()).encode()
    files = {CODES_NAME: {"sha256": sha256(codes), "bytes": len(codes), "new": True}}
    manifest = json.dumps({"format": other, "files": files}).encode()
    bucket.put(f"models/versions/other/{MANIFEST_NAME}", manifest)
    bucket.put(f"models/versions/other/{CODES_NAME}", codes)
    pointer = packed.pointer(version="other", manifest_sha256=sha256(manifest))
    registry.promote(pointer, over=None)
    assert registry.production_codes() == CODES


def test_code_tables_of_an_earlier_version_replace_damaged_ones(
    registry: Registry, bucket: Bucket, packed: Packed, newer: Packed
):
    assert registry.earlier_codes() == Codes()
    put_into_production(registry, newer, over=put_into_production(registry, packed))
    bucket.put(f"models/versions/{newer.manifest.version}/{CODES_NAME}", b"altered")
    assert registry.earlier_codes() == CODES


def test_publishing_again_changes_nothing(registry: Registry, bucket: Bucket, packed: Packed):
    first = registry.publish(packed.folder, packed.manifest)
    before = stored(bucket)
    later = packed.manifest.model_copy(update={"created_at": datetime(2030, 1, 1, tzinfo=UTC)})
    assert registry.publish(packed.folder, later) == first == packed.manifest_sha256
    assert stored(bucket) == before


def test_other_content_under_the_same_version_is_refused(
    registry: Registry, bucket: Bucket, packed: Packed, newer: Packed
):
    registry.publish(packed.folder, packed.manifest)
    before = stored(bucket)
    same_name = newer.manifest.model_copy(update={"version": packed.manifest.version})
    with pytest.raises(RegistryConflictError, match=r"model.onnx exists with other content"):
        registry.publish(newer.folder, same_name)
    assert stored(bucket) == before


def test_publisher_killed_after_any_write_leaves_the_old_or_the_new_version(
    bucket: Bucket, packed: Packed, newer: Packed, tmp_path: Path
):
    registry = Registry(bucket)
    for writes in count():
        emptied(bucket)
        old = put_into_production(registry, packed)
        dying = Registry(DyingBucket(bucket, writes))
        try:
            put_into_production(dying, newer, over=old)
            dying.export(EXPORTED)
        except KilledError:
            found = read(registry, tmp_path / "read").manifest.version
            assert found in {packed.manifest.version, newer.manifest.version}
        else:
            break
        current = registry.production()
        assert current is not None
        if current.pointer.version == packed.manifest.version:
            put_into_production(registry, newer, over=current)
        else:
            registry.promote(newer.pointer_after(old), over=old)
        registry.export(EXPORTED)
        assert read(registry, tmp_path / "read").manifest.version == newer.manifest.version
        assert [each.version for each in registry.history()] == [
            packed.manifest.version,
            newer.manifest.version,
        ]
    # A publisher writes the bundle's files and its manifest; then the previous decision again, the
    # pointer and the new decision; at last the files for users of the old system.
    assert writes == len(FILES) + 1 + 3 + len(EXPORTED)


def test_only_one_of_two_concurrent_publishers_wins(
    bucket: Bucket, bucket_settings: Settings, packed: Packed
):
    registries = [Registry(open_bucket(bucket_settings)) for _ in range(PUBLISHERS)]
    over: Production | None = None
    with ThreadPoolExecutor(PUBLISHERS) as pool:
        for _ in range(ROUNDS):
            barrier = threading.Barrier(PUBLISHERS)

            def publish(
                number: int, over: Production | None = over, barrier: threading.Barrier = barrier
            ) -> Pointer | None:
                pointer = packed.pointer(by=f"publisher {number}", at=datetime.now(UTC))
                barrier.wait()
                try:
                    registries[number].promote(pointer, over)
                except RegistryConflictError:
                    return None
                return pointer

            winners = [pointer for pointer in pool.map(publish, range(PUBLISHERS)) if pointer]
            over = Registry(bucket).production()
            assert over is not None
            assert winners == [over.pointer]
    assert len(Registry(bucket).history()) == ROUNDS


def test_write_with_a_lost_response_happens_once(
    bucket_settings: Settings, packed: Packed, newer: Packed, tmp_path: Path
):
    """The S3 server does each write, but the first response is an error, so boto3 writes again."""
    lost: set[str] = set()

    def lossy(method: str, path: str, ask: Callable[[], Answer]) -> Answer:
        answer = ask()
        if method == "PUT" and path not in lost:
            lost.add(path)
            return SERVER_ERROR
        return answer

    url = bucket_settings.require("aws_endpoint_url_s3")
    with answering(lossy, url) as behind:
        others = {"aws_endpoint_url_s3": behind}
        registry = Registry(open_bucket(bucket_settings.model_copy(update=others)))
        old = put_into_production(registry, packed)
        lost.discard(f"/{bucket_settings.s3_bucket_name}/{POINTER_KEY}")
        put_into_production(registry, newer, over=old)
        assert len(registry.versions()) == 2
        assert read(registry, tmp_path).manifest == newer.manifest
        assert registry.history() == [old.pointer.decision, newer.pointer_after(old).decision]
    assert len(lost) == 2 * (len(FILES) + 1) + 1 + 2


@pytest.mark.parametrize("answer", [SERVER_ERROR, GARBAGE], ids=["500", "garbage"])
@pytest.mark.parametrize("at", ["versions", "production.json", "ledger"])
def test_publisher_may_try_again_after_wrong_responses(
    bucket_settings: Settings,
    packed: Packed,
    newer: Packed,
    tmp_path: Path,
    at: str,
    answer: Answer,
):
    sound = Registry(open_bucket(bucket_settings))
    old = put_into_production(sound, packed)

    def wrong(method: str, path: str, ask: Callable[[], Answer]) -> Answer:
        return answer if method == "PUT" and f"/models/{at}" in path else ask()

    url = bucket_settings.require("aws_endpoint_url_s3")
    with answering(wrong, url) as behind:
        others = {"aws_endpoint_url_s3": behind}
        registry = Registry(open_bucket(bucket_settings.model_copy(update=others)))
        with pytest.raises(S3UnavailableError):
            put_into_production(registry, newer, over=old)
    assert read(sound, tmp_path / "read").manifest == packed.manifest
    put_into_production(sound, newer, over=old)
    assert read(sound, tmp_path / "read").manifest == newer.manifest


def test_outdated_pointer_cannot_be_moved(registry: Registry, packed: Packed, newer: Packed):
    stale = put_into_production(registry, packed)
    current = put_into_production(registry, newer, over=stale)
    with pytest.raises(RegistryConflictError, match="another publisher moved production"):
        registry.promote(packed.pointer(), over=stale)
    with pytest.raises(RegistryConflictError, match="another publisher moved production"):
        registry.promote(packed.pointer(), over=None)
    assert registry.production() == current


def test_move_with_a_lost_response_may_be_tried_again(
    registry: Registry, packed: Packed, newer: Packed
):
    stale = put_into_production(registry, packed)
    moved = put_into_production(registry, newer, over=stale)
    registry.promote(newer.pointer_after(stale), over=stale)
    assert registry.production() == moved


def test_unmoved_pointer_is_not_read_again(registry: Registry, packed: Packed, newer: Packed):
    first = put_into_production(registry, packed)
    with pytest.raises(PreconditionFailedError):
        registry.production(unless_etag=first.etag)
    second = put_into_production(registry, newer, over=first)
    assert registry.production(unless_etag=first.etag) == second


@pytest.mark.parametrize("raw", [b"", b"{}", b'{"version": "../../x"}'])
def test_broken_pointer_is_refused(registry: Registry, bucket: Bucket, raw: bytes):
    bucket.put(POINTER_KEY, raw)
    with pytest.raises(BundleError, match=r"^models/production.json is not a pointer$"):
        registry.production()


def test_pointer_must_stay_within_the_versions(registry: Registry, bucket: Bucket, packed: Packed):
    pointer = packed.pointer().model_dump_json()
    bucket.put(POINTER_KEY, pointer.replace(packed.manifest.version, "../latest").encode())
    with pytest.raises(BundleError, match="is not a pointer"):
        registry.production()


@pytest.mark.parametrize("name", [*FILES, MANIFEST_NAME])
def test_fetch_refuses_an_altered_file(
    registry: Registry, bucket: Bucket, packed: Packed, tmp_path: Path, name: str
):
    put_into_production(registry, packed)
    bucket.put(f"models/versions/{packed.manifest.version}/{name}", b"altered")
    with pytest.raises(BundleError, match=f"^{name} does not have the SHA-256"):
        registry.fetch(packed.pointer(), tmp_path)


@pytest.mark.parametrize("name", FILES)
def test_file_larger_than_the_manifest_says_is_not_downloaded(
    registry: Registry, bucket: Bucket, packed: Packed, tmp_path: Path, name: str
):
    put_into_production(registry, packed)
    size = packed.manifest.files[name].bytes
    key = f"models/versions/{packed.manifest.version}/{name}"
    bucket.put(key, b"x" * (size + 1))
    with pytest.raises(BundleError, match=f"{name} has {size + 1} bytes, and at most {size} are"):
        registry.fetch(packed.pointer(), tmp_path)


@pytest.mark.parametrize(
    "name", ["models/production.json", "manifest.json", "models/ledger/1-x.json"]
)
def test_small_objects_are_not_read_if_they_are_large(
    registry: Registry, bucket: Bucket, packed: Packed, name: str
):
    put_into_production(registry, packed)
    is_manifest = name == MANIFEST_NAME
    key = f"models/versions/{packed.manifest.version}/{name}" if is_manifest else name
    bucket.put(key, b"x" * 4_000_001)
    with pytest.raises(ExplainedError, match=f"{name} has 4000001 bytes"):
        _ = (registry.production(), registry.manifest(packed.pointer()), registry.history())


def test_loaded_bundle_forecasts_like_the_published_one(registry: Registry, packed: Packed):
    current = put_into_production(registry, packed)
    films = invented_films(3)
    found = registry.bundle(current.pointer)
    assert found.forecast(films).tolist() == packed.load().forecast(films).tolist()


def test_fetch_refuses_a_missing_file(registry: Registry, tmp_path: Path):
    pointer = Pointer.model_validate(
        {
            "version": "2026-11-23-0123456789ab",
            "manifest_sha256": "0" * 64,
            "previous": None,
            "at": datetime(2026, 11, 23, tzinfo=UTC),
            "by": "tests",
            "reason": "",
            "run_date": "2026-11-23",
        }
    )
    with pytest.raises(BundleError, match=r"manifest.json is missing from version 2026-11-23"):
        registry.fetch(pointer, tmp_path)


def test_next_publisher_logs_the_decision_of_a_killed_one(
    registry: Registry, bucket: Bucket, packed: Packed, newer: Packed
):
    old = put_into_production(registry, packed)
    for key in bucket.keys("models/ledger/"):
        bucket.delete(key)
    put_into_production(registry, newer, over=old)
    assert registry.history() == [old.pointer.decision, newer.pointer_after(old).decision]


def test_versions_are_listed_newest_first_with_incomplete_ones_marked(
    registry: Registry, bucket: Bucket, packed: Packed, newer: Packed
):
    registry.publish(packed.folder, packed.manifest)
    bucket.put(f"models/versions/{newer.manifest.version}/model.onnx", b"12345")
    listed = {each.version: each for each in registry.versions()}
    assert listed.keys() == {packed.manifest.version, newer.manifest.version}
    assert listed[packed.manifest.version].complete
    assert listed[packed.manifest.version].bytes > sum(
        entry.bytes for entry in packed.manifest.files.values()
    )
    assert not listed[newer.manifest.version].complete
    assert listed[newer.manifest.version].bytes == 5


def test_rollback_moves_the_pointer_back_and_logs_the_reason(
    registry: Registry, packed: Packed, tomorrows: Packed, tmp_path: Path
):
    old = put_into_production(registry, packed)
    put_into_production(registry, tomorrows, over=old)
    assert registry.previous_version() == packed.manifest.version
    registry.roll_back(registry.previous_version(), "ada", "ratings too high")
    assert read(registry, tmp_path).manifest.version == packed.manifest.version
    last = registry.history()[-1]
    assert (last.action, last.by, last.reason) == ("rolled_back", "ada", "ratings too high")
    assert (last.version, last.production) == (packed.manifest.version,) * 2


def test_rollback_keeps_the_newest_run_date_of_production(
    registry: Registry, packed: Packed, tomorrows: Packed
):
    old = put_into_production(registry, packed)
    put_into_production(registry, tomorrows, over=old)
    pointer = registry.roll_back(packed.manifest.version, "ada", "ratings too high")
    assert pointer.run_date == TOMORROW
    assert pointer.rolled_back_from == pointer.previous == tomorrows.manifest.version
    with pytest.raises(MoveError, match="rolled back already; name the version"):
        registry.previous_version()


def test_log_keeps_its_order_if_the_clock_goes_back(
    registry: Registry, packed: Packed, tomorrows: Packed
):
    registry.publish(packed.folder, packed.manifest)
    registry.publish(tomorrows.folder, tomorrows.manifest)
    ahead = datetime.now(UTC) + timedelta(days=400)
    registry.promote(packed.pointer(at=ahead), over=None)
    pointer = registry.promote_by_hand(tomorrows.manifest.version, "ada", "better")
    assert pointer.at > ahead
    assert registry.history()[-1] == pointer.decision


def test_rolled_back_version_returns_by_a_persons_promotion(
    registry: Registry, packed: Packed, tomorrows: Packed
):
    old = put_into_production(registry, packed)
    put_into_production(registry, tomorrows, over=old)
    registry.roll_back(packed.manifest.version, "ada", "ratings too high")
    pointer = registry.promote_by_hand(tomorrows.manifest.version, "ada", "they were right")
    current = registry.production()
    assert current is not None
    assert current.pointer == pointer
    assert pointer.rolled_back_from is None
    actions = [each.action for each in registry.history()]
    assert actions == ["promoted", "promoted", "rolled_back", "promoted"]


def test_promotion_by_hand_refuses_an_earlier_run_date(
    registry: Registry, packed: Packed, tomorrows: Packed
):
    registry.publish(packed.folder, packed.manifest)
    put_into_production(registry, tomorrows)
    with pytest.raises(MoveError, match="to go back, use rollback"):
        registry.promote_by_hand(packed.manifest.version, "ada", "")


@pytest.fixture(scope="session")
def invented(tmp_path_factory: pytest.TempPathFactory) -> Packed:
    """Create a bundle of invented films, with the same run date as `tomorrows`."""
    folder = tmp_path_factory.mktemp("invented")
    return pack(folder, TOMORROW, source=invented_films_of("1a2b"))


def test_source_of_a_version_is_read_in_any_format(
    registry: Registry, bucket: Bucket, packed: Packed
):
    registry.publish(packed.folder, packed.manifest)
    raw = json.dumps({"format": FORMAT + 1, "data": {"source": "127.0.0.1", "more": 1}}).encode()
    bucket.put(f"models/versions/newer/{MANIFEST_NAME}", raw)
    bucket.put(f"models/versions/damaged/{MANIFEST_NAME}", b"{")
    names = (packed.manifest.version, "newer", "damaged", "missing")
    assert [registry.source(each) for each in names] == [TMDB, "127.0.0.1", None, None]


@pytest.mark.parametrize("move", ["roll_back", "promote_by_hand"])
@pytest.mark.parametrize("manifest_is_lost", [False, True])
def test_person_cannot_replace_real_films_by_invented_ones(
    registry: Registry,
    bucket: Bucket,
    packed: Packed,
    invented: Packed,
    move: str,
    manifest_is_lost: bool,
):
    put_into_production(registry, packed, over=put_into_production(registry, invented))
    current = registry.production()
    if manifest_is_lost:
        bucket.delete(f"models/versions/{packed.manifest.version}/{MANIFEST_NAME}")
    with pytest.raises(InventedFilmsError, match=r"on invented films .* must never replace"):
        getattr(registry, move)(invented.manifest.version, "ada", "")
    assert registry.production() == current


@pytest.mark.parametrize("move", ["roll_back", "promote_by_hand"])
def test_move_to_the_current_or_an_unknown_version_is_refused(
    registry: Registry, packed: Packed, move: str
):
    current = put_into_production(registry, packed)
    with pytest.raises(MoveError, match="is in production already"):
        getattr(registry, move)(packed.manifest.version, "ada", "")
    for version in ("2020-01-01-0123456789ab", "", "../latest", "a/b"):
        with pytest.raises(UnknownVersionError, match=r"there is no version .*registry list"):
            getattr(registry, move)(version, "ada", "")
    assert registry.production() == current


def test_nothing_in_production_cannot_be_rolled_back(registry: Registry, packed: Packed):
    registry.publish(packed.folder, packed.manifest)
    with pytest.raises(MoveError, match="nothing is in production"):
        registry.previous_version()
    with pytest.raises(MoveError, match="nothing is in production"):
        registry.roll_back(packed.manifest.version, "ada", "")
    put_into_production(registry, packed)
    with pytest.raises(MoveError, match="no version was in production before"):
        registry.previous_version()


@pytest.mark.parametrize("name", [*FILES, MANIFEST_NAME])
def test_rollback_to_a_version_with_one_flipped_bit_is_refused(
    registry: Registry, bucket: Bucket, packed: Packed, newer: Packed, name: str
):
    old = put_into_production(registry, packed)
    current = put_into_production(registry, newer, over=old)
    key = f"models/versions/{packed.manifest.version}/{name}"
    raw = bytearray(bucket.get(key).raw)  # type: ignore[union-attr]
    raw[len(raw) // 2] ^= 1
    bucket.put(key, bytes(raw))
    with pytest.raises(BundleError, match=name):
        registry.roll_back(packed.manifest.version, "ada", "")
    with pytest.raises(BundleError, match=name):
        registry.verify(packed.manifest.version)
    assert registry.production() == current


def test_rollback_to_a_version_with_a_missing_file_is_refused(
    registry: Registry, bucket: Bucket, packed: Packed, newer: Packed
):
    old = put_into_production(registry, packed)
    put_into_production(registry, newer, over=old)
    bucket.delete(f"models/versions/{packed.manifest.version}/{CODES_NAME}")
    with pytest.raises(BundleError, match=f"^{CODES_NAME} is missing from version"):
        registry.roll_back(packed.manifest.version, "ada", "")


def test_rollback_to_a_version_of_a_newer_format_is_refused(
    registry: Registry, bucket: Bucket, packed: Packed
):
    put_into_production(registry, packed)
    bucket.put("models/versions/new/manifest.json", b'{"format": 99}')
    with pytest.raises(BundleError, match="format 99; this code reads formats 2"):
        registry.roll_back("new", "ada", "")


def test_manifest_of_another_version_is_refused(registry: Registry, packed: Packed, newer: Packed):
    registry.publish(packed.folder, packed.manifest)
    renamed = newer.manifest.model_copy(update={"version": "2026-11-23-0123456789ab"})
    registry.publish(newer.folder, renamed)
    assert registry.verify(packed.manifest.version).manifest == packed.manifest
    with pytest.raises(BundleError, match="not the one that 2026-11-23-0123456789ab was"):
        registry.verify(renamed.version)


def test_verified_version_in_production_matches_the_pointer(
    registry: Registry, bucket: Bucket, packed: Packed
):
    put_into_production(registry, packed)
    later = packed.manifest.model_copy(update={"created_at": datetime(2030, 1, 1, tzinfo=UTC)})
    bucket.put(f"models/versions/{later.version}/{MANIFEST_NAME}", later.to_bytes())
    with pytest.raises(BundleError, match="SHA-256 that the pointer names"):
        registry.verify(later.version)


def published(registry: Registry, packed: Packed, names: list[str]) -> None:
    for name in names:
        registry.publish(packed.folder, packed.manifest.model_copy(update={"version": name}))


def test_prune_keeps_production_the_previous_version_and_the_newest(
    registry: Registry, packed: Packed, newer: Packed
):
    old = put_into_production(registry, packed)
    newest = put_into_production(registry, newer, over=old)
    registry.promote(packed.pointer(at=datetime.now(UTC), previous=newer.manifest.version), newest)
    published(registry, packed, [f"v{at}" for at in range(4)])
    needed = {packed.manifest.version, newer.manifest.version}
    assert set(registry.prune(keep=2)) == {"v0", "v1"}
    assert {each.version for each in registry.versions()} == {*needed, "v2", "v3"}
    assert registry.prune(keep=2) == []
    assert registry.prune(keep=1) == ["v2"]


def test_prune_without_production_deletes_nothing(registry: Registry, packed: Packed):
    published(registry, packed, ["v0", "v1"])
    assert registry.prune(keep=1) == []
    assert len(registry.versions()) == 2


def test_incomplete_version_is_pruned_after_a_day(
    registry: Registry, bucket: Bucket, packed: Packed
):
    put_into_production(registry, packed)
    bucket.put("models/versions/half/model.onnx", b"")
    now = datetime.now(UTC)
    assert registry.prune(keep=1, now=now + timedelta(hours=23)) == []
    assert registry.prune(keep=1, now=now + timedelta(hours=25)) == ["half"]


def test_prune_may_be_killed_after_any_deletion(bucket: Bucket, packed: Packed, tmp_path: Path):
    registry = Registry(bucket)
    for deletions in range(len(FILES) + 1):
        emptied(bucket)
        put_into_production(registry, packed)
        published(registry, packed, ["v0", "v1"])
        with pytest.raises(KilledError):
            Registry(DyingBucket(bucket, deletions)).prune(keep=1)
        assert read(registry, tmp_path / "read").manifest == packed.manifest
        whole = [each.version for each in registry.versions() if each.complete]
        assert ("v0" in whole) == (deletions == 0)
        registry.prune(keep=1, now=datetime.now(UTC) + timedelta(days=2))
        names = {each.version for each in registry.versions()}
        assert names == {packed.manifest.version, "v1"}


def test_export_replaces_the_earlier_copies(registry: Registry, bucket: Bucket):
    registry.export({"best_model.pkl": b"one"})
    registry.export({"best_model.pkl": b"two"})
    assert stored(bucket) == {"models/latest/best_model.pkl": b"two"}


@pytest.fixture
def reading(packed: Packed, tmp_path: Path) -> Packed:
    """Return a bundle with a plot encoder."""
    return with_encoder(packed, tmp_path / "published" / "bundle")


def encoder_keys(packed: Packed) -> set[str]:
    return {f"models/encoders/{entry.sha256}" for entry in packed.manifest.encoder.values()}


def test_encoder_is_stored_once_for_all_versions(
    registry: Registry, bucket: Bucket, newer: Packed, reading: Packed, tmp_path: Path
):
    registry.publish(reading.folder, reading.manifest)
    stored_at = {each.key: each.modified for each in bucket.objects("models/encoders/")}
    assert stored_at.keys() == encoder_keys(reading)
    other = with_encoder(newer, tmp_path / "other" / "bundle")
    registry.publish(other.folder, other.manifest)
    again = {each.key: each.modified for each in bucket.objects("models/encoders/")}
    assert again == stored_at
    for each in (reading, other):
        assert registry.verify(each.manifest.version).manifest == each.manifest


def test_fetched_version_reads_plots_like_the_published_one(registry: Registry, reading: Packed):
    current = put_into_production(registry, reading)
    films = [Film(plot=Plot(7, 0.0, 0.0, "A lantern on an island."))]
    found = registry.bundle(current.pointer)
    assert found.matrix(films).tobytes() == reading.load().matrix(films).tobytes()


def test_encoder_that_is_here_already_is_not_downloaded_again(
    registry: Registry, bucket: Bucket, reading: Packed, tmp_path: Path
):
    registry.publish(reading.folder, reading.manifest)
    pointer = reading.pointer()
    registry.fetch(pointer, tmp_path / "first", tmp_path / "kept")
    for key in encoder_keys(reading):
        bucket.delete(key)
    registry.fetch(pointer, tmp_path / "second", tmp_path / "kept")
    damaged = next((tmp_path / "kept").iterdir())
    damaged.write_bytes(b"damaged")
    missing = f"models/encoders/{damaged.name} of the plot encoder is missing"
    with pytest.raises(BundleError, match=missing):
        registry.fetch(pointer, tmp_path / "third", tmp_path / "kept")


@pytest.mark.parametrize("longer", [False, True])
def test_altered_encoder_in_the_bucket_is_refused(
    registry: Registry, bucket: Bucket, reading: Packed, tmp_path: Path, longer: bool
):
    registry.publish(reading.folder, reading.manifest)
    key = sorted(encoder_keys(reading))[0]
    sound = bucket.get(key)
    assert sound is not None
    bucket.put(key, b"x" * (len(sound.raw) + longer))
    altered = f"^{key} of the plot encoder is altered; delete it"
    with pytest.raises(BundleError, match=altered):
        registry.fetch(reading.pointer(), tmp_path / "first", tmp_path / "kept")
    with pytest.raises(BundleError, match=altered):
        registry.verify(reading.manifest.version)
    with pytest.raises(BundleError, match=altered):
        registry.publish(reading.folder, reading.manifest)
    bucket.delete(key)  # as the message says
    registry.publish(reading.folder, reading.manifest)
    assert registry.verify(reading.manifest.version).manifest == reading.manifest
