import json
import shutil
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest

from movierating.bundle import CODES_NAME, Bundle
from movierating.encoders import Codes, CodeTable
from movierating.manifest import MANIFEST_NAME, BundleError, sha256
from movierating.registry import (
    POINTER_KEY,
    Decision,
    Pointer,
    Production,
    Registry,
    RegistryConflictError,
)
from movierating.s3 import Bucket, PreconditionFailedError, open_bucket
from movierating.settings import Settings
from tests.bundles import CODES, FILES, Packed, put_into_production
from tests.dying_bucket import DyingBucket, KilledError

PUBLISHERS = 4
ROUNDS = 5


@pytest.fixture
def bucket(bucket_settings: Settings) -> Bucket:
    return open_bucket(bucket_settings)


def read(registry: Registry, folder: Path) -> Bundle:
    """What a reader gets who follows the pointer."""
    current = registry.production()
    assert current is not None
    shutil.rmtree(folder, ignore_errors=True)
    registry.fetch(current.pointer, folder)
    return Bundle.load(folder, current.pointer.manifest_sha256)


def stored(bucket: Bucket, prefix: str = "") -> dict[str, bytes]:
    """Everything in the bucket."""
    blobs = {key: bucket.get(key) for key in bucket.keys(prefix)}
    return {key: blob.raw for key, blob in blobs.items() if blob}


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


def test_code_tables_of_a_version_of_another_format_are_read(
    registry: Registry, bucket: Bucket, packed: Packed
):
    codes = json.dumps(Codes(CodeTable(("Western",)), CodeTable(("fr",))).to_json()).encode()
    entry = {"sha256": sha256(codes), "bytes": len(codes)}
    manifest = json.dumps({"format": 1, "files": {CODES_NAME: entry}}).encode()
    bucket.put("models/versions/old/codes.json", codes)
    bucket.put(f"models/versions/old/{MANIFEST_NAME}", manifest)
    pointer = packed.pointer(version="old", manifest_sha256=sha256(manifest))
    registry.promote(pointer, over=None)
    assert registry.production_codes().genres.names == ("Western",)
    bucket.put("models/versions/old/codes.json", b"altered")
    with pytest.raises(BundleError, match=r"^codes.json does not have the SHA-256"):
        registry.production_codes()


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


@pytest.mark.parametrize("writes", range(len(FILES) + 4))
def test_publisher_killed_after_any_write_leaves_the_old_or_the_new_version(
    bucket: Bucket, packed: Packed, newer: Packed, tmp_path: Path, writes: int
):
    registry = Registry(bucket)
    old = put_into_production(registry, packed)
    dying = Registry(DyingBucket(bucket, writes))

    def publish() -> None:
        put_into_production(dying, newer, over=old)
        dying.export({"best_model.pkl": b"", "main_genre_encoder.pkl": b""})

    with pytest.raises(KilledError):
        publish()

    # The files, the manifest, the pointer; then two files for the old consumers.
    expected = newer if writes >= len(FILES) + 2 else packed
    assert read(registry, tmp_path / "read").manifest == expected.manifest

    current = registry.production()
    if expected is packed:
        put_into_production(registry, newer, over=current)
    assert read(registry, tmp_path / "read").manifest == newer.manifest


def test_of_two_publishers_at_once_one_wins_and_the_others_are_told(
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


def test_pointer_read_before_another_move_does_not_move_it(
    registry: Registry, packed: Packed, newer: Packed
):
    stale = put_into_production(registry, packed)
    current = put_into_production(registry, newer, over=stale)
    with pytest.raises(RegistryConflictError, match="another publisher moved production"):
        registry.promote(packed.pointer(), over=stale)
    with pytest.raises(RegistryConflictError, match="another publisher moved production"):
        registry.promote(packed.pointer(), over=None)
    assert registry.production() == current


def test_move_whose_answer_was_lost_may_be_tried_again(
    registry: Registry, packed: Packed, newer: Packed
):
    stale = put_into_production(registry, packed)
    moved = put_into_production(registry, newer, over=stale)
    registry.promote(newer.pointer(), over=stale)
    assert registry.production() == moved


def test_unmoved_pointer_is_not_read_again(registry: Registry, packed: Packed, newer: Packed):
    first = put_into_production(registry, packed)
    with pytest.raises(PreconditionFailedError):
        registry.production(unless_etag=first.etag)
    second = put_into_production(registry, newer, over=first)
    assert registry.production(unless_etag=first.etag) == second


@pytest.mark.parametrize("raw", [b"", b"{}", b'{"version": "../../x"}'])
def test_broken_pointer_is_told(registry: Registry, bucket: Bucket, raw: bytes):
    bucket.put(POINTER_KEY, raw)
    with pytest.raises(BundleError, match=r"^models/production.json is not a pointer$"):
        registry.production()


def test_pointer_may_not_lead_out_of_the_versions(
    registry: Registry, bucket: Bucket, packed: Packed
):
    pointer = packed.pointer().model_dump_json()
    bucket.put(POINTER_KEY, pointer.replace(packed.manifest.version, "../latest").encode())
    with pytest.raises(BundleError, match="is not a pointer"):
        registry.production()


@pytest.mark.parametrize("name", [*FILES, MANIFEST_NAME])
def test_altered_file_is_found_while_it_is_fetched(
    registry: Registry, bucket: Bucket, packed: Packed, tmp_path: Path, name: str
):
    put_into_production(registry, packed)
    bucket.put(f"models/versions/{packed.manifest.version}/{name}", b"altered")
    with pytest.raises(BundleError, match=f"^{name} does not have the SHA-256"):
        registry.fetch(packed.pointer(), tmp_path)


def test_missing_file_is_found_while_it_is_fetched(registry: Registry, tmp_path: Path):
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


def test_ledger_keeps_every_decision_and_rewrites_none(registry: Registry, bucket: Bucket):
    decisions = [
        Decision(
            action="refused",
            version="2026-11-23-0123456789ab",
            production=None,
            at=datetime(2026, 11, 23, 3, 0, second, tzinfo=UTC),
            by="tests",
            reason=f"reason {second}",
        )
        for second in range(2)
    ]
    for decision in decisions:
        registry.record(decision)
    registry.record(decisions[0].model_copy(update={"reason": "another"}))
    ledger = stored(bucket, "models/ledger/")
    assert [Decision.model_validate_json(raw) for raw in ledger.values()] == decisions


def test_export_is_for_others_and_written_over(registry: Registry, bucket: Bucket):
    registry.export({"best_model.pkl": b"one"})
    registry.export({"best_model.pkl": b"two"})
    assert stored(bucket) == {"models/latest/best_model.pkl": b"two"}
