"""The FastAPI application; `python -m app.server` serves it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

from anyio.to_thread import current_default_thread_limiter
from fastapi import FastAPI, Security
from fastapi.middleware.cors import CORSMiddleware
from fastapi.security import APIKeyHeader
from fastapi_offline import FastAPIOffline
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from app import keys, openapi, problems
from app.background.catalogue_reader import CatalogueReader
from app.background.decisions_reader import DecisionsReader
from app.background.forecasts_reader import ForecastsReader
from app.background.model_follower import Follower
from app.dependencies import State
from app.draining import Draining
from app.metrics import Metrics
from app.middleware import limits, telemetry
from app.middleware.ambiguous_length import AmbiguousLength
from app.middleware.api_keys import KeyCheck
from app.middleware.compressed_answers import CompressedAnswers
from app.middleware.compressed_bodies import CompressedBodies
from app.middleware.head_requests import HeadRequests
from app.middleware.limits import RateLimit, SizeLimit
from app.middleware.redirects import RelativeRedirects
from app.middleware.security_headers import SecurityHeaders
from app.middleware.telemetry import Telemetry
from app.recorded import POSTER_PIXELS
from app.routes import (
    decisions,
    feeds,
    films,
    forecasts,
    health,
    model,
    people,
    predict,
    track_record,
)
from app.routes import problems as problem_pages
from app.tmdb_films import TmdbFilms
from app.translation import Translator, is_english
from app.worker import Worker
from movierating.films.countries import country_code
from movierating.films.languages import language_code
from movierating.films.text import measure_plot
from movierating.posters import poster_base_url
from movierating.registry.reading import RegistryReader
from movierating.s3 import open_bucket
from movierating.settings import ApiSettings, api_settings

DESCRIPTION: Final = """
Forecasts the TMDB rating (0 to 10) of a film from facts that are known before its release.

Send the facts of a film to `POST /v1/predict`, or up to 100 films to `POST /v1/predict/batch`.
A missing fact means unknown, never zero. `GET /v1/predict` is the old contract: it accepts five
numbers, and `GET /v1/options` lists the codes among them. Every path under `/v1` also works without
this prefix.

Errors are problem details (RFC 9457). The `type` of each is the path of a page that explains it.
Status 422 names each field to change, with a stable code; 503 means that no verified model is in
service yet. Every response has an `X-Request-ID` header; quote it when you
report a problem.

