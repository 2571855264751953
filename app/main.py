"""The FastAPI application; `python -m app.server` serves it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final, TypedDict

from fastapi import FastAPI, Security
from fastapi.middleware.cors import CORSMiddleware
from fastapi.security import APIKeyHeader
from fastapi_offline import FastAPIOffline
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from app import keys, logs, problems
from app.background.model_follower import Follower
from app.draining import Draining
from app.metrics import Metrics
from app.middleware import telemetry
from app.middleware.api_keys import KeyCheck
from app.middleware.limits import RateLimit, SizeLimit
from app.middleware.security_headers import SecurityHeaders
from app.middleware.telemetry import Telemetry
from app.routes import decisions, forecasts, model, people, predict
from app.routes.decisions import HistoryReader
from app.routes.forecasts import POSTER_PIXELS, LedgerReader
from app.translation import Translator, is_english
from movierating.films.text import measure_plot
from movierating.posters import poster_base_url
from movierating.registry.registry import Registry
from movierating.s3 import open_bucket
from movierating.settings import Settings, get_settings

DESCRIPTION: Final = """
Forecasts the TMDB rating (0 to 10) of a film from what is known before it opens.

Send what you know to `POST /v1/predict`, or up to a hundred films to `POST /v1/predict/batch`; what
is left out counts as unknown, never as zero. `GET /v1/predict` takes the five numbers of the old
contract, `GET /v1/options` lists their codes. Every path under `/v1` also answers without it.
Errors are problem details after RFC 9457: 422 says which field to change, 503 that no verified
model is in service yet. Each answer carries an `X-Request-ID`; quote it when something is odd.

This product uses the TMDB API but is not endorsed or certified by TMDB.
"""


class State(TypedDict):
    """What the routes reach through the request."""

    follower: Follower
    translator: Translator
    metrics: Metrics
    draining: Draining
    ledger: LedgerReader
    history: HistoryReader
    posters: str | None


def create_app(
    settings: Settings | None = None,
    follower: Follower | None = None,
    translator: Translator | None = None,
    draining: Draining | None = None,
) -> FastAPI:
    """The application; tests pass settings, follower and translator of their own."""
    logs.configure()
    settings = settings or get_settings()
    follower = follower or Follower(Registry(open_bucket(settings)), settings.model_poll_seconds)
    translator = translator or Translator(settings.translation_timeout_seconds)
    metrics, draining = Metrics(follower), draining or Draining()
    forecasts = LedgerReader(lambda: open_bucket(settings))
    decisions = HistoryReader(lambda: open_bucket(settings))

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[State]:
        starting = (follower.start, forecasts.start, decisions.start, _read_one_plot)
        await asyncio.gather(*map(asyncio.to_thread, starting))
        yield {
            "follower": follower,
            "translator": translator,
            "metrics": metrics,
            "draining": draining,
            "ledger": forecasts,
            "history": decisions,
            "posters": poster_base_url(settings, POSTER_PIXELS),
        }
        ending = (follower.stop, forecasts.stop, decisions.stop)
        await asyncio.gather(*map(asyncio.to_thread, ending))
        translator.close()

    app = FastAPIOffline(
        redoc_url=None,
        title="Movie rating forecast",
        version="0.1.0",
        description=DESCRIPTION,
        lifespan=lifespan,
        responses=problems.documented(413),
    )
    problems.install(app)
    _route(app, settings)
    _surround(app, settings, metrics, draining)
    return app


def _read_one_plot() -> None:
    # The first takes half a second of imports, which no caller should wait for.
    is_english("A plot.")
    measure_plot("A plot.")


def _route(app: FastAPI, settings: Settings) -> None:
    """Every path under /v1, and as it was before there were versions."""
    guarded: dict[str, Any] = {"responses": problems.documented(401, 429)}
    if settings.api_key_hashes:  # checked before it comes here; this tells the documentation
        key = APIKeyHeader(name=keys.HEADER, auto_error=False)
        guarded["dependencies"] = [Security(key)]
    app.include_router(predict.predictions, **guarded)
    app.include_router(predict.health)
    unversioned = (
        predict.forecasts,
        people.names,
        model.evidence,
        forecasts.records,
        decisions.decisions,
        predict.monitoring,
    )
    for router in (predict.predictions, *unversioned):
        app.include_router(router, prefix="/v1", **guarded)
    for router in unversioned:
        app.include_router(router, include_in_schema=False)


def _surround(app: FastAPI, settings: Settings, metrics: Metrics, draining: Draining) -> None:
    """Put the layers around the application, the innermost first; what is unset costs nothing."""
    app.add_middleware(SizeLimit, max_bytes=settings.max_request_kb * 1024)
    if settings.api_key_hashes:
        app.add_middleware(KeyCheck, hashes=settings.api_key_hashes)
    if settings.rate_limit_per_minute:
        app.add_middleware(RateLimit, per_minute=settings.rate_limit_per_minute)
    if settings.cors_origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=settings.cors_origins,
            allow_methods=["GET", "POST"],
            allow_headers=[keys.HEADER, telemetry.HEADER],
            expose_headers=[telemetry.HEADER, "Retry-After"],
        )
    app.add_middleware(Telemetry, metrics=metrics, draining=draining)
    if settings.trusted_proxies:
        app.add_middleware(ProxyHeadersMiddleware, trusted_hosts=list(settings.trusted_proxies))
    app.add_middleware(SecurityHeaders)
