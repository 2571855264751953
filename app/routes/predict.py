"""The routes that forecast: one film, a batch of films, and one film by the old API contract."""

import asyncio
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError

from app.background.model_follower import Served
from app.dependencies import in_service, metrics_of, translator_of
from app.forecasting import PlotReading, forecast, forecast_from_codes, read_plot
from app.problems import BAD_INPUT, UNAVAILABLE, invalid
from app.schemas import Batch, BatchForecast, BatchRow, FilmFacts, Forecast, OldForecast, Runtime
from app.translation import Translator, is_english
from movierating.films.codes import CodeTable

# Two routers, because the API documentation shows the paths of the first one twice: with `/v1`, and
# without it, because clients used `/predict` before `/v1` existed.
single_films = APIRouter(tags=["forecast"])
batches = APIRouter(tags=["forecast"])

# The headers of RFC 9745 and RFC 8594: from when on callers should use the new contract, and when
# the old one may be switched off.
_DEPRECATION: Final = [
    (b"deprecation", b"@1796083200"),  # 2026-12-01
    (b"sunset", b"Fri, 31 Dec 2027 23:59:59 GMT"),
    (b"link", b'</docs>; rel="deprecation"; type="text/html"'),
]

_ParsedRow = tuple[FilmFacts, PlotReading] | BatchRow


@single_films.post("/predict", summary="Forecast from raw facts", responses=UNAVAILABLE | BAD_INPUT)
async def predict(
    request: Request,
    facts: FilmFacts,
    explain: Annotated[
        bool,
        Query(
            description="`false` leaves `reasons` and `comparables` empty, which is faster.",
        ),
    ] = True,
) -> Forecast:
    """Forecast the TMDB rating of a film from facts that are known before its release."""
    served = in_service(request)
    reading = await _read_plot(facts, translator_of(request))
    answer = forecast(served.bundle, facts, reading, explained=explain)
    metrics_of(request).count_forecast(answer.rating, "facts")
    return answer


@single_films.get(
    "/predict",
    summary="Forecast from the old five numbers",
    responses=UNAVAILABLE | BAD_INPUT,
    deprecated=True,
)
async def predict_from_codes(  # noqa: PLR0913, PLR0917 - the old contract has five numbers
    request: Request,
    response: Response,
    runtime: Runtime,
    genre_encoded: Annotated[
        int,
        Query(ge=-1, description="Code from `/options`; -1 for unknown.", examples=[0]),
    ],
    lang_encoded: Annotated[
        int,
        Query(ge=-1, description="Code from `/options`; -1 for unknown.", examples=[0]),
    ],
    sentiment: Annotated[
        float,
        Query(
            ge=-1,
            le=1,
            description="Mood of the plot, from -1 (dark) to 1 (bright).",
            examples=[0.1],
        ),
    ],
    overview_len: Annotated[
        int,
        Query(
            ge=0,
            le=100_000,
            description="Number of characters of the English plot; 0 for no plot.",
            examples=[240],
        ),
    ],
) -> OldForecast:
    """Forecast the rating of a film from the five numbers of the old API contract.

    Use `POST /v1/predict` instead. This route may be switched off after 2027-12-31.
    """
    response.headers.raw.extend(_DEPRECATION)
    served = in_service(request)
    _check_code(served.bundle.codes.genres, genre_encoded, "genre_encoded")
    _check_code(served.bundle.codes.languages, lang_encoded, "lang_encoded")
    rating = forecast_from_codes(
        served.bundle, runtime, genre_encoded, lang_encoded, sentiment, overview_len
    )
    metrics_of(request).count_forecast(rating, "codes")
    return OldForecast(predicted_rating=round(rating, 2))


@batches.post("/predict/batch", summary="Forecast several films", responses=UNAVAILABLE | BAD_INPUT)
async def predict_batch(request: Request, batch: Batch) -> BatchForecast:
    """Forecast up to 100 films with one model version.

    A film with invalid facts gets a problem in its row; the others get their forecasts.
    """
    served, translator = in_service(request), translator_of(request)
    rows = await asyncio.gather(*(_parse_row(film, translator) for film in batch.films))
    results = await run_in_threadpool(_forecast_rows, served, rows)
    metrics = metrics_of(request)
    for row in results:
        if row.forecast:
            metrics.count_forecast(row.forecast.rating, "facts")
    return BatchForecast(version=served.pointer.version, results=results)


async def _read_plot(facts: FilmFacts, translator: Translator) -> PlotReading:
    english = facts.overview
    if english and not is_english(english):
        english = await run_in_threadpool(translator.to_english, english)
    return read_plot(facts.overview, english)


async def _parse_row(film: Any, translator: Translator) -> _ParsedRow:
    """Parse one film of a batch as `POST /predict` does; if it is invalid, return its problem."""
    try:
        facts = FilmFacts.model_validate(film)
    except ValidationError as error:
        found = error.errors(include_input=False, include_url=False)
        return BatchRow(problem=invalid([each | {"loc": ("body", *each["loc"])} for each in found]))
    return facts, await _read_plot(facts, translator)


def _forecast_rows(served: Served, rows: list[_ParsedRow]) -> list[BatchRow]:
    return [
        row if isinstance(row, BatchRow) else BatchRow(forecast=forecast(served.bundle, *row))
        for row in rows
    ]


def _check_code(table: CodeTable, code: int, field: str) -> None:
    if code >= len(table.names):
        message = "not a code of this version; /options lists the codes, -1 means unknown"
        raise RequestValidationError(
            [{"loc": ("query", field), "msg": message, "type": "unknown_code"}]
        )
