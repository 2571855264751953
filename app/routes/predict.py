"""The routes that forecast: one film, a batch of films, and one film by the old API contract."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any, Final, Self

from fastapi import APIRouter, HTTPException, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError

from app.background.catalogue_reader import CatalogueReader
from app.background.model_follower import Served
from app.dependencies import (
    catalogue_reader_of,
    in_service,
    metrics_of,
    tmdb_films_of,
    translator_of,
    worker_of,
)
from app.film_facts import MAX_BATCH_CHARACTERS, Batch, FilmFacts
from app.forecasting import (
    NOT_TRANSLATED,
    TRANSLATION_REFUSED,
    PlotReading,
    forecast,
    forecast_from_codes,
    read_plot,
)
from app.known_films import CompletedFilm, complete, complete_from_tmdb
from app.matching import unused_fields
from app.middleware.limits import charge
from app.problems import BAD_INPUT, CONFLICT, UNAVAILABLE, invalid, problem
from app.schemas import (
    AtLeast,
    BatchForecast,
    BatchRow,
    Forecast,
    IgnoredValues,
    OldForecast,
    Runtime,
)
from app.tmdb_films import TmdbFilms
from app.translation import Translator, is_english
from app.worker import Worker
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

_WAITING_AT_ONCE: Final = 4  # films of one batch that are translated or fetched
_PARAMETERS: Final = ("explain", "at_least", "translate")
# A film whose plot has to be translated, or the facts in a request if TMDB must be asked for more.
_Waiting = CompletedFilm | FilmFacts
_NO_ROWS: Final = b'"results":[]'
_OLD_PARAMETERS: Final = (
    "runtime",
    "genre_encoded",
    "lang_encoded",
    "sentiment",
    "overview_len",
    "at_least",
)


Explain = Annotated[
    bool,
    Query(description="`false` leaves `reasons` and `comparables` empty, which is faster."),
]
Translate = Annotated[
    bool,
    Query(
        description="`false` refuses the translation of plots: none is sent to another service, "
        "whatever `/options` says about translation."
    ),
]


@dataclass(frozen=True)
class _Tools:
    """What a request needs to forecast films, all with one version of the model.

    Attributes:
        tmdb_films: Fetches films that the catalogue does not have; None without a key for TMDB.
        translator: None if translation is switched off, or if the request refuses it.
        at_least: The answers state the probability of these ratings or more.
        unread: Why a plot is not read if it is neither English nor translated.
    """

    served: Served
    catalogue_reader: CatalogueReader
    tmdb_films: TmdbFilms | None
    translator: Translator | None
    worker: Worker
    at_least: Sequence[float]
    unread: str

    @classmethod
    def of(cls, request: Request, at_least: Sequence[float], *, translate: bool) -> Self:
        translator = translator_of(request)
        is_refused = translator is not None and not translate
        return cls(
            in_service(request),
            catalogue_reader_of(request),
            tmdb_films_of(request),
            None if is_refused else translator,
            worker_of(request),
            at_least,
            TRANSLATION_REFUSED if is_refused else NOT_TRANSLATED,
        )


@single_films.post(
    "/predict",
    summary="Forecast from raw facts",
    responses=UNAVAILABLE | BAD_INPUT | CONFLICT,
)
async def predict(
    request: Request,
    facts: FilmFacts,
    explain: Explain = True,
    at_least: AtLeast = [],  # noqa: B006 - FastAPI never changes it
    translate: Translate = True,
) -> Forecast:
    """Forecast the TMDB rating of a film from facts that are known before its release.

    Send the facts, or the film's `tmdb_id`, or both: then what you send overrides the catalogue.
    """
    tools = _Tools.of(request, at_least, translate=translate)
    if explain or facts.overview or facts.tmdb_id:
        answer = await _forecast(tools, facts, explained=explain)
    else:  # takes less time than the way to the worker
        answer = _calculate(tools, CompletedFilm(facts), read_plot(None, None), explained=False)
    metrics_of(request).count_forecast(answer.rating, "facts")
    answer.ignored.extend(_unused_parameters(request, *_PARAMETERS))
    return answer


@single_films.get(
    "/predict",
    summary="Forecast from the old five numbers",
    responses=UNAVAILABLE | BAD_INPUT,
    deprecated=True,
    response_model_exclude_none=True,  # the old contract has only the rating
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
    at_least: AtLeast = [],  # noqa: B006 - FastAPI never changes it
) -> OldForecast:
    """Forecast the rating of a film from the five numbers of the old API contract.

    Use `POST /v1/predict` instead. This route may be switched off after 2027-12-31.
    """
    response.headers.raw.extend(_DEPRECATION)
    served = in_service(request)
    _check_code(served.bundle.codes.genres, genre_encoded, "genre_encoded")
    _check_code(served.bundle.codes.languages, lang_encoded, "lang_encoded")
    answer = forecast_from_codes(
        served.bundle, runtime, genre_encoded, lang_encoded, sentiment, overview_len, at_least
    )
    metrics_of(request).count_forecast(answer.predicted_rating, "codes")
    ignored = _unused_parameters(request, *_OLD_PARAMETERS)
    if sentiment and not overview_len:
        reason = "a mood without a plot is not used; send overview_len as well"
        ignored.append(IgnoredValues(field="sentiment", values=[str(sentiment)], reason=reason))
    answer.ignored = ignored or None
    return answer


@batches.post(
    "/predict/batch",
    summary="Forecast several films",
    response_model=BatchForecast,
    responses=UNAVAILABLE | BAD_INPUT,
)
async def predict_batch(
    request: Request,
    batch: Batch,
    explain: Explain = True,
    at_least: AtLeast = [],  # noqa: B006 - FastAPI never changes it
    translate: Translate = True,
) -> Response:
    """Forecast up to 100 films with one model version.

    A film with invalid facts gets a problem in its row; the others get their forecasts. All plots
    together may have 250,000 characters. Each film counts as a request for the rate limit.
    """
    _check_characters(batch)
    charge(request, len(batch.films))
    tools = _Tools.of(request, at_least, translate=translate)
    rows: list[_Row | _Waiting] = [
        await tools.worker.run(partial(_row_without_waiting, tools, film, explained=explain))
        for film in batch.films
    ]
    places = asyncio.Semaphore(_WAITING_AT_ONCE)

    async def finished(row: _Row | _Waiting) -> _Row:
        if isinstance(row, _Row):
            return row
        async with places:
            try:
                return _row(await _finish(tools, row, explained=explain))
            except (RequestValidationError, HTTPException) as error:
                return _problem_row(error)

    results = await asyncio.gather(*map(finished, rows))
    metrics = metrics_of(request)
    for row in results:
        if row.rating is not None:
            metrics.count_forecast(row.rating, "facts")
    # The rows are JSON already: encoding all of them at once would hold up other requests.
    ignored = [
        *unused_fields(batch.model_extra or {}),
        *_unused_parameters(request, *_PARAMETERS),
    ]
    around = BatchForecast(version=tools.served.pointer.version, results=[], ignored=ignored)
    beginning, end = around.model_dump_json().encode().split(_NO_ROWS, 1)
    body = b'%b"results":[%b]%b' % (beginning, b",".join(row.body for row in results), end)
    return Response(body, media_type="application/json")


def _check_characters(batch: Batch) -> None:
    plots = [film.get("overview") for film in batch.films if isinstance(film, dict)]
    characters = sum(len(plot) for plot in plots if isinstance(plot, str))
    if characters > MAX_BATCH_CHARACTERS:
        message = (
            f"the plots have {characters} characters together, and a batch may have at most "
            f"{MAX_BATCH_CHARACTERS}; send fewer films at once, or shorter plots"
        )
        raise RequestValidationError(
            [{"loc": ("body", "films"), "msg": message, "type": "too_long_together"}]
        )


@dataclass(frozen=True)
class _Row:
    """The row of one film in the answer to a batch, as JSON; the rating, if there is one."""

    body: bytes
    rating: float | None = None


def _row(answer: Forecast) -> _Row:
    return _Row(BatchRow(forecast=answer).model_dump_json().encode(), answer.rating)


def _problem_row(error: RequestValidationError | HTTPException) -> _Row:
    if isinstance(error, HTTPException):
        found = problem(error.status_code, error.detail)
    else:
        found = invalid(error.errors())
    return _Row(BatchRow(problem=found).model_dump_json().encode())


def _row_without_waiting(tools: _Tools, film: Any, *, explained: bool) -> _Row | _Waiting:
    """Parse and forecast one film of a batch, as `POST /predict` does.

    Returns:
        The row of the film; or what `_finish` needs, if another service must be asked first.
    """
    try:
        facts = FilmFacts.model_validate(film)
        answer = _begin(tools, facts, explained=explained)
    except ValidationError as error:
        found = error.errors(include_input=False, include_url=False)
        places = [each | {"loc": ("body", *each["loc"])} for each in found]
        return _problem_row(RequestValidationError(places))
    except (RequestValidationError, HTTPException) as error:
        return _problem_row(error)
    return _row(answer) if isinstance(answer, Forecast) else answer


async def _forecast(tools: _Tools, facts: FilmFacts, *, explained: bool) -> Forecast:
    answer = await tools.worker.run(partial(_begin, tools, facts, explained=explained))
    if isinstance(answer, Forecast):
        return answer
    return await _finish(tools, answer, explained=explained)


async def _finish(tools: _Tools, film: _Waiting, *, explained: bool) -> Forecast:
    """Forecast a film that must be fetched from TMDB, or whose plot must be translated, first."""
    if isinstance(film, FilmFacts):
        assert tools.tmdb_films is not None  # noqa: S101 - `_begin` asks for this only with a key
        film = await complete_from_tmdb(film, tools.tmdb_films, tools.served.bundle)
        call = partial(_forecast_untranslated, tools, film, explained=explained)
        if answer := await tools.worker.run(call):
            return answer
    return await _forecast_translated(tools, film, explained=explained)


def _begin(tools: _Tools, facts: FilmFacts, *, explained: bool) -> Forecast | _Waiting:
    """Forecast a film, as far as no other service has to be asked."""
    can_fetch = tools.tmdb_films is not None
    film = complete(facts, tools.catalogue_reader, tools.served.bundle, or_fetched=can_fetch)
    if film is None:
        return facts
    return _forecast_untranslated(tools, film, explained=explained) or film


def _forecast_untranslated(
    tools: _Tools, film: CompletedFilm, *, explained: bool
) -> Forecast | None:
    """Forecast a film; return None if its plot has to be translated first."""
    text = film.facts.overview
    if not text or is_english(text):
        reading = read_plot(text, text)
    elif tools.translator:
        return None
    else:
        reading = read_plot(text, None, problem=tools.unread)
    return _calculate(tools, film, reading, explained=explained)


async def _forecast_translated(tools: _Tools, film: CompletedFilm, *, explained: bool) -> Forecast:
    """Forecast a film whose plot is not English."""
    text = film.facts.overview or ""
    english = await tools.translator.to_english(text) if tools.translator else None

    def calculate() -> Forecast:
        return _calculate(tools, film, read_plot(text, english), explained=explained)

    return await tools.worker.run(calculate)


def _calculate(
    tools: _Tools, film: CompletedFilm, reading: PlotReading, *, explained: bool
) -> Forecast:
    return forecast(
        tools.served.bundle, film, reading, explained=explained, at_least=tools.at_least
    )


def _unused_parameters(request: Request, *known: str) -> list[IgnoredValues]:
    """Name the parameters in the address of a request that the route does not have."""
    if not request.scope["query_string"]:  # parsing it takes longer than this check
        return []
    parameters = request.query_params
    return unused_fields(
        {name: parameters[name] for name in parameters if name not in known},
        "this route has no such parameter",
    )


def _check_code(table: CodeTable, code: int, field: str) -> None:
    if code >= len(table.names):
        message = "not a code of this version; /options lists the codes, -1 means unknown"
        raise RequestValidationError(
            [{"loc": ("query", field), "msg": message, "type": "unknown_code"}]
        )
