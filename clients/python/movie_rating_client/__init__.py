"""Client of the movie rating forecast API."""

from .clients import AsyncClient, Client
from .errors import ApiError, FieldError, InvalidInputError
from .retries import Retries
from .types import (
    BatchForecast,
    BatchRow,
    DatedForecast,
    Entity,
    Film,
    Forecast,
    FoundName,
    Options,
    RecordedFilm,
)

__all__ = [
    "ApiError",
    "AsyncClient",
    "BatchForecast",
    "BatchRow",
    "Client",
    "DatedForecast",
    "Entity",
    "FieldError",
    "Film",
    "Forecast",
    "FoundName",
    "InvalidInputError",
    "Options",
    "RecordedFilm",
    "Retries",
]
