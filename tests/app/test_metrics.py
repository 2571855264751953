from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from prometheus_client.parser import text_string_to_metric_families

from app.background.model_follower import Follower
from movierating.registry.registry import Registry
from movierating.s3 import open_bucket
from movierating.settings import Settings
from sandbox.s3.process import S3Server
from tests.app.conftest import FILM, serving
from tests.app.routes.test_predict import OLD
from tests.support.bundles import Packed, put_into_production

ROOT = Path(__file__).parents[2]


@pytest.fixture
def serving_packed(
    bucket_settings: Settings, registry: Registry, packed: Packed, tmp_path: Path
) -> Iterator[tuple[TestClient, Follower]]:
    put_into_production(registry, packed)
    with serving(bucket_settings, tmp_path / "cache") as both:
        yield both


def scraped(client: TestClient) -> dict[str, float]:
    """Read `/metrics`; return each sample's value by the sample's name and labels."""
    response = client.get("/metrics")
    assert response.headers["content-type"].startswith("text/plain")
    return {
        sample.name
        + "".join(
            f" {label}={value}" for label, value in sorted(sample.labels.items())
        ): sample.value
        for family in text_string_to_metric_families(response.text)
        for sample in family.samples
    }


def test_requests_are_counted_by_method_route_and_status(
    serving_packed: tuple[TestClient, Follower],
):
    client, _ = serving_packed
    client.get("/v1/predict", params=OLD)
    client.get("/v1/predict", params=OLD)
    client.get("/v1/predict")
    client.get("/wp-login.php")
    client.request("PLANTED", "/livez")
    found = scraped(client)
    name = "movierating_http_requests_total"
    assert found[f"{name} method=GET route=/v1/predict status=200"] == 2
    assert found[f"{name} method=GET route=/v1/predict status=422"] == 1
    assert found[f"{name} method=GET route=none status=404"] == 1
    assert found[f"{name} method=other route=/livez status=405"] == 1
    seconds = "movierating_http_request_duration_seconds"
    assert found[f"{seconds}_count route=/v1/predict"] == 3
    assert found[f"{seconds}_sum route=/v1/predict"] > 0
    assert not any("php" in key or "PLANTED" in key for key in found)


def test_forecasts_are_counted_with_their_ratings(serving_packed: tuple[TestClient, Follower]):
    client, _ = serving_packed
    rating = client.post("/v1/predict", json=FILM).json()["rating"]
    client.post("/predict/batch", json={"films": [FILM, {}, FILM]})
    client.get("/predict", params=OLD)
    found = scraped(client)
    assert found["movierating_predictions_total contract=facts"] == 3
    assert found["movierating_predictions_total contract=codes"] == 1
    assert found["movierating_predicted_rating_sum contract=facts"] == pytest.approx(3 * rating)
    above = f"movierating_predicted_rating_bucket contract=facts le={int(rating) + 1}.0"
    assert found[above] == 3


def test_version_in_service_and_its_age_are_measured(
    serving_packed: tuple[TestClient, Follower], packed: Packed
):
    client, _ = serving_packed
    found = scraped(client)
    manifest = packed.manifest
    assert found["movierating_model_ready"] == 1
    assert (
        found[
            "movierating_model_info commit=unknown loaded_from=registry "
            f"run_date={manifest.run_date} version={manifest.version}"
        ]
        == 1
    )
    assert found["movierating_model_age_seconds"] >= 0


def test_replaced_version_has_no_metrics(
    serving_packed: tuple[TestClient, Follower], registry: Registry, newer: Packed
):
    client, follower = serving_packed
    put_into_production(registry, newer, over=registry.production())
    follower.refresh()
    versions = [name for name in scraped(client) if name.startswith("movierating_model_info")]
    assert len(versions) == 1
    assert newer.manifest.version in versions[0]


def test_failed_polls_are_counted_and_the_last_success_kept(
    serving_packed: tuple[TestClient, Follower], s3_server: S3Server
):
    client, follower = serving_packed
    before = scraped(client)
    assert before["movierating_registry_failed_polls_total"] == 0
    last = before["movierating_registry_last_success_timestamp_seconds"]
    assert last == follower.last_success
    nowhere = s3_server.settings("no-such-bucket")
    follower._registry = Registry(open_bucket(nowhere))
    follower.refresh()
    after = scraped(client)
    assert after["movierating_registry_failed_polls_total"] == 1
    assert after["movierating_registry_last_success_timestamp_seconds"] == last


def test_service_without_a_model_has_metrics(bucket_settings: Settings, tmp_path: Path):
    with serving(bucket_settings, tmp_path) as (client, _):
        found = scraped(client)
    assert found["movierating_model_ready"] == 0
    assert "movierating_model_age_seconds" not in found
    assert "movierating_registry_last_success_timestamp_seconds" not in found


def test_every_metric_is_documented(serving_packed: tuple[TestClient, Follower]):
    client, _ = serving_packed
    client.get("/predict", params=OLD)
    documented = (ROOT / "docs" / "serving.md").read_text()
    families = text_string_to_metric_families(client.get("/metrics").text)
    ours = {family.name for family in families if family.name.startswith("movierating_")}
    assert len(ours) == 9
    for name in ours:
        assert f"`{name}" in documented, name
