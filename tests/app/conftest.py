from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from fastapi.testclient import TestClient

from app.background.model_follower import Follower
from app.main import create_app
from app.translation import Translator
from movierating.catalogue.publication import Catalogues
from movierating.ledger.ledger import TRACK_RECORD_KEY, UPCOMING_KEY, ForecastLedger
from movierating.ledger.records import Upcoming, UpcomingFilm
from movierating.registry.registry import Registry
from movierating.s3 import Bucket, open_bucket
from movierating.settings import Settings
from sandbox.s3.process import S3Server
from scripts.ledger.track_record import track_record
from tests.support.bundles import RUN_DATE, Packed, put_into_production
from tests.support.catalogues import catalogue_file, films
from tests.support.films import moment
from tests.support.forecasts import forecast, scored
from tests.support.pipeline_run import Run

NEVER = 3600.0  # as the seconds between two polls: only the poll at the start runs
# A request with every fact that `POST /predict` accepts.
FILM: dict[str, Any] = {
    "title": "The Lantern",
    "overview": "A wonderful journey of two happy friends.",
    "genres": ["Drama"],
    "language": "ko",
    "runtime": 112,
    "release_date": "2027-03-01",
    "budget": 5_000_000,
    "countries": ["KR"],
    "directors": ["Ada Novak"],
    "writers": ["Kim Minseo"],
    "cast": ["Jo Lindqvist"],
    "companies": ["Lantern Films"],
    "collection": "The Lanterns",
    "keywords": ["lantern"],
}
UPCOMING = Upcoming(
    as_of=RUN_DATE,
    films=(
        UpcomingFilm(forecast=forecast(1, title="The Lantern", rating=6.0), week_ago=6.5),
        UpcomingFilm(
            forecast=forecast(2, title="여름의 끝", rating=8.0, poster_path="/summer.jpg"),
            week_ago=None,
        ),
        UpcomingFilm(
            forecast=forecast(
                3, title="Lantern II", original_title="등불 Été", rating=7.0, low=4.0
            ),
            week_ago=6.0,
        ),
        UpcomingFilm(
            forecast=forecast(4, title=None, korean_title="비밀의 정원", rating=5.0), week_ago=5.0
        ),
    ),
)
TRANSLATIONS = {"등대지기의 행복한 딸": "The happy daughter of the lighthouse keeper"}


@pytest.fixture(scope="session")
def learned(run: Run) -> Packed:
    """Return the bundle of a complete pipeline run; it has effects for tokens of every trait."""
    return Packed(run.bundle, run.manifest)


@contextmanager
def serving(
    settings: Settings,
    cache: Path,
    translate: Callable[[str], str] | None = TRANSLATIONS.__getitem__,
    poll_seconds: float = NEVER,
    timeout_seconds: float = 30,
    patience_seconds: float = 30,
) -> Iterator[tuple[TestClient, Follower]]:
    """Run the API in this process; yield an HTTP client for it and its model follower.

    Args:
        settings: The settings, with the bucket.
        cache: The folder for the local copy of the model.
        translate: Translates a plot; by default it knows only the plots in `TRANSLATIONS`. None
            switches translation off, as is the service's default.
        poll_seconds: The time between two polls of the registry.
        timeout_seconds: The time limit for a translation.
        patience_seconds: How long the start waits for S3; long, because the machine may be busy.
    """
    follower = Follower(Registry(open_bucket(settings)), poll_seconds, cache)
    translator = Translator(timeout_seconds, translate) if translate else None
    app = create_app(settings, follower, translator)
    with (
        patch("app.background.model_follower.START_SECONDS", patience_seconds),
        patch("app.background.bucket_reader.START_SECONDS", patience_seconds),
        patch("app.clock.today", lambda: RUN_DATE),
        TestClient(app, raise_server_exceptions=False) as client,
    ):
        yield client, follower


@pytest.fixture(scope="session")
def client(
    s3_server: S3Server, learned: Packed, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[TestClient]:
    """Yield a client for an API with the bundle `learned` in production.

    All tests share it, so they must not change it.
    """
    with _serving_in_a_bucket(s3_server, learned, tmp_path_factory.mktemp("cache")) as client:
        yield client


@pytest.fixture(scope="session")
def bare(
    s3_server: S3Server, packed: Packed, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[TestClient]:
    """Yield a client for an API with a small bundle, without model card and scores by subgroup."""
    with _serving_in_a_bucket(s3_server, packed, tmp_path_factory.mktemp("cache")) as client:
        yield client


@pytest.fixture(scope="session")
def untranslated(
    s3_server: S3Server, learned: Packed, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[TestClient]:
    """Yield a client for an API that translates no plots, as is the default."""
    cache = tmp_path_factory.mktemp("cache")
    with _serving_in_a_bucket(s3_server, learned, cache, translate=None) as client:
        yield client


@contextmanager
def _serving_in_a_bucket(
    server: S3Server, bundle: Packed, cache: Path, **options: Any
) -> Iterator[TestClient]:
    settings = settings_of_a_whole_service(server, bundle, cache)
    with serving(settings, cache, **options) as (client, _):
        yield client


def settings_of_a_whole_service(server: S3Server, bundle: Packed, cache: Path) -> Settings:
    """Return settings with a bucket that has a model in production, and a catalogue of films.

    The catalogue is made beside the folder `cache`.
    """
    settings = server.settings(server.new_bucket())
    put_into_production(Registry(open_bucket(settings)), bundle)
    documented = {"id": 496243}  # the example in the API's documentation
    catalogue = catalogue_file(cache.parent, [*films(), documented], name=f"{cache.name}.sqlite")
    Catalogues(open_bucket(settings)).publish(catalogue, moment())
    return settings


@pytest.fixture
def ledger_settings(bucket_settings: Settings, bucket: Bucket) -> Settings:
    """Return settings for a bucket with the ledger's views: 4 upcoming films and 1 scored film."""
    ledger = ForecastLedger(bucket)
    ledger.write_view(UPCOMING_KEY, UPCOMING)
    ledger.write_view(TRACK_RECORD_KEY, track_record([scored(1)], RUN_DATE, 50))
    return bucket_settings
