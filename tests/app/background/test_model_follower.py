import errno
import os
import shutil
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from botocore.compat import get_current_datetime
from botocore.config import Config

from app.background import model_follower as follower_module
from app.background.model_follower import Follower
from movierating import s3_client
from movierating.model.plot_encoder import TABLE_NAME
from movierating.registry.bundle import write_bundle
from movierating.registry.manifest import FORMAT, MANIFEST_NAME, FileEntry
from movierating.registry.pointer import POINTER_KEY
from movierating.registry.registry import Registry
from movierating.s3 import Blob, Bucket, open_bucket
from movierating.settings import Settings
from sandbox.s3.process import S3Server
from sandbox.state import free_ports
from tests.app.conftest import NEVER, serving
from tests.support.bundles import FILES, Packed, put_into_production
from tests.support.encoders import with_encoder

FILM = {"genres": ["Drama"], "runtime": 120}


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


@pytest.fixture
def away(bucket_settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Return settings with the address of an S3 server that does not run, and without retries."""
    monkeypatch.setattr(s3_client, "_CONFIG", Config(retries={"total_max_attempts": 1}))
    (port,) = free_ports(1)
    return bucket_settings.model_copy(update={"aws_endpoint_url_s3": f"http://127.0.0.1:{port}"})


@contextmanager
def following(settings: Settings, cache: Path) -> Iterator[Follower]:
    """Start a model follower as the API does, but without the API's routes."""
    follower = Follower(Registry(open_bucket(settings)), NEVER, cache)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(follower_module, "START_SECONDS", 30)  # the machine may be busy
        follower.start()
    yield follower
    follower.stop()


def fill_cache(registry: Registry, cache: Path) -> None:
    """Write the version in production into the folder `cache`, as the follower does."""
    follower = Follower(registry, NEVER, cache)
    follower.refresh()
    assert follower.problem is None


def version_of(follower: Follower) -> str:
    assert follower.served is not None
    return follower.served.pointer.version


def damaged(sound: bytes, damage: str) -> bytes:
    if damage == "altered":
        return b"altered"
    raw = bytearray(sound)
    raw[len(raw) // 2] ^= 1
    return bytes(raw)


def test_newer_version_is_swapped_in(
    bucket_settings: Settings, registry: Registry, packed: Packed, newer: Packed, cache: Path
):
    current = put_into_production(registry, packed)
    with serving(bucket_settings, cache) as (client, follower):
        before = client.post("/predict", json=FILM).json()
        put_into_production(registry, newer, over=current)
        assert client.post("/predict", json=FILM).json() == before
        follower.refresh()
        after = client.post("/predict", json=FILM).json()
    assert (before["version"], after["version"]) == (
        packed.manifest.version,
        newer.manifest.version,
    )
    assert after["rating"] > before["rating"] + 0.5


def test_polling_finds_a_newer_version(
    bucket_settings: Settings, registry: Registry, packed: Packed, newer: Packed, cache: Path
):
    current = put_into_production(registry, packed)
    with serving(bucket_settings, cache, poll_seconds=0.05) as (client, _):
        assert client.get("/readyz").json()["version"] == packed.manifest.version
        put_into_production(registry, newer, over=current)
        deadline = time.monotonic() + 60
        while client.get("/readyz").json()["version"] == packed.manifest.version:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        assert client.get("/readyz").json()["version"] == newer.manifest.version


def test_service_without_a_model_takes_up_the_first_version(
    bucket_settings: Settings, registry: Registry, packed: Packed, cache: Path
):
    with serving(bucket_settings, cache) as (client, follower):
        assert client.get("/readyz").status_code == 503
        put_into_production(registry, packed)
        follower.refresh()
        assert client.get("/readyz").status_code == 200


def test_rollback_is_followed(
    bucket_settings: Settings, registry: Registry, packed: Packed, newer: Packed, cache: Path
):
    first = put_into_production(registry, packed)
    second = put_into_production(registry, newer, over=first)
    with following(bucket_settings, cache) as follower:
        assert version_of(follower) == newer.manifest.version
        registry.promote(packed.pointer(), over=second)
        follower.refresh()
        assert version_of(follower) == packed.manifest.version


@pytest.fixture(scope="module")
def published(s3_server: S3Server, packed: Packed, newer: Packed) -> Settings:
    """Return settings for a bucket with `packed` in production, and `newer` published only.

    Several tests share the bucket, so they must not change its objects."""
    settings = s3_server.settings(s3_server.new_bucket())
    registry = Registry(open_bucket(settings))
    put_into_production(registry, packed)
    registry.publish(newer.folder, newer.manifest)
    return settings


@contextmanager
def damaged_object(bucket: Bucket, key: str, damage: str) -> Iterator[None]:
    """Damage or delete an S3 object; restore it at the end of the `with` block."""
    sound = bucket.get(key)
    assert sound is not None
    if damage == "missing":
        bucket.delete(key)
    else:
        bucket.put(key, damaged(sound.raw, damage))
    try:
        yield
    finally:
        bucket.put(key, sound.raw)


@pytest.mark.parametrize("name", [*FILES, MANIFEST_NAME])
@pytest.mark.parametrize("damage", ["altered", "one bit", "missing"])
def test_damaged_new_version_keeps_the_old_one_and_says_why(
    published: Settings, packed: Packed, newer: Packed, cache: Path, name: str, damage: str
):
    bucket = open_bucket(published)
    registry = Registry(bucket)
    before, pointer = registry.production(), bucket.get(POINTER_KEY)
    assert before is not None
    assert pointer is not None
    with following(published, cache) as follower:
        with damaged_object(bucket, f"models/versions/{newer.manifest.version}/{name}", damage):
            registry.promote(newer.pointer_after(before), over=before)
            follower.refresh()
        assert version_of(follower) == packed.manifest.version
        assert follower.problem is not None
        assert follower.problem.startswith(name)
        follower.refresh()
        assert version_of(follower) == newer.manifest.version
        assert follower.problem is None
    bucket.put(POINTER_KEY, pointer.raw)


def test_damaged_new_version_does_not_interrupt_the_service(
    bucket_settings: Settings,
    registry: Registry,
    bucket: Bucket,
    packed: Packed,
    newer: Packed,
    cache: Path,
):
    current = put_into_production(registry, packed)
    registry.publish(newer.folder, newer.manifest)
    bucket.put(f"models/versions/{newer.manifest.version}/{MANIFEST_NAME}", b"altered")
    with serving(bucket_settings, cache) as (client, follower):
        registry.promote(newer.pointer(), over=current)
        follower.refresh()
        info = client.get("/version").json()
        assert info["version"] == packed.manifest.version
        assert info["registry_problem"].startswith(MANIFEST_NAME)
        assert client.post("/predict", json=FILM).status_code == 200


def test_broken_pointer_keeps_the_version_in_service_and_says_why(
    bucket_settings: Settings, registry: Registry, bucket: Bucket, packed: Packed, cache: Path
):
    put_into_production(registry, packed)
    with serving(bucket_settings, cache) as (client, follower):
        bucket.put(POINTER_KEY, b"broken")
        follower.refresh()
        info = client.get("/version").json()
    assert info["version"] == packed.manifest.version
    assert info["registry_problem"] == "models/production.json is not a pointer"


def test_start_without_s3_serves_the_cached_version(
    away: Settings, registry: Registry, packed: Packed, cache: Path
):
    put_into_production(registry, packed)
    fill_cache(registry, cache)
    with serving(away, cache) as (client, _):
        info = client.get("/version").json()
        assert client.post("/predict", json=FILM).status_code == 200
    assert (info["version"], info["loaded_from"]) == (packed.manifest.version, "cache")
    assert "AWS_ENDPOINT_URL_S3" in info["registry_problem"]


def test_start_without_s3_and_cache_serves_no_model(away: Settings, cache: Path):
    with serving(away, cache) as (client, _):
        response = client.get("/readyz")
    assert response.status_code == 503
    assert "AWS_ENDPOINT_URL_S3" in response.json()["detail"]


@pytest.fixture(scope="module")
def filled_cache(published: Settings, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a cache folder with the version in production; tests must not change it."""
    cache = tmp_path_factory.mktemp("filled") / "cache"
    fill_cache(Registry(open_bucket(published)), cache)
    return cache


@pytest.mark.parametrize("name", ["production.json", *FILES, MANIFEST_NAME, "everything"])
@pytest.mark.parametrize("damage", ["altered", "one bit", "missing"])
def test_damaged_cache_is_not_served(
    published: Settings, away: Settings, filled_cache: Path, cache: Path, name: str, damage: str
):
    shutil.copytree(filled_cache, cache)
    for path in [path for path in cache.rglob("*") if path.is_file()]:
        if name in {path.name, "everything"}:
            path.unlink() if damage == "missing" else path.write_bytes(
                damaged(path.read_bytes(), damage)
            )
    with following(away, cache) as follower:
        assert follower.served is None
    with following(published, cache) as follower:
        assert follower.served is not None
        assert follower.served.loaded_from == "registry"


def test_cache_holds_only_the_version_in_service(
    bucket_settings: Settings, registry: Registry, packed: Packed, newer: Packed, cache: Path
):
    current = put_into_production(registry, packed)
    with following(bucket_settings, cache) as follower:
        put_into_production(registry, newer, over=current)
        follower.refresh()
    assert {path.name for path in cache.iterdir()} == {newer.manifest.version, "production.json"}


def test_cache_keeps_the_plot_encoder_and_drops_others(
    bucket_settings: Settings, registry: Registry, packed: Packed, tmp_path: Path, cache: Path
):
    reading = with_encoder(packed, tmp_path / "bundle")
    put_into_production(registry, reading)
    encoders = cache / "encoders"
    encoders.mkdir(parents=True)
    (encoders / "of-an-old-version").touch()
    fill_cache(registry, cache)
    used = {entry.sha256 for entry in reading.manifest.encoder.values()}
    assert {path.name for path in encoders.iterdir()} == used
    with following(bucket_settings, cache) as follower:
        assert follower.served is not None
        assert follower.served.bundle.encoder is not None
    away = bucket_settings.model_copy(update={"s3_bucket_name": "gone"})
    with following(away, cache) as follower:
        assert version_of(follower) == reading.manifest.version


@pytest.mark.parametrize("damage", ["altered", "missing"])
def test_damaged_plot_encoder_keeps_the_version_in_service_and_says_why(
    bucket_settings: Settings,
    registry: Registry,
    bucket: Bucket,
    packed: Packed,
    newer: Packed,
    tmp_path: Path,
    cache: Path,
    damage: str,
):
    before = put_into_production(registry, packed)
    reading = with_encoder(newer, tmp_path / "bundle")
    key = f"models/encoders/{reading.manifest.encoder[TABLE_NAME].sha256}"
    with following(bucket_settings, cache) as follower:
        put_into_production(registry, reading, over=before)
        with damaged_object(bucket, key, damage):
            follower.refresh()
            assert version_of(follower) == packed.manifest.version
            assert follower.problem is not None
            assert follower.problem.startswith(f"{key} of the plot encoder is {damage}; ")
        follower.refresh()
        follower.refresh()
        assert version_of(follower) == reading.manifest.version


def write_half_and_fail(path: Path, raw: bytes) -> int:
    path.touch()
    with path.open("wb") as file:
        file.write(raw[: len(raw) // 2])
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))


@pytest.fixture
def full_cache(cache: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a cache folder in which every write fails half way, as on a full disk."""
    write = Path.write_bytes

    def limited(path: Path, raw: bytes) -> int:
        return write_half_and_fail(path, raw) if path.is_relative_to(cache) else write(path, raw)

    monkeypatch.setattr(Path, "write_bytes", limited)
    return cache


def test_new_version_goes_into_service_with_a_full_cache_disk(
    bucket_settings: Settings,
    away: Settings,
    registry: Registry,
    packed: Packed,
    newer: Packed,
    cache: Path,
    request: pytest.FixtureRequest,
):
    current = put_into_production(registry, packed)
    fill_cache(registry, cache)
    before = contents(cache)
    request.getfixturevalue("full_cache")
    put_into_production(registry, newer, over=current)
    with following(bucket_settings, cache) as follower:
        assert version_of(follower) == newer.manifest.version
        assert follower.problem is None
    assert follower.cache_problem is not None
    assert follower.cache_problem.endswith("is not in the cache: No space left on device")
    assert contents(cache) == before
    with following(away, cache) as follower:
        assert version_of(follower) == packed.manifest.version


def test_new_version_is_refused_if_no_disk_has_space(
    bucket_settings: Settings,
    registry: Registry,
    packed: Packed,
    newer: Packed,
    cache: Path,
    monkeypatch: pytest.MonkeyPatch,
):
    current = put_into_production(registry, packed)
    with following(bucket_settings, cache) as follower:
        before = contents(cache)
        put_into_production(registry, newer, over=current)
        with monkeypatch.context() as full:
            full.setattr(Path, "write_bytes", write_half_and_fail)
            follower.refresh()
        assert version_of(follower) == packed.manifest.version
        assert follower.problem == (
            "a new version cannot be written to disk: No space left on device"
        )
        assert contents(cache) == before
        follower.refresh()
        assert version_of(follower) == newer.manifest.version
        assert follower.problem is None


def contents(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_cache_path_that_is_a_file_is_reported_and_not_fatal(
    bucket_settings: Settings, registry: Registry, packed: Packed, tmp_path: Path
):
    put_into_production(registry, packed)
    (tmp_path / "file").touch()
    with serving(bucket_settings, tmp_path / "file") as (client, _):
        info = client.get("/version").json()
    assert info["version"] == packed.manifest.version
    assert "is not in the cache" in info["cache_problem"]


def test_start_does_not_download_a_version_that_is_cached(
    bucket: Bucket, registry: Registry, packed: Packed, cache: Path
):
    put_into_production(registry, packed)
    fill_cache(registry, cache)
    counting = CountingBucket(bucket)
    follower = Follower(Registry(counting), NEVER, cache)
    follower.refresh()
    assert counting.requested == [POINTER_KEY]
    assert follower.served is not None
    assert follower.served.loaded_from == "registry"


class CountingBucket(Bucket):
    """A bucket that records which keys were read, and which of these reads raised no error."""

    def __init__(self, bucket: Bucket) -> None:
        super().__init__(bucket._client, bucket.name)
        self.requested: list[str] = []
        self.returned: list[str] = []

    def get(self, key: str, *arguments: Any, **options: Any) -> Blob | None:
        self.requested.append(key)
        blob = super().get(key, *arguments, **options)
        self.returned.append(key)
        return blob


def test_unchanged_pointer_costs_one_request_without_content(
    bucket: Bucket, registry: Registry, packed: Packed, cache: Path
):
    put_into_production(registry, packed)
    counting = CountingBucket(bucket)
    follower = Follower(Registry(counting), NEVER, cache)
    follower.refresh()
    served = follower.served
    counting.requested.clear()
    counting.returned.clear()
    follower.refresh()
    assert (counting.requested, counting.returned) == ([POINTER_KEY], [])
    assert follower.served is served


def test_new_pointer_to_the_same_version_downloads_nothing(
    bucket: Bucket, registry: Registry, packed: Packed, cache: Path
):
    current = put_into_production(registry, packed)
    counting = CountingBucket(bucket)
    follower = Follower(Registry(counting), NEVER, cache)
    follower.refresh()
    registry.promote(packed.pointer(reason="another"), over=current)
    counting.requested.clear()
    follower.refresh()
    assert counting.requested == [POINTER_KEY]
    assert follower.served is not None
    assert follower.served.pointer.reason == "another"


def test_registry_is_followed_again_without_a_second_download(
    bucket_settings: Settings, away: Settings, registry: Registry, packed: Packed, cache: Path
):
    put_into_production(registry, packed)
    fill_cache(registry, cache)
    follower = Follower(Registry(open_bucket(away)), NEVER, cache)
    origins = []
    for settings in (away, bucket_settings):
        follower._registry = Registry(open_bucket(settings))
        follower.refresh()
        assert follower.served is not None
        origins.append((follower.served.loaded_from, follower.problem is None))
    assert origins == [("cache", False), ("registry", True)]


def test_empty_registry_is_not_served_from_the_cache_of_another(
    s3_server: S3Server, registry: Registry, packed: Packed, cache: Path
):
    put_into_production(registry, packed)
    fill_cache(registry, cache)
    empty = s3_server.settings(s3_server.new_bucket())
    follower = Follower(Registry(open_bucket(empty)), NEVER, cache)
    follower.refresh()
    assert follower.served is None
    assert follower.problem == "the registry has no version in production yet"


def test_unexpected_error_keeps_the_version_in_service(
    registry: Registry, packed: Packed, cache: Path, monkeypatch: pytest.MonkeyPatch
):
    put_into_production(registry, packed)
    follower = Follower(registry, NEVER, cache)
    follower.refresh()

    def broken(**_: object) -> None:
        raise ZeroDivisionError

    with monkeypatch.context() as patch:
        patch.setattr(registry, "production", broken)
        follower.refresh()
    assert follower.served is not None
    assert follower.problem == "ZeroDivisionError; see the log of the service"
    follower.refresh()
    assert follower.problem is None


def test_same_problem_is_logged_once(away: Settings, cache: Path, caplog: pytest.LogCaptureFixture):
    follower = Follower(Registry(open_bucket(away)), NEVER, cache)
    follower.refresh()
    follower.refresh()
    assert [record.name for record in caplog.records].count("app.background.model_follower") == 1


def repacked(original: Packed, folder: Path, **changes: Any) -> Packed:
    """Create a bundle with the files of `original` and a manifest with other fields (`changes`)."""
    files = {name: (original.folder / name).read_bytes() for name in original.manifest.files}
    return Packed(folder, write_bundle(folder, original.manifest.model_copy(update=changes), files))


def broken_bundles(newer: Packed, folder: Path) -> dict[str, tuple[Packed, str]]:
    golden = newer.manifest.golden
    wrong = golden[0].model_copy(update={"rating": golden[0].rating + 0.01})
    nowhere = FileEntry(sha256="0" * 64, bytes=1)
    return {
        "golden mismatch": (
            repacked(newer, folder / "golden", golden=(wrong, *golden[1:])),
            "a golden answer differs by 0.0100 rating points",
        ),
        "newer format": (
            repacked(newer, folder / "format", format=FORMAT + 1),
            f"the bundle has format {FORMAT + 1}; this code reads formats 2 and {FORMAT}",
        ),
        "missing file": (
            with_manifest(newer, folder / "missing", {"more.onnx": nowhere}),
            "more.onnx is missing from version",
        ),
    }


def with_manifest(original: Packed, folder: Path, more: dict[str, FileEntry]) -> Packed:
    """Return a copy of a bundle whose manifest also lists the files `more`, which do not exist."""
    shutil.copytree(original.folder, folder)
    files = dict(original.manifest.files) | more
    manifest = original.manifest.model_copy(update={"files": files}).with_version()
    (folder / MANIFEST_NAME).write_bytes(manifest.to_bytes())
    return Packed(folder, manifest)


@pytest.mark.parametrize("fault", ["golden mismatch", "newer format", "missing file"])
def test_version_that_fails_a_check_is_refused_and_downloaded_ever_less_often(
    bucket: Bucket,
    registry: Registry,
    packed: Packed,
    newer: Packed,
    cache: Path,
    tmp_path: Path,
    fault: str,
):
    broken, reason = broken_bundles(newer, tmp_path)[fault]
    current = put_into_production(registry, packed)
    counting = CountingBucket(bucket)
    follower = Follower(Registry(counting), NEVER, cache)
    follower.refresh()
    for name in newer.manifest.files:
        bucket.put(
            f"models/versions/{broken.manifest.version}/{name}", (newer.folder / name).read_bytes()
        )
    bucket.put(
        f"models/versions/{broken.manifest.version}/{MANIFEST_NAME}", broken.manifest.to_bytes()
    )
    registry.promote(broken.pointer(), current)
    counting.requested.clear()
    for _ in range(64):
        follower.refresh()
        assert follower.served is not None
        assert follower.served.pointer.version == packed.manifest.version
        assert follower.problem is not None
        assert follower.problem.startswith(reason)
    manifest_key = f"models/versions/{broken.manifest.version}/{MANIFEST_NAME}"
    # The wait between two downloads doubles: 7 of them fit into 64 polls.
    assert counting.requested.count(manifest_key) == 7
    assert counting.requested.count(POINTER_KEY) == 64
    assert follower.failed_polls == 64


def test_refused_version_does_not_delay_the_next_one(
    registry: Registry, packed: Packed, newer: Packed, cache: Path, tmp_path: Path
):
    broken, _ = broken_bundles(newer, tmp_path)["golden mismatch"]
    current = put_into_production(registry, packed)
    follower = Follower(registry, NEVER, cache)
    follower.refresh()
    current = put_into_production(registry, broken, over=current)
    for _ in range(5):
        follower.refresh()
    assert follower.problem is not None
    put_into_production(registry, newer, over=current)
    follower.refresh()
    assert follower.problem is None
    assert follower.served is not None
    assert follower.served.pointer.version == newer.manifest.version


def test_pointer_back_at_the_version_in_service_ends_a_refusal(
    registry: Registry, bucket: Bucket, packed: Packed, newer: Packed, cache: Path, tmp_path: Path
):
    broken, _ = broken_bundles(newer, tmp_path)["golden mismatch"]
    first = put_into_production(registry, packed)
    raw = bucket.get(POINTER_KEY)
    assert raw is not None
    follower = Follower(registry, NEVER, cache)
    follower.refresh()
    put_into_production(registry, broken, over=first)
    follower.refresh()
    assert follower.problem is not None
    bucket.put(POINTER_KEY, raw.raw)
    follower.refresh()
    assert follower.problem is None


@contextmanager
def fixed_response(status: int, body: bytes) -> Iterator[str]:
    """Run an HTTP server that sends the same response to every request; yield its address."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.send_header("ETag", '"odd"')
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any, **__: Any) -> None:
            """Write no log."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


@pytest.mark.parametrize(
    ("status", "body", "problem"),
    [
        (403, b"<Error><Code>AccessDenied</Code></Error>", "S3 refuses access to bucket"),
        (403, b"", "S3 refuses access to bucket"),
        (500, b"<Error><Code>InternalError</Code></Error>", "S3 answered InternalError"),
        (500, b"no XML at all", "S3 answered 500"),
        (503, b"", "S3 answered 503"),
        (200, b"garbage", "models/production.json is not a pointer"),
        (200, b"", "models/production.json is not a pointer"),
        (200, b"[" * 100_000, "models/production.json is not a pointer"),
        (302, b"", "redirects to another address, as S3 never does"),
    ],
)
def test_unexpected_response_of_s3_changes_nothing_and_is_reported(
    away: Settings,
    packed: Packed,
    filled_cache: Path,
    cache: Path,
    status: int,
    body: bytes,
    problem: str,
):
    shutil.copytree(filled_cache, cache)
    with fixed_response(status, body) as url:
        odd = away.model_copy(update={"aws_endpoint_url_s3": url})
        with following(odd, cache) as follower:
            follower.refresh()
    assert follower.served is not None
    assert follower.served.loaded_from == "cache"
    assert version_of(follower) == packed.manifest.version
    assert follower.problem is not None
    assert problem in follower.problem


def test_registry_is_followed_again_after_a_long_time_without_s3(
    bucket_settings: Settings,
    away: Settings,
    registry: Registry,
    packed: Packed,
    newer: Packed,
    cache: Path,
    caplog: pytest.LogCaptureFixture,
):
    current = put_into_production(registry, packed)
    with serving(bucket_settings, cache) as (client, follower):
        threads = threading.active_count()
        follower._registry = Registry(open_bucket(away))
        for _ in range(40):
            follower.refresh()
        info = client.get("/version").json()
        assert info["version"] == packed.manifest.version
        assert "cannot be reached" in info["registry_problem"]
        assert client.get("/readyz").status_code == 200
        assert threading.active_count() == threads
        assert sum("cannot be followed" in each.message for each in caplog.records) == 1
        put_into_production(registry, newer, over=current)
        follower._registry = registry
        follower.refresh()
        info = client.get("/version").json()
    assert (info["version"], info["registry_problem"]) == (newer.manifest.version, None)


@pytest.fixture
def silent(bucket_settings: Settings) -> Iterator[Settings]:
    """Yield settings for an S3 server that accepts connections but never answers."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        yield bucket_settings.model_copy(update={"aws_endpoint_url_s3": f"http://127.0.0.1:{port}"})


@pytest.mark.parametrize("cached", [True, False])
def test_silent_s3_delays_neither_start_nor_requests_nor_shutdown(
    silent: Settings,
    registry: Registry,
    packed: Packed,
    cache: Path,
    monkeypatch: pytest.MonkeyPatch,
    cached: bool,
):
    if cached:
        put_into_production(registry, packed)
        fill_cache(registry, cache)
    with serving(silent, cache, patience_seconds=0.1) as (client, follower):
        assert follower._polling_since is not None  # the start did not wait for the end of the poll
        ready = client.get("/readyz")
        monkeypatch.setattr(follower_module, "SLOW_SECONDS", -1)
        problem = follower.problem
    assert ready.status_code == (200 if cached else 503)
    if not cached:
        assert "the registry has not answered within" in ready.json()["detail"]
    assert problem is not None
    assert "the registry is slow" in problem
    assert follower._polling.is_alive  # still in that poll, which ends with the process


class SlowBucket(Bucket):
    """A bucket whose files, except the pointer, are read only after a permission."""

    def __init__(self, bucket: Bucket) -> None:
        super().__init__(bucket._client, bucket.name)
        self.asked, self.allowed = threading.Event(), threading.Event()

    def get(self, key: str, *arguments: Any, **options: Any) -> Blob | None:
        if key != POINTER_KEY:
            self.asked.set()
            self.allowed.wait()
        return super().get(key, *arguments, **options)


@pytest.fixture
def slow(bucket: Bucket, registry: Registry, packed: Packed) -> SlowBucket:
    put_into_production(registry, packed)
    return SlowBucket(bucket)


@pytest.fixture
def loading(slow: SlowBucket, cache: Path) -> Iterator[Follower]:
    """Return a follower whose start runs out of its first time while it loads a version."""
    follower = Follower(Registry(slow), NEVER, cache)
    start = follower._polling.start

    def begin(patience_seconds: float) -> bool:  # noqa: ARG001 - the signature of `start`
        start(0)
        slow.asked.wait()
        return False

    follower._polling.start = begin  # type: ignore[method-assign]
    yield follower
    slow.allowed.set()
    follower.stop()


def test_service_without_a_cached_model_waits_until_the_first_one_is_loaded(
    loading: Follower, slow: SlowBucket
):
    starting = threading.Thread(target=loading.start)
    starting.start()
    slow.asked.wait()
    assert loading.served is None
    slow.allowed.set()
    starting.join()
    assert loading.served is not None
    assert loading.problem is None


def test_service_does_not_wait_for_a_download_that_hangs(
    loading: Follower, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(follower_module, "FIRST_LOAD_SECONDS", 0.01)
    loading.start()
    assert loading.served is None


def test_version_from_the_registry_is_not_replaced_by_the_cache(
    registry: Registry, packed: Packed, newer: Packed, cache: Path
):
    current = put_into_production(registry, packed)
    follower = Follower(registry, NEVER, cache)
    follower.refresh()
    put_into_production(registry, newer, over=current)
    other = Follower(registry, NEVER, cache.with_name("other"))
    other.refresh()
    other.cache = cache
    other._serve_cached()
    assert other.served is not None
    assert other.served.pointer.version == newer.manifest.version


@pytest.mark.parametrize("days", [-400, 400])
def test_jump_of_the_system_clock_does_not_stop_following(
    bucket_settings: Settings,
    registry: Registry,
    packed: Packed,
    newer: Packed,
    cache: Path,
    monkeypatch: pytest.MonkeyPatch,
    days: int,
):
    current = put_into_production(registry, packed)
    with serving(bucket_settings, cache, poll_seconds=0.05) as (client, follower):
        real_time, jump = time.time, timedelta(days=days)
        monkeypatch.setattr(time, "time", lambda: real_time() + jump.total_seconds())
        monkeypatch.setattr(follower_module, "datetime", moved_by(jump))
        put_into_production(registry, newer, over=current)
        wait_until(lambda: newer.manifest.version == client.get("/readyz").json()["version"])
        assert follower.problem is None
        assert client.get("/metrics").status_code == 200


def moved_by(jump: timedelta) -> type[datetime]:
    class Moved(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> Any:
            return datetime.now(tz) + jump

    return Moved


def wait_until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_refusal_because_of_a_wrong_clock_changes_nothing(
    bucket_settings: Settings,
    registry: Registry,
    packed: Packed,
    cache: Path,
    monkeypatch: pytest.MonkeyPatch,
):
    put_into_production(registry, packed)
    with serving(bucket_settings, cache) as (client, follower):
        with monkeypatch.context() as patch:
            patch.setattr(
                "botocore.auth.get_current_datetime",
                lambda: get_current_datetime() + timedelta(days=2),
            )
            follower.refresh()
        assert client.get("/readyz").status_code == 200
        follower.refresh()
        assert follower.problem is None


def test_failed_poll_is_counted_and_keeps_the_time_of_the_last_success(
    registry: Registry, away: Settings, packed: Packed, cache: Path
):
    put_into_production(registry, packed)
    follower = Follower(registry, NEVER, cache)
    assert follower.last_success is None
    follower.refresh()
    last = follower.last_success
    assert last is not None
    follower._registry = Registry(open_bucket(away))
    follower.refresh()
    assert (follower.last_success, follower.failed_polls) == (last, 1)