This product uses the TMDB API but is not endorsed or certified by TMDB.
"""

_HEADERS_FOR_SCRIPTS: Final = ("Deprecation", "ETag", "Link", "Sunset")


def create_app(
    settings: ApiSettings | None = None,
    follower: Follower | None = None,
    translator: Translator | None = None,
    draining: Draining | None = None,
) -> FastAPI:
    """Create the FastAPI application. The entry point, not this function, configures logging.

    Args:
        settings: The API's settings; by default they are read from the environment.
        follower: Loads the model; by default from the registry in the S3 bucket of the settings.
        translator: Translates plots; by default with Google's service, or not at all, as the
            settings say.
        draining: Tells whether the service is shutting down; by default it never does.
    """
    settings = settings or api_settings()
    follower = follower or Follower(
        RegistryReader(open_bucket(settings)), settings.model_poll_seconds
    )
    if translator is None and settings.translation == "google":
        translator = Translator(settings.translation_timeout_seconds)
    metrics, draining, worker = Metrics(follower), draining or Draining(), Worker()
    forecasts_reader = ForecastsReader(lambda: open_bucket(settings))
    decisions_reader = DecisionsReader(lambda: open_bucket(settings))
    catalogue_reader = CatalogueReader(
        lambda: open_bucket(settings), follower.cache, settings.model_poll_seconds
    )
    tmdb_films = TmdbFilms(settings) if settings.tmdb_api_key else None
    pollers = (follower, forecasts_reader, decisions_reader, catalogue_reader)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[State]:
        starting = (*(poller.start for poller in pollers), _read_one_film)
        await asyncio.gather(*map(asyncio.to_thread, starting))
        # Routes that are no coroutines, such as `/people`, run in one thread, in turns. Several
        # threads would not be faster, and the event loop would wait for each of them.
        current_default_thread_limiter().total_tokens = 1
        yield {
            "follower": follower,
            "translator": translator,
            "worker": worker,
            "metrics": metrics,
            "draining": draining,
            "forecasts_reader": forecasts_reader,
            "decisions_reader": decisions_reader,
            "catalogue_reader": catalogue_reader,
            "tmdb_films": tmdb_films,
            "poster_base_url": poster_base_url(settings, POSTER_PIXELS),
            "photo_base_url": poster_base_url(settings, people.PHOTO_PIXELS),
        }
        await asyncio.gather(*(asyncio.to_thread(poller.stop) for poller in pollers))
        worker.close()

    app = FastAPIOffline(
        redoc_url=None,
        title="Movie rating forecast",
        version="1.0.0",
        description=DESCRIPTION,
        contact=openapi.CONTACT,
        license_info=openapi.LICENSE,
        servers=openapi.SERVERS,
        openapi_tags=openapi.TAGS,
        generate_unique_id_function=openapi.operation_id,
        lifespan=lifespan,
        responses=problems.documented(413, 415, 500),
    )
    problems.install(app)
    _route(app, settings)
    _surround(app, settings, metrics, draining)
    openapi.complete(app)
    return app


def _read_one_film() -> None:
    # The first film needs longer: it loads the lexicon for plots, and the names of languages and
    # countries. Do that at the start, so no caller waits.
    is_english("A plot.")
    measure_plot("A plot.")
    language_code("Korean")
    country_code("South Korea")


def _route(app: FastAPI, settings: ApiSettings) -> None:
    """Add every route twice: under `/v1`, and without `/v1`, as older clients call it.

    The health probes are the exception: they have only a path without `/v1`.
    """
    guarded: dict[str, Any] = {"responses": problems.documented(401, 429)}
    if settings.api_key_hashes:
        # For the documentation only: the middleware checks the key before a route is reached.
        key = APIKeyHeader(name=keys.HEADER, auto_error=False)
        guarded["dependencies"] = [Security(key)]
    app.include_router(predict.single_films, **guarded)
    app.include_router(health.probes)
    app.include_router(problem_pages.router)
    versioned = (
        predict.batches,
        films.router,
        people.router,
        model.router,
        forecasts.router,
        feeds.router,
        track_record.router,
        decisions.router,
        health.monitoring,
    )
    for router in (predict.single_films, *versioned):
        app.include_router(router, prefix="/v1", **guarded)
    for router in versioned:
        app.include_router(router, include_in_schema=False)


def _surround(app: FastAPI, settings: ApiSettings, metrics: Metrics, draining: Draining) -> None:
    """Add the middleware that the settings require, the innermost layer first."""
    # Twice: the outer one counts the bytes that arrive, the inner one those after decompression.
    app.add_middleware(SizeLimit, max_bytes=settings.max_request_kb * 1024)
    app.add_middleware(CompressedBodies)
    app.add_middleware(SizeLimit, max_bytes=settings.max_request_kb * 1024)
    app.add_middleware(CompressedAnswers)
    app.add_middleware(HeadRequests)
    if settings.api_key_hashes:
        app.add_middleware(KeyCheck, hashes=settings.api_key_hashes)
    if settings.rate_limit_per_minute:
        app.add_middleware(
            RateLimit,
            per_minute=settings.rate_limit_per_minute,
            key_hashes=settings.api_key_hashes,
        )
    if settings.cors_origins:
        # Added after the key check and the rate limit, so that their error responses get the
        # headers without which a browser hides a response from the web page.
        app.add_middleware(
            CORSMiddleware,
            allow_origins=settings.cors_origins,
            allow_methods=["GET", "POST"],
            allow_headers=[keys.HEADER, telemetry.HEADER],
            expose_headers=[telemetry.HEADER, *limits.HEADERS, *_HEADERS_FOR_SCRIPTS],
        )
    app.add_middleware(AmbiguousLength)
    app.add_middleware(Telemetry, metrics=metrics, draining=draining)
    app.add_middleware(RelativeRedirects)
    app.add_middleware(SecurityHeaders)
    if settings.trusted_proxies:
        # The outermost layer, so that all others see the caller's address and scheme.
        app.add_middleware(ProxyHeadersMiddleware, trusted_hosts=list(settings.trusted_proxies))
