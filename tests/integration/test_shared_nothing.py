"""Test the pipeline with workers that share no disk: the working folder is in S3.

`test_approval` also runs this in a real Airflow.
"""

import shutil
from datetime import date
from pathlib import Path

import pytest

from movierating.registry.registry import Registry
from movierating.settings import Settings
from sandbox.s3.process import SECRET, S3Server
from sandbox.tmdb.process import RunningStandIn
from scripts.backfill import backfill
from scripts.deploy import deploy
from scripts.housekeeping import prune
from scripts.runtime.storage import data_folder, staged_folder
from scripts.store.film_store import film_store
from tests.support.bundles import RUN_DATE
from tests.support.films import stored
from tests.support.pipeline_run import RUN_FILMS, Run, left_on, only_disk
from tests.support.stand_in import unpaced_in_s3


@pytest.fixture
def settings(
    s3_server: S3Server, tmdb_stand_in: RunningStandIn, bucket_settings: Settings
) -> Settings:
    """Return settings whose working folder is in the empty bucket."""
    bucket = bucket_settings.s3_bucket_name
    assert bucket
    return unpaced_in_s3(tmdb_stand_in.base_url, s3_server, bucket)


def test_run_from_tmdb_to_the_bundle_leaves_nothing_on_the_disk(run: Run):
    assert run.manifest.data.films == RUN_FILMS
    assert len(stored(film_store(run.settings, run.manifest.data.source))) == RUN_FILMS
    assert left_on(run.disk) == []


def test_deployment_and_housekeeping_leave_nothing_on_the_disk(
    run: Run,
    settings: Settings,
    registry: Registry,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
):
    caplog.set_level("DEBUG", "scripts")
    with staged_folder(data_folder(settings)) as folder:
        shutil.copytree(run.settings.data_dir, folder, dirs_exist_ok=True)
    with only_disk(tmp_path):
        assert deploy(RUN_DATE, settings).promoted
        prune(settings)
    production = registry.production()
    assert production is not None
    assert registry.manifest(production.pointer) == run.manifest
    assert left_on(tmp_path) == []
    assert SECRET not in caplog.text


def test_backfill_stores_films_and_leaves_nothing_on_the_disk(
    settings: Settings, tmdb_stand_in: RunningStandIn, tmp_path: Path
):
    with only_disk(tmp_path):
        backfill(settings, date(2005, 1, 1), date(2005, 5, 31), min_votes=0)
    store = film_store(settings, tmdb_stand_in.source)
    assert len(stored(store)) > 50
    assert {path.suffix for path in store.folder.iterdir()} == {".parquet", ".json"}
    assert left_on(tmp_path) == []
