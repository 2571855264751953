"""The routes of the API."""

from http import HTTPStatus
from typing import Annotated

from babel import Locale
from fastapi import APIRouter, Depends, Query, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.exceptions import RequestValidationError

from app.follower import Follower, Served
from app.forecasting import forecast, old_forecast, read_plot
from app.problems import NoModelError, documented
from app.schemas import (
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
from movierating.encoders import CodeTable

NO_MODEL = documented(HTTPStatus.SERVICE_UNAVAILABLE)
BAD_INPUT = documented(HTTPStatus.UNPROCESSABLE_ENTITY)

forecasts = APIRouter(tags=["forecast"])
health = APIRouter(tags=["health"])

# TMDB's own codes that are no ISO 639-1.
_TMDB_LANGUAGES = {"cn": "yue", "xx": "zxx"}


def _follower(request: Request) -> Follower:
    follower: Follower = request.state.follower
    return follower


def _served(follower: Annotated[Follower, Depends(_follower)]) -> Served:
    if follower.served is None:
        raise NoModelError(f"no model is in service: {follower.problem or 'not loaded yet'}")
    return follower.served


def _translator(request: Request) -> Translator:
    translator: Translator = request.state.translator
    return translator


FollowerDep = Annotated[Follower, Depends(_follower)]
ServedDep = Annotated[Served, Depends(_served)]
TranslatorDep = Annotated[Translator, Depends(_translator)]


@forecasts.post("/predict", summary="Forecast from raw facts", responses=NO_MODEL | BAD_INPUT)
async def predict(facts: FilmFacts, served: ServedDep, translator: TranslatorDep) -> Forecast:
    """Forecast the TMDB rating of a film from what is known before it opens."""
    english = facts.overview
    if english and not is_english(english):
        english = await run_in_threadpool(translator.to_english, english)
    return forecast(served.bundle, facts, read_plot(facts.overview, english))


@forecasts.get(
    "/predict", summary="Forecast from the old five numbers", responses=NO_MODEL | BAD_INPUT
)
async def predict_from_codes(  # noqa: PLR0913, PLR0917 - the old contract has five numbers
    served: ServedDep,
    runtime: Runtime,
    genre_encoded: Annotated[int, Query(ge=-1, description="As in `/options`; -1: unknown.")],
    lang_encoded: Annotated[int, Query(ge=-1, description="As in `/options`; -1: unknown.")],
    sentiment: Annotated[float, Query(ge=-1, le=1, description="Mood of the plot.")],
    overview_len: Annotated[
        int, Query(ge=0, le=100_000, description="Characters of the English plot; 0: no plot.")
    ],
) -> OldForecast:
    """Forecast from five numbers: the old contract, answered by the same model."""
    _known_code(served.bundle.codes.genres, genre_encoded, "genre_encoded")
    _known_code(served.bundle.codes.languages, lang_encoded, "lang_encoded")
    rating = old_forecast(
        served.bundle, runtime, genre_encoded, lang_encoded, sentiment, overview_len
    )
    return OldForecast(predicted_rating=round(rating, 2))


@forecasts.get("/options", summary="Genres and languages with codes", responses=NO_MODEL)
async def options(served: ServedDep) -> Options:
    """The genres and languages the model knows, each with its code of the old contract."""
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
async def readyz(served: ServedDep) -> Health:
    """Whether a verified model is in service, and which."""
    return Health(status="ready", version=served.pointer.version)


@health.get("/version", summary="Which model answers, and its lineage", responses=NO_MODEL)
async def version(served: ServedDep, follower: FollowerDep) -> VersionInfo:
    """Which model answers, since when, how good it is, and where it comes from."""
    manifest, pointer = served.bundle.manifest, served.pointer
    return VersionInfo(
        version=manifest.version,
        since=pointer.at,
        reason=pointer.reason,
        loaded_from=served.loaded_from,
        registry_problem=follower.problem,
        run_date=manifest.run_date,
        model_type=manifest.model_type,
        parameters=manifest.parameters,
        features=len(manifest.features),
        data=manifest.data,
        split=manifest.split,
        metrics=manifest.metrics,
        baselines=manifest.baselines,
        interval_coverage=manifest.interval80.coverage,
        commit=manifest.commit,
        wandb_run=manifest.wandb_run,
    )


def _known_code(table: CodeTable, code: int, field: str) -> None:
    if code >= len(table.names):
        message = "no code of this version; /options lists them, -1 is unknown"
        raise RequestValidationError([{"loc": ("query", field), "msg": message, "type": "code"}])


def _english_name(language: str) -> str:
    iso = _TMDB_LANGUAGES.get(language, language)
    return str(Locale("en").languages.get(iso, language))
