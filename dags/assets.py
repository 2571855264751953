"""The Airflow asset that links two DAGs: when the pipeline promotes a model, forecasts start."""

from typing import Final

from airflow.sdk import Asset

PUBLISHED_MODEL: Final = Asset(name="movie_rating_model", uri="movierating://production")
