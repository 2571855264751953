"""FastAPI dependencies, through which the routes get the objects that the application shares."""

from typing import Annotated, TypedDict

from fastapi import Depends, Request

from app.background.catalogue_reader import CatalogueReader
from app.background.decisions_reader import DecisionsReader
from app.background.forecasts_reader import ForecastsReader
from app.background.model_follower import Follower, Served
from app.draining import Draining
from app.metrics import Metrics
from app.problems import NoModelError
from app.tmdb_films import TmdbFilms
from app.translation import Translator
from app.worker import Worker
from movierating.catalogue.films import FilmCatalogue


class State(TypedDict):
    """The objects that all requests share.

    The application creates them at its start, and Starlette puts them into `request.state`.
    """

    follower: Follower
    translator: Translator | None
    worker: Worker
    metrics: Metrics
    draining: Draining
    forecasts_reader: ForecastsReader
    decisions_reader: DecisionsReader
    catalogue_reader: CatalogueReader
    tmdb_films: TmdbFilms | None
    poster_base_url: str | None
    photo_base_url: str | None


def in_service(request: Request) -> Served:
    """Return the model in service, and store its version for the log line about the request.

    Raises:
        NoModelError: No model is in service yet.
    """
    follower: Follower = request.state.follower
    served = follower.served
    if served is None:
        raise NoModelError(f"no model is in service: {follower.problem or 'not loaded yet'}")
    request.state.version = served.pointer.version
    return served


def metrics_of(request: Request) -> Metrics:
    """Return the metrics of the application."""
    metrics: Metrics = request.state.metrics
    return metrics


def translator_of(request: Request) -> Translator | None:
    """Return the translator of the application; None if translation is switched off."""
    translator: Translator | None = request.state.translator
    return translator


def worker_of(request: Request) -> Worker:
    """Return the worker of the application, in whose thread it calculates."""
    worker: Worker = request.state.worker
    return worker


def catalogue_reader_of(request: Request) -> CatalogueReader:
    """Return the reader that has the film catalogue."""
    reader: CatalogueReader = request.state.catalogue_reader
    return reader


def tmdb_films_of(request: Request) -> TmdbFilms | None:
    """Return what fetches films from TMDB; None without a key for TMDB."""
    films: TmdbFilms | None = request.state.tmdb_films
    return films


# The dependencies below are `async` because FastAPI runs plain functions in a thread. Routes that
# forecast call the functions above instead: resolving a dependency takes a tenth of the time of a
# forecast.


async def _served(request: Request) -> Served:
    return in_service(request)


async def _follower(request: Request) -> Follower:
    follower: Follower = request.state.follower
    return follower


async def _forecasts_reader(request: Request) -> ForecastsReader:
    reader: ForecastsReader = request.state.forecasts_reader
    return reader


async def _decisions_reader(request: Request) -> DecisionsReader:
    reader: DecisionsReader = request.state.decisions_reader
    return reader


async def _catalogue(request: Request) -> FilmCatalogue:
    return catalogue_reader_of(request).current()


async def _tmdb_films(request: Request) -> TmdbFilms | None:
    return tmdb_films_of(request)


CatalogueDep = Annotated[FilmCatalogue, Depends(_catalogue)]
ServedDep = Annotated[Served, Depends(_served)]
FollowerDep = Annotated[Follower, Depends(_follower)]
ForecastsReaderDep = Annotated[ForecastsReader, Depends(_forecasts_reader)]
TmdbFilmsDep = Annotated[TmdbFilms | None, Depends(_tmdb_films)]
DecisionsReaderDep = Annotated[DecisionsReader, Depends(_decisions_reader)]
