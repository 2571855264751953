"""The Airflow asset that links two DAGs: when the pipeline promotes a model, forecasts start."""

from collections.abc import Sequence
from typing import Any, Final

from airflow.sdk import Asset

PUBLISHED_MODEL: Final = Asset(
    name="movie_rating_model",
    uri="movierating://production",
    extra={
        "description": "The model version in production, which models/production.json in the "
        "bucket names. There is one event for each new version."
    },
)
_MOST_EVENTS: Final = 100  # to read at once; a new model per day makes one event per day


def is_announced(version: str, events: Any) -> bool:
    """Return whether one of the asset's newest events is about this model version.

    Args:
        version: The name of the model version.
        events: The asset's events, as Airflow gives them to a task with this inlet.
    """
    newest: Sequence[Any] = events[PUBLISHED_MODEL].ascending(False).limit(_MOST_EVENTS)
    return any(event.extra.get("version") == version for event in newest)
