"""The HTTP application of the TMDB stand-in (a local imitation of TMDB).

It serves TMDB's API under /3. Other routes let tests control the stand-in.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import APIRouter, FastAPI, Request, Response
from starlette.middleware.gzip import GZipMiddleware

from sandbox.tmdb.edge import CacheHeaders, FrontDoor
from sandbox.tmdb.errors import TmdbError
from sandbox.tmdb.faults import Fault, FaultPlan, Gate
from sandbox.tmdb.routes import router
from sandbox.tmdb.service import StandIn, StandInDep, State, tell
from sandbox.tmdb.stats import Stats

GZIP_LEVEL = 1  # the fastest: most requests come from this machine

controls = APIRouter(tags=["controls"])


@controls.put("/faults")
async def put_faults(faults: list[Fault], stand_in: StandInDep, seed: int = 0) -> list[Fault]:
    """Set the faults (errors on purpose) that the TMDB stand-in puts into its responses.

    They replace the faults that were set before. With the same seed, the same responses get them.
    """
    stand_in.plan = FaultPlan(faults, seed)
    return faults


@controls.delete("/faults", status_code=204)
async def delete_faults(stand_in: StandInDep) -> None:
    """Switch all faults off, so that every response is correct again."""
    stand_in.plan = FaultPlan()


@controls.put("/keys/revoked", status_code=204)
async def put_revoked_keys(keys: list[str], stand_in: StandInDep) -> None:
    """Set the API keys and access tokens that the TMDB stand-in refuses.

    They replace the list that was set before. If the list is empty, the stand-in refuses none.
    """
    stand_in.keys.revoked = frozenset(keys)


@controls.get("/stats")
async def get_stats(stand_in: StandInDep) -> dict[str, object]:
    """Return how many requests the TMDB stand-in has received, by HTTP status and by path.

    In the paths, `{id}` stands for any id.
    """
    return stand_in.stats.report()


@controls.delete("/stats", status_code=204)
async def delete_stats(stand_in: StandInDep) -> None:
    """Set all counts of requests back to zero."""
    stand_in.stats = Stats()


def create_app(stand_in: StandIn) -> FastAPI:
    """Build the FastAPI application for one TMDB stand-in."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[State]:
        yield {"stand_in": stand_in}

    async def tell_error(_: Request, error: TmdbError) -> Response:
        return tell(error.status.body(), error.status.http, error.status.headers)

    # `FrontDoor` removes the slash at the end of a path, so a redirect to such a path never ends.
    app = FastAPI(title="TMDB stand-in", lifespan=lifespan, redirect_slashes=False)
    app.include_router(router)
    app.include_router(controls)
    app.exception_handler(TmdbError)(tell_error)
    # The layer that is added last is the outermost. Faults change the complete response, and
    # responses with faults get the header `Date` too.
    app.add_middleware(CacheHeaders, aged=stand_in.unkindness is not None)
    app.add_middleware(GZipMiddleware, compresslevel=GZIP_LEVEL)
    # Functions instead of values, because tests replace the plan and the counts at any time.
    app.add_middleware(Gate, plan=lambda: stand_in.plan, stats=lambda: stand_in.stats)
    app.add_middleware(FrontDoor, now=stand_in.now, source=stand_in.store.source)
    return app
