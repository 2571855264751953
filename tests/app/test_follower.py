import time
from pathlib import Path

import pytest
from botocore.config import Config

from app.follower import Follower
from movierating import s3
from movierating.manifest import MANIFEST_NAME
from movierating.registry import POINTER_KEY, Registry
from movierating.s3 import Blob, Bucket, open_bucket
from movierating.settings import Settings
from sandbox.state import free_ports
from tests.app.conftest import NEVER, serving
from tests.bundles import FILES, Packed, put_into_production
from tests.s3_server import S3Server

FILM = {"genres": ["Drama"], "runtime": 120}


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


@pytest.fixture
def bucket(bucket_settings: Settings) -> Bucket:
    return open_bucket(bucket_settings)


@pytest.fixture
def away(bucket_settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Settings of a server that does not answer, asked once."""
    monkeypatch.setattr(s3, "_CONFIG", Config(retries={"total_max_attempts": 1}))
    (port,) = free_ports(1)
    return bucket_settings.model_copy(update={"aws_endpoint_url_s3": f"http://127.0.0.1:{port}"})


def serve_once(settings: Settings, cache: Path) -> None:
    """Start and stop, so that the cache holds what is in production."""
    with serving(settings, cache) as (client, _):
        assert client.get("/readyz").status_code == 200


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


def test_newer_version_is_found_by_itself(
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


def test_first_version_is_found_by_a_service_that_waits_for_it(
    bucket_settings: Settings, registry: Registry, packed: Packed, cache: Path
):
    with serving(bucket_settings, cache) as (client, follower):
        assert client.get("/readyz").status_code == 503
        put_into_production(registry, packed)
        follower.refresh()
        assert client.get("/readyz").status_code == 200


def test_rollback_is_followed_like_any_move(
    bucket_settings: Settings, registry: Registry, packed: Packed, newer: Packed, cache: Path
):
    first = put_into_production(registry, packed)
    second = put_into_production(registry, newer, over=first)
    with serving(bucket_settings, cache) as (client, follower):
        registry.promote(packed.pointer(), over=second)
        follower.refresh()
        assert client.get("/readyz").json()["version"] == packed.manifest.version


@pytest.mark.parametrize("name", [*FILES, MANIFEST_NAME])
@pytest.mark.parametrize("damage", ["altered", "missing"])
def test_damaged_new_version_keeps_the_old_one_and_says_why(
    bucket_settings: Settings,
    registry: Registry,
    bucket: Bucket,
    packed: Packed,
    newer: Packed,
    cache: Path,
    name: str,
    damage: str,
):
    current = put_into_production(registry, packed)
    with serving(bucket_settings, cache) as (client, follower):
        registry.publish(newer.folder, newer.manifest)
        key = f"models/versions/{newer.manifest.version}/{name}"
        if damage == "altered":
            bucket.put(key, b"altered")
        else:
            bucket._client.delete_object(Bucket=bucket.name, Key=key)
        registry.promote(newer.pointer(), over=current)
        follower.refresh()
        told = client.get("/version").json()
        assert told["version"] == packed.manifest.version
        assert told["registry_problem"].startswith(name)
        assert client.post("/predict", json=FILM).status_code == 200

        bucket.put(key, (newer.folder / name).read_bytes())
        follower.refresh()
        told = client.get("/version").json()
        assert (told["version"], told["registry_problem"]) == (newer.manifest.version, None)


def test_broken_pointer_keeps_the_version_in_service_and_says_why(
    bucket_settings: Settings, registry: Registry, bucket: Bucket, packed: Packed, cache: Path
):
    put_into_production(registry, packed)
    with serving(bucket_settings, cache) as (client, follower):
        bucket.put(POINTER_KEY, b"broken")
        follower.refresh()
        told = client.get("/version").json()
    assert told["version"] == packed.manifest.version
    assert told["registry_problem"] == "models/production.json is not a pointer"


def test_store_that_is_away_at_the_start_leaves_the_last_good_version(
    bucket_settings: Settings, away: Settings, registry: Registry, packed: Packed, cache: Path
):
    put_into_production(registry, packed)
    serve_once(bucket_settings, cache)
    with serving(away, cache) as (client, _):
        told = client.get("/version").json()
        assert client.post("/predict", json=FILM).status_code == 200
    assert (told["version"], told["loaded_from"]) == (packed.manifest.version, "cache")
    assert "AWS_ENDPOINT_URL_S3" in told["registry_problem"]


def test_store_that_is_away_at_the_very_first_start_leaves_no_model(away: Settings, cache: Path):
    with serving(away, cache) as (client, _):
        response = client.get("/readyz")
    assert response.status_code == 503
    assert "AWS_ENDPOINT_URL_S3" in response.json()["detail"]


@pytest.mark.parametrize("name", ["production.json", *FILES, MANIFEST_NAME, "everything"])
@pytest.mark.parametrize("damage", ["altered", "missing"])
def test_damaged_cache_is_not_served(
    bucket_settings: Settings,
    away: Settings,
    registry: Registry,
    packed: Packed,
    cache: Path,
    name: str,
    damage: str,
):
    put_into_production(registry, packed)
    serve_once(bucket_settings, cache)
    for path in [path for path in cache.rglob("*") if path.is_file()]:
        if name in {path.name, "everything"}:
            path.unlink() if damage == "missing" else path.write_bytes(b"altered")
    with serving(away, cache) as (client, _):
        assert client.get("/readyz").status_code == 503
    with serving(bucket_settings, cache) as (client, _):
        assert client.get("/version").json()["loaded_from"] == "registry"


def test_cache_keeps_the_version_in_service_alone(
    bucket_settings: Settings, registry: Registry, packed: Packed, newer: Packed, cache: Path
):
    current = put_into_production(registry, packed)
    with serving(bucket_settings, cache) as (_, follower):
        put_into_production(registry, newer, over=current)
        follower.refresh()
    assert {path.name for path in cache.iterdir()} == {newer.manifest.version, "production.json"}


def test_cache_that_cannot_be_written_is_told(
    bucket_settings: Settings, registry: Registry, packed: Packed, tmp_path: Path
):
    put_into_production(registry, packed)
    (tmp_path / "file").touch()
    with serving(bucket_settings, tmp_path / "file") as (client, _):
        assert client.get("/readyz").status_code == 503


class CountingBucket(Bucket):
    """Remembers which keys were asked for, and what came."""

    def __init__(self, bucket: Bucket) -> None:
        super().__init__(bucket._client, bucket.name)
        self.asked: list[str] = []
        self.came: list[str] = []

    def get(self, key: str, unless_etag: str | None = None) -> Blob | None:
        self.asked.append(key)
        blob = super().get(key, unless_etag)
        self.came.append(key)
        return blob


def test_unmoved_pointer_costs_one_request_and_no_answer(
    bucket: Bucket, registry: Registry, packed: Packed, cache: Path
):
    put_into_production(registry, packed)
    counting = CountingBucket(bucket)
    follower = Follower(Registry(counting), NEVER, cache)
    follower.refresh()
    served = follower.served
    counting.asked.clear()
    counting.came.clear()
    follower.refresh()
    assert (counting.asked, counting.came) == ([POINTER_KEY], [])
    assert follower.served is served


def test_moved_pointer_to_the_same_version_loads_nothing(
    bucket: Bucket, registry: Registry, packed: Packed, cache: Path
):
    current = put_into_production(registry, packed)
    counting = CountingBucket(bucket)
    follower = Follower(Registry(counting), NEVER, cache)
    follower.refresh()
    registry.promote(packed.pointer(reason="another"), over=current)
    counting.asked.clear()
    follower.refresh()
    assert counting.asked == [POINTER_KEY]
    assert follower.served is not None
    assert follower.served.pointer.reason == "another"


def test_registry_that_is_back_is_followed_again_without_a_second_download(
    bucket_settings: Settings, away: Settings, packed: Packed, cache: Path
):
    put_into_production(Registry(open_bucket(bucket_settings)), packed)
    serve_once(bucket_settings, cache)
    follower = Follower(Registry(open_bucket(away)), NEVER, cache)
    origins = []
    for settings in (away, bucket_settings):
        follower._registry = Registry(open_bucket(settings))
        follower.refresh()
        assert follower.served is not None
        origins.append((follower.served.loaded_from, follower.problem is None))
    assert origins == [("cache", False), ("registry", True)]


def test_bucket_without_production_is_not_answered_from_the_cache_of_another(
    s3_server: S3Server, bucket_settings: Settings, packed: Packed, cache: Path
):
    put_into_production(Registry(open_bucket(bucket_settings)), packed)
    serve_once(bucket_settings, cache)
    empty = s3_server.settings(s3_server.new_bucket())
    follower = Follower(Registry(open_bucket(empty)), NEVER, cache)
    follower.refresh()
    assert follower.served is None
    assert follower.problem == "the registry has no version in production yet"


def test_whatever_goes_wrong_the_version_in_service_stays(
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
    assert follower.problem == "ZeroDivisionError; the log of the service has it"
    follower.refresh()
    assert follower.problem is None


def test_same_problem_is_logged_once(away: Settings, cache: Path, caplog: pytest.LogCaptureFixture):
    follower = Follower(Registry(open_bucket(away)), NEVER, cache)
    follower.refresh()
    follower.refresh()
    assert [record.name for record in caplog.records].count("app.follower") == 1
