"""The asset that links the DAGs: the pipeline updates it, which starts the forecast ledger."""

from typing import Final

from airflow.sdk import Asset

PUBLISHED_MODEL: Final = Asset(name="movie_rating_model", uri="movierating://production")
