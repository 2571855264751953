"""Test the AWS policies for instances A and B on a local S3 server, which enforces them."""

import json
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from movierating.catalogue.publication import POINTER_KEY, Catalogues
from movierating.identity import sha256
from movierating.ledger.ledger import MADE_PREFIX, UPCOMING_KEY, ForecastLedger
from movierating.ledger.records import Upcoming
from movierating.registry.bundle import Bundle
from movierating.registry.registry import Registry
from movierating.s3 import Bucket, open_bucket
from movierating.s3_errors import S3RefusedError
from movierating.settings import Settings
from sandbox.s3.process import S3Server
from scripts import deploy as module
from scripts.deploy import deploy
from scripts.preflight import check_store
from scripts.runtime.run_files import RunFiles
from tests.support.bundles import RUN_DATE, Packed, pack, put_into_production
from tests.support.catalogues import catalogue_file, films
from tests.support.films import moment
from tests.support.forecasts import forecast
from tests.support.samples import as_csv, opened_since

POLICIES = Path(__file__).parents[1] / "docs" / "policies"
FILMS = as_csv(opened_since(date(2025, 1, 10)))


@pytest.fixture
def acting_as(s3_server: S3Server, bucket_settings: Settings) -> Callable[[str], Settings]:
    """Return a function that creates settings with the S3 keys of a user with the named policy."""

    def act(policy: str) -> Settings:
        bucket = bucket_settings.require("s3_bucket_name")
        document = (POLICIES / f"{policy}.json").read_text().replace("BUCKET", bucket)
        return bucket_settings.model_copy(update=s3_settings(s3_server, bucket, document))

    return act


def s3_settings(server: S3Server, bucket: str, document: str) -> dict[str, Any]:
    chosen = server.settings(bucket, **server.identity(document))
    return {name: getattr(chosen, name) for name in ("aws_access_key_id", "aws_secret_access_key")}


@pytest.fixture
def serving(acting_as: Callable[[str], Settings]) -> Bucket:
    return open_bucket(acting_as("serving"))


def test_serving_can_read_an_empty_registry(serving: Bucket):
    assert Registry(serving).production() is None


def test_serving_may_poll_and_fetch(
    serving: Bucket, registry: Registry, packed: Packed, tmp_path: Path
):
    put_into_production(registry, packed)
    current = Registry(serving).production()
    assert current is not None
    Registry(serving).fetch(current.pointer, tmp_path)
    assert Bundle.load(tmp_path, current.pointer.manifest_sha256).manifest == packed.manifest


WRITES: dict[str, Callable[[Bucket], Any]] = {
    "put": lambda bucket: bucket.put("models/latest/best_model.pkl", b""),
    "create": lambda bucket: bucket.create("models/versions/other/model.onnx", b""),
    "replace": lambda bucket: bucket.replace("models/production.json", b"", '"tag"'),
    "delete": lambda bucket: bucket.delete("models/production.json"),
}


@pytest.mark.parametrize("write", WRITES)
def test_serving_may_not_write_and_gets_a_clear_error(
    serving: Bucket, registry: Registry, packed: Packed, write: str
):
    current = put_into_production(registry, packed)
    with pytest.raises(S3RefusedError, match=r"^S3 refuses .* check AWS_ACCESS_KEY_ID and its"):
        WRITES[write](serving)
    assert registry.production() == current


def test_training_writes_forecasts_and_serving_reads_only_their_summaries(
    acting_as: Callable[[str], Settings], serving: Bucket
):
    training = ForecastLedger(open_bucket(acting_as("training")))
    training.append([forecast(1)])
    training.write_view(UPCOMING_KEY, Upcoming(as_of=RUN_DATE, films=()))
    assert [each.film_id for each in training.read(RUN_DATE, RUN_DATE)] == [1]
    assert serving.get(UPCOMING_KEY) is not None
    with pytest.raises(S3RefusedError):
        serving.get(f"{MADE_PREFIX}2026-11-23/some.jsonl.gz")


