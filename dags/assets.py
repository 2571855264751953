"""What one DAG announces and another waits for."""

from typing import Final

from airflow.sdk import Asset

PUBLISHED_MODEL: Final = Asset(name="movie_rating_model", uri="movierating://production")
