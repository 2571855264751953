"""The routes of the API."""

import asyncio
from http import HTTPStatus
from typing import Annotated, Any

from babel import Locale
from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.exceptions import RequestValidationError
from fastapi.responses import PlainTextResponse
from pydantic import ValidationError

from app.background.model_follower import Follower, Served
from app.forecasting import Reading, forecast, old_forecast, read_plot
from app.metrics import Metrics
from app.problems import NoModelError, documented, invalid
from app.schemas import (
    Batch,
    BatchForecast,
    BatchRow,
    FilmFacts,
    Forecast,
    GenreOption,
    Health,
    LanguageOption,
    OldForecast,
    Options,
    Runtime,
    VersionInfo,
)
from app.translation import Translator, is_english
from movierating.films.codes import CodeTable

NO_MODEL = documented(HTTPStatus.SERVICE_UNAVAILABLE)
BAD_INPUT = documented(HTTPStatus.UNPROCESSABLE_ENTITY)

predictions = APIRouter(tags=["forecast"])
forecasts = APIRouter(tags=["forecast"])
monitoring = APIRouter(tags=["health"])
health = APIRouter(tags=["health"])

# TMDB's own codes that are no ISO 639-1.
_TMDB_LANGUAGES = {"cn": "yue", "xx": "zxx"}
_OPTIONS_ARE_KEPT = "private, max-age=60"


def in_service(request: Request) -> Served:
    """The model in service, which the request's line in the log will name.

    Raises:
        NoModelError: There is none yet.
    """
    follower: Follower = request.state.follower
    served = follower.served
    if served is None:
        raise NoModelError(f"no model is in service: {follower.problem or 'not loaded yet'}")
    request.state.version = served.pointer.version
    return served


# `async`, since FastAPI sends a plain function through a thread. The forecasts themselves ask for
# the model without it: a dependency takes a tenth of the time of a forecast.
async def _served(request: Request) -> Served:
    return in_service(request)


ServedDep = Annotated[Served, Depends(_served)]


def _metrics(request: Request) -> Metrics:
    metrics: Metrics = request.state.metrics
    return metrics


def _translator(request: Request) -> Translator:
    translator: Translator = request.state.translator
    return translator


@predictions.post("/predict", summary="Forecast from raw facts", responses=NO_MODEL | BAD_INPUT)
async def predict(
    request: Request,
    facts: FilmFacts,
    explain: Annotated[
        bool,
        Query(
            description="`false` leaves `reasons` and `comparables` empty, and answers faster.",
        ),
    ] = True,
) -> Forecast:
    """Forecast the TMDB rating of a film from what is known before it opens."""
    served = in_service(request)
    reading = await _read(facts, _translator(request))
    answer = forecast(served.bundle, facts, reading, explained=explain)
    _metrics(request).predicted(answer.rating, "facts")
    return answer


@predictions.get(
    "/predict", summary="Forecast from the old five numbers", responses=NO_MODEL | BAD_INPUT
)
async def predict_from_codes(  # noqa: PLR0913, PLR0917 - the old contract has five numbers
    request: Request,
    runtime: Runtime,
    genre_encoded: Annotated[
        int, Query(ge=-1, description="As in `/options`; -1: unknown.", examples=[0])
    ],
    lang_encoded: Annotated[
        int, Query(ge=-1, description="As in `/options`; -1: unknown.", examples=[0])
    ],
    sentiment: Annotated[
        float,
        Query(ge=-1, le=1, description="Mood of the plot: -1 dark, 1 bright.", examples=[0.1]),
    ],
    overview_len: Annotated[
        int,
        Query(
            ge=0,
            le=100_000,
            description="Characters of the English plot; 0: no plot.",
            examples=[240],
        ),
    ],
) -> OldForecast:
    """Forecast from five numbers: the old contract, answered by the same model."""
    served = in_service(request)
    _known_code(served.bundle.codes.genres, genre_encoded, "genre_encoded")
    _known_code(served.bundle.codes.languages, lang_encoded, "lang_encoded")
    rating = old_forecast(
        served.bundle, runtime, genre_encoded, lang_encoded, sentiment, overview_len
    )
    _metrics(request).predicted(rating, "codes")
    return OldForecast(predicted_rating=round(rating, 2))


