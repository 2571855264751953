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
from movierating.registry.registry import Registry
from movierating.s3 import open_bucket
from movierating.settings import Settings
from sandbox.s3.process import S3Server
from tests.support.bundles import Packed, put_into_production
from tests.support.pipeline_run import Run

NEVER = 3600.0
# A film of which everything is known.
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
TRANSLATIONS = {"등대지기의 행복한 딸": "The happy daughter of the lighthouse keeper"}


@pytest.fixture(scope="session")
def learned(run: Run) -> Packed:
    """The bundle of a whole run, which knows what every fact is worth."""
    return Packed(run.bundle, run.manifest)


@contextmanager
def serving(
    settings: Settings,
    cache: Path,
    translate: Callable[[str], str] = TRANSLATIONS.__getitem__,
    poll_seconds: float = NEVER,
    timeout_seconds: float = 30,
    patience_seconds: float = 30,
) -> Iterator[tuple[TestClient, Follower]]:
    """The service on a bucket and a cache of its own; on a busy machine its start waits longer."""
    follower = Follower(Registry(open_bucket(settings)), poll_seconds, cache)
    app = create_app(settings, follower, Translator(timeout_seconds, translate))
    with (
        patch("app.background.model_follower.START_SECONDS", patience_seconds),
        patch("app.background.bucket_reader.START_SECONDS", patience_seconds),
        TestClient(app, raise_server_exceptions=False) as client,
    ):
        yield client, follower


@pytest.fixture(scope="session")
def client(
    s3_server: S3Server, learned: Packed, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[TestClient]:
    """The service with the learned bundle in production; not to be moved."""
    with _serving_in_a_bucket(s3_server, learned, tmp_path_factory.mktemp("cache")) as client:
        yield client


@pytest.fixture(scope="session")
def bare(
    s3_server: S3Server, packed: Packed, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[TestClient]:
    """The same with the small bundle, which has neither card nor evidence."""
    with _serving_in_a_bucket(s3_server, packed, tmp_path_factory.mktemp("cache")) as client:
        yield client


@contextmanager
def _serving_in_a_bucket(server: S3Server, bundle: Packed, cache: Path) -> Iterator[TestClient]:
    settings = server.settings(server.new_bucket())
    put_into_production(Registry(open_bucket(settings)), bundle)
    with serving(settings, cache) as (client, _):
        yield client
