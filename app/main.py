"""The FastAPI application: `uvicorn --factory app.main:create_app`."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import TypedDict

from fastapi import FastAPI
from fastapi_offline import FastAPIOffline

from app import evidence, ledger, people, problems, routes
from app.follower import Follower
from app.translation import Translator
from movierating.registry import Registry
from movierating.s3 import open_bucket
from movierating.settings import Settings, get_settings

DESCRIPTION = """
Forecasts the TMDB rating (0 to 10) of a film from what is known before it opens.

Send what you know to `POST /predict`; what is left out counts as unknown, never as zero.
`GET /predict` takes the five numbers of the old contract, `GET /options` lists their codes.
Errors are problem details after RFC 9457: 422 says which field to change, 503 that no verified
model is in service yet.

This product uses the TMDB API but is not endorsed or certified by TMDB.
"""


class State(TypedDict):
    """What the routes reach through the request."""

    follower: Follower
    translator: Translator


def create_app(
    settings: Settings | None = None,
    follower: Follower | None = None,
    translator: Translator | None = None,
) -> FastAPI:
    """The application; tests pass settings, follower and translator of their own."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s: %(message)s")
    settings = settings or get_settings()
    follower = follower or Follower(Registry(open_bucket(settings)), settings.model_poll_seconds)
    translator = translator or Translator(settings.translation_timeout_seconds)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[State]:
        await asyncio.to_thread(follower.refresh)
        following = asyncio.create_task(follower.follow())
        yield {"follower": follower, "translator": translator}
        following.cancel()
        with suppress(asyncio.CancelledError):
            await following
        translator.close()

    app = FastAPIOffline(
        redoc_url=None,
        title="Movie rating forecast",
        version="0.1.0",
        description=DESCRIPTION,
        lifespan=lifespan,
    )
    problems.install(app)
    app.include_router(routes.forecasts)
    app.include_router(routes.health)
    app.include_router(ledger.router(settings))
    app.include_router(people.names)
    app.include_router(evidence.evidence)
    return app
