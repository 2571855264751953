"""Test the pipeline with workers that share no disk: the working folder is in S3.

Each step runs in its own empty folder, which must still be empty afterwards.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from movierating.registry.registry import Registry
from movierating.s3 import open_bucket
from sandbox.s3.process import KEY, SECRET
from scripts.store.film_store import film_store
from tests.support.films import stored
from tests.support.stand_in import TMDB_KEY

OF_WANDB = {"wandb", ".ses"}  # W&B's client writes these to the machine's temporary folder
ROOT = Path(__file__).parents[2]
FILMS = 400  # enough to train a model; more would take longer because of the rate limit


@pytest.fixture
def step(s3_server, bucket_settings, tmdb_of_today, tmp_path):
    """Return a function that runs a pipeline step in a new process and in its own empty folder.

    The function returns the names of the files that the step left in this folder.
    """

    def run(name, *options):
        folder = tmp_path / name
        folder.mkdir()
        environment = {
            "PYTHONPATH": str(ROOT),
            "TMDB_BASE_URL": tmdb_of_today.base_url,
            "TMDB_API_KEY": TMDB_KEY,
            "TMDB_REQUESTS_PER_SECOND": "40",
            "COLLECT_MAX_FILMS": str(FILMS),
            "DATA_DIR": f"s3://{bucket_settings.s3_bucket_name}/pipeline",
            "S3_BUCKET_NAME": bucket_settings.s3_bucket_name,
            "AWS_ENDPOINT_URL_S3": s3_server.url,
            "AWS_ACCESS_KEY_ID": KEY,
            "AWS_SECRET_ACCESS_KEY": SECRET,
            "TMPDIR": str(folder),
        }
        result = subprocess.run(
            [sys.executable, "-m", f"scripts.{name}", *options],
            cwd=folder,
            env=os.environ | environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        assert result.returncode == 0, result.stdout
        assert SECRET not in result.stdout
        return {path.name for path in folder.iterdir()} - OF_WANDB

    return run


@pytest.fixture
def store(bucket_settings):
    """Open the film store in S3 that all steps share."""
    return film_store(
        bucket_settings.model_copy(
            update={
                "data_dir": f"s3://{bucket_settings.s3_bucket_name}/pipeline",
                "tmdb_base_url": "http://127.0.0.1/3",
            }
        )
    )


def test_run_from_tmdb_to_production_leaves_nothing_on_any_disk(
    step, registry, bucket_settings, store
):
    # One family of models: what a step leaves on the disk does not depend on their number.
    options = {"train": ("--model-type", "lgbm")}
    for name in ("collect", "preprocess", "train", "deploy", "housekeeping"):
        assert step(name, *options.get(name, ())) == set(), name
    production = registry.production()
    assert production is not None
    manifest = Registry(open_bucket(bucket_settings)).manifest(production.pointer)
    assert manifest.data.films == FILMS
    assert len(stored(store)) == FILMS


def test_backfill_into_s3_stores_films(step, store):
    step("backfill", "--first", "2005-01-01", "--last", "2005-06-30")
    assert len(stored(store)) > 50
    assert {path.suffix for path in store.folder.iterdir()} == {".parquet", ".json"}
