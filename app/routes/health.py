"""The routes for load balancers and monitoring."""

from fastapi import APIRouter, Request
from fastapi.responses import PlainTextResponse

from app.dependencies import ServedDep, metrics_of
from app.problems import UNAVAILABLE, NoModelError
from app.schemas import Health

# Two routers, because load balancers send no key: the probes have no key check and no `/v1` path.
probes = APIRouter(tags=["health"])
monitoring = APIRouter(tags=["health"])


@probes.get("/livez", summary="Is the process alive?")
async def livez() -> Health:
    """Answer as long as the process runs."""
    return Health(status="alive")


@probes.get("/readyz", summary="Is a verified model in service?", responses=UNAVAILABLE)
async def readyz(request: Request, served: ServedDep) -> Health:
    """Return the model version in service; 503 without one, or while the service shuts down."""
    if request.state.draining.has_begun:
        raise NoModelError("this service is shutting down; send requests to another one")
    return Health(status="ready", version=served.pointer.version)


@monitoring.get("/metrics", summary="Metrics for Prometheus", response_class=PlainTextResponse)
async def metrics(request: Request) -> PlainTextResponse:
    """Return counts of requests and forecasts, latencies, the model's age, and failed polls."""
    return PlainTextResponse(metrics_of(request).exposition())