def test_training_publishes_film_catalogues_and_serving_reads_them(
    acting_as: Callable[[str], Settings], serving: Bucket, tmp_path: Path
):
    training = Catalogues(open_bucket(acting_as("training")))
    for count in (1, 2, 3):
        path = catalogue_file(tmp_path, films()[:count], name=f"{count}.sqlite")
        pointer = training.publish(path, moment(RUN_DATE.replace(year=2100)))
    current = Catalogues(serving).current()
    assert current
    assert current.pointer == pointer
    Catalogues(serving).fetch(pointer, tmp_path / "copy")
    with pytest.raises(S3RefusedError):
        serving.put(POINTER_KEY, b"")


def test_serving_may_read_the_promotion_decisions(
    serving: Bucket, registry: Registry, packed: Packed
):
    put_into_production(registry, packed)
    assert Registry(serving).history() == registry.history() != []


def test_serving_may_not_read_the_pickles_or_the_pipelines_files(
    serving: Bucket, bucket_settings: Settings
):
    for key in ("models/latest/best_model.pkl", "pipeline/films.parquet"):
        open_bucket(bucket_settings).put(key, b"")
        with pytest.raises(S3RefusedError):
            serving.get(key)
    with pytest.raises(S3RefusedError):
        serving.keys("")


def test_serving_may_not_read_another_bucket(serving: Bucket, s3_server: S3Server):
    other = s3_server.new_bucket()
    with pytest.raises(S3RefusedError):
        Bucket(serving._client, other).get("models/production.json")
    s3_server.drop_bucket(other)


def test_training_may_deploy_roll_back_and_prune_versions(
    acting_as: Callable[[str], Settings], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    settings = acting_as("training")
    monkeypatch.setattr(module, "log_run", lambda *_, **__: None)
    check_store(open_bucket(settings))
    for day, level in ((RUN_DATE, 6.0), (RUN_DATE + timedelta(1), 7.0)):
        files = RunFiles(Path(settings.data_dir), day)
        pack(Path(str(files.bundle)), day, level, data_sha256=sha256(FILMS))
        files.legacy_model.write_bytes(b"")
        files.cleaned.write_bytes(FILMS)
        assert deploy(day, settings).promoted
    registry = Registry(open_bucket(settings))
    assert registry.production_codes().genres.names
    registry.roll_back(registry.previous_version(), "ada", "ratings too high")
    assert [each.action for each in registry.history()] == ["promoted", "promoted", "rolled_back"]
    needed = {each.version for each in registry.versions()}
    spare = pack(tmp_path, RUN_DATE, 5.0)
    for name in ("spare", "spare.last"):
        registry.publish(spare.folder, spare.manifest.model_copy(update={"version": name}))
    assert registry.prune(keep=1) == ["spare"]
    assert {each.version for each in registry.versions()} == {*needed, "spare.last"}


def test_training_may_not_delete_decisions_or_production_or_write_elsewhere(
    acting_as: Callable[[str], Settings], registry: Registry, packed: Packed, s3_server: S3Server
):
    training = open_bucket(acting_as("training"))
    current = put_into_production(registry, packed)
    (line,) = training.keys("models/ledger/")
    refused: list[Callable[[], Any]] = [
        lambda: training.delete(line),
        lambda: training.delete("models/production.json"),
        lambda: training.put("elsewhere", b""),
        lambda: training.keys(""),
        lambda: Bucket(training._client, other).put("models/production.json", b""),
    ]
    other = s3_server.new_bucket()
    for attempt in refused:
        with pytest.raises(S3RefusedError):
            attempt()
    s3_server.drop_bucket(other)
    assert registry.production() == current
    assert len(registry.history()) == 1


@pytest.mark.parametrize("name", ["serving", "training"])
def test_policy_covers_only_the_bucket_and_no_wildcard_action(name: str):
    document = json.loads((POLICIES / f"{name}.json").read_text())
    assert document["Version"] == "2012-10-17"
    for statement in document["Statement"]:
        resources = statement["Resource"]
        for resource in resources if isinstance(resources, list) else [resources]:
            assert resource.startswith("arn:aws:s3:::BUCKET")
        actions = statement["Action"]
        assert "*" not in "".join(actions if isinstance(actions, list) else [actions])
