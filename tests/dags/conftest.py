from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from movierating.settings import pipeline_settings


@pytest.fixture(scope="session")
def pipeline(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ModuleType]:
    """Import the module `dags.movie_pipeline`, with an empty folder as Airflow's home."""
    with pytest.MonkeyPatch.context() as patch:
        home: Path = tmp_path_factory.mktemp("airflow")
        patch.setenv("AIRFLOW_HOME", str(home))
        patch.setenv("AIRFLOW__CORE__LOAD_EXAMPLES", "False")
        patch.setenv("AIRFLOW__CORE__UNIT_TEST_MODE", "True")
        pipeline_settings.cache_clear()
        from dags import movie_pipeline

        yield movie_pipeline
    pipeline_settings.cache_clear()


@pytest.fixture(scope="session")
def dag(pipeline: ModuleType) -> Any:
    """Create the daily pipeline's DAG with Airflow's SDK."""
    return pipeline.tmdb_movie_rating_pipeline()