@forecasts.post("/predict/batch", summary="Forecast several films", responses=NO_MODEL | BAD_INPUT)
async def predict_batch(request: Request, batch: Batch) -> BatchForecast:
    """Forecast up to 100 films; each answers for itself, and one version answers all."""
    served, translator = in_service(request), _translator(request)
    rows = await asyncio.gather(*(_understood(film, translator) for film in batch.films))
    results = await run_in_threadpool(_forecast_rows, served, rows)
    metrics = _metrics(request)
    for row in results:
        if row.forecast:
            metrics.predicted(row.forecast.rating, "facts")
    return BatchForecast(version=served.pointer.version, results=results)


@forecasts.get("/options", summary="Genres and languages with codes", responses=NO_MODEL)
async def options(served: ServedDep, response: Response) -> Options:
    """The genres and languages the model knows, each with its code of the old contract."""
    response.headers["Cache-Control"] = _OPTIONS_ARE_KEPT
    codes = served.bundle.codes
    return Options(
        version=served.pointer.version,
        genres=[GenreOption(code=code, name=name) for code, name in enumerate(codes.genres.names)],
        languages=[
            LanguageOption(code=code, language=language, name=_english_name(language))
            for code, language in enumerate(codes.languages.names)
        ],
    )


@health.get("/livez", summary="Is the process alive?")
async def livez() -> Health:
    """Whether the process answers."""
    return Health(status="alive")


@health.get("/readyz", summary="Is a verified model in service?", responses=NO_MODEL)
async def readyz(request: Request, served: ServedDep) -> Health:
    """Whether a verified model is in service, and which; 503 also once the service is to end."""
    if request.state.draining.has_begun:
        raise NoModelError("this service is about to end; ask another")
    return Health(status="ready", version=served.pointer.version)


@monitoring.get("/metrics", summary="Measurements for Prometheus", response_class=PlainTextResponse)
async def measurements(request: Request) -> PlainTextResponse:
    """Requests, latencies, forecasts, the model's age and failed polls."""
    return PlainTextResponse(_metrics(request).exposition())


@monitoring.get("/version", summary="Which model answers, and its lineage", responses=NO_MODEL)
async def version(request: Request, served: ServedDep) -> VersionInfo:
    """Which model answers, since when, how good it is, and where it comes from."""
    follower: Follower = request.state.follower
    manifest, pointer = served.bundle.manifest, served.pointer
    return VersionInfo(
        version=manifest.version,
        since=pointer.at,
        by=pointer.by,
        reason=pointer.reason,
        previous=pointer.previous,
        loaded_at=served.loaded_at,
        loaded_from=served.loaded_from,
        registry_problem=follower.problem,
        cache_problem=follower.cache_problem,
        created_at=manifest.created_at,
        run_date=manifest.run_date,
        model_type=manifest.model_type,
        parameters=manifest.parameters,
        features=len(manifest.features),
        data=manifest.data,
        split=manifest.split,
        metrics=manifest.metrics,
        baselines=manifest.baselines,
        interval_coverage=manifest.interval80.coverage,
        libraries=manifest.libraries,
        commit=manifest.commit,
        wandb_run=manifest.wandb_run,
    )


_Understood = tuple[FilmFacts, Reading] | BatchRow


async def _read(facts: FilmFacts, translator: Translator) -> Reading:
    english = facts.overview
    if english and not is_english(english):
        english = await run_in_threadpool(translator.to_english, english)
    return read_plot(facts.overview, english)


async def _understood(film: Any, translator: Translator) -> _Understood:
    """A film as `POST /predict` would understand it, or its problem."""
    try:
        facts = FilmFacts.model_validate(film)
    except ValidationError as error:
        found = error.errors(include_input=False, include_url=False)
        return BatchRow(problem=invalid([each | {"loc": ("body", *each["loc"])} for each in found]))
    return facts, await _read(facts, translator)


def _forecast_rows(served: Served, rows: list[_Understood]) -> list[BatchRow]:
    return [
        row if isinstance(row, BatchRow) else BatchRow(forecast=forecast(served.bundle, *row))
        for row in rows
    ]


def _known_code(table: CodeTable, code: int, field: str) -> None:
    if code >= len(table.names):
        message = "no code of this version; /options lists them, -1 is unknown"
        raise RequestValidationError([{"loc": ("query", field), "msg": message, "type": "code"}])


def _english_name(language: str) -> str:
    iso = _TMDB_LANGUAGES.get(language, language)
    return str(Locale("en").languages.get(iso, language))
