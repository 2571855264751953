from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from movierating.catalogue.films import FilmCatalogue
from movierating.catalogue.publication import POINTER_KEY, Catalogues
from movierating.catalogue.record import find
from movierating.films.source import TMDB, invented_films
from movierating.ledger.ledger import ForecastLedger
from movierating.ledger.records import Score
from movierating.registry.registry import Registry
from movierating.s3 import Bucket
from movierating.settings import Settings
from scripts.publish import NothingToPublishError, main, publish
from scripts.store.film_store import film_store
from tests.support.bundles import RUN_DATE, Packed, put_into_production
from tests.support.catalogues import films
from tests.support.films import columns, tmdb_store
from tests.support.forecasts import VERSION, VERSION_ERRORS, forecast, predicted, scored, stated

DAY = timedelta(days=1)


@pytest.fixture
def settings(bucket_settings: Settings) -> Settings:
    """Store some films of TMDB."""
    tmdb_store(bucket_settings).add(columns(*films()))
    return bucket_settings


def published(bucket: Bucket, folder: Path) -> FilmCatalogue:
    current = Catalogues(bucket).current()
    assert current
    Catalogues(bucket).fetch(current.pointer, folder / "copy")
    return FilmCatalogue(folder / "copy")


def test_catalogue_has_the_films_of_the_store_and_the_forecasts_of_the_ledger(
    settings: Settings, bucket: Bucket, tmp_path: Path
):
    for day in (RUN_DATE - DAY, RUN_DATE):
        made = forecast(1, day, source=TMDB, rating=6.4, distribution=stated(6.4, 0.5))
        ForecastLedger(bucket).append([made], VERSION_ERRORS[VERSION])
    assert publish(RUN_DATE, settings) == 5
    catalogue = published(bucket, tmp_path)
    assert [film.film_id for film in catalogue.search("lantern returns", RUN_DATE)] == [1]
    assert [each.day for each in catalogue.forecasts(1)] == [RUN_DATE - DAY, RUN_DATE]
    assert [each.distribution for each in catalogue.forecasts(1)] == [predicted(6.4, 0.5)] * 2
    assert catalogue.about.votes_to_score == settings.forecast_min_votes


def test_record_has_the_newest_score_with_enough_votes(
    settings: Settings, bucket: Bucket, tmp_path: Path
):
    ledger, released = ForecastLedger(bucket), date(2026, 10, 1)
    ledger.append([forecast(3, released - DAY, release_date=released, source=TMDB)])
    film: dict[str, Any] = {"film_id": 3, "release_date": released, "source": TMDB}
    first = scored(**film, mark="votes", day=released + 9 * DAY)
    later = scored(**film, mark="30 days", day=released + 30 * DAY, votes=49)
    ledger.append_scores(RUN_DATE, [first, later])
    publish(RUN_DATE, settings)
    (found,), _ = find(published(bucket, tmp_path), "", RUN_DATE, "scored")
    assert found.score
    assert Score.model_validate_json(found.score) == first


def test_second_run_of_a_day_changes_nothing(settings: Settings, bucket: Bucket):
    publish(RUN_DATE, settings)
    before = bucket.get(POINTER_KEY)
    publish(RUN_DATE, settings)
    assert bucket.get(POINTER_KEY) == before


def test_films_are_those_of_the_model_in_production(
    settings: Settings, registry: Registry, bucket: Bucket, packed: Packed, tmp_path: Path
):
    put_into_production(registry, packed)
    film_store(settings, invented_films("1a2b")).add(columns({"id": 77}))
    publish(RUN_DATE, settings)
    assert published(bucket, tmp_path).about.source == packed.manifest.data.source == TMDB


def test_store_without_such_films_is_reported_in_one_sentence(bucket_settings: Settings):
    with pytest.raises(NothingToPublishError, match="DATA_DIR has none of TMDB's films"):
        publish(RUN_DATE, bucket_settings)


def test_command_line_publishes(
    settings: Settings, bucket: Bucket, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    monkeypatch.setattr("scripts.publish.pipeline_settings", lambda: settings)
    assert main(["--date", RUN_DATE.isoformat()]) == 0
    assert published(bucket, tmp_path).about.as_of == RUN_DATE
