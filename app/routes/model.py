"""The routes that describe the model in service: version, codes, training ratings, evaluation."""

from typing import Annotated, Any, Final

import numpy as np
from babel import Locale
from fastapi import APIRouter, HTTPException, Query, Request, Response
from pydantic import BaseModel, Field

from app.dependencies import FollowerDep, ServedDep, translator_of
from app.matching import known_genre
from app.problems import BAD_INPUT, NOT_FOUND, UNAVAILABLE
from app.revalidation import NOT_MODIFIED, RevalidatedRoute
from app.schemas import GenreOption, LanguageOption, Options, VersionInfo, VersionName
from movierating.films.languages import TMDB_LANGUAGES
from movierating.films.text import normalise
from movierating.model.distribution import RATING_RANGE
from movierating.registry.evidence import Evidence

router = APIRouter(route_class=RevalidatedRoute, responses=NOT_MODIFIED)

BIN_WIDTH: Final = 0.5  # rating points
# Callers may keep these responses for a minute, so that a page need not ask for each visitor.
_CACHE_CONTROL: Final = "private, max-age=60"
_MARKDOWN: Final[dict[int | str, dict[str, Any]]] = {
    200: {"content": {"text/markdown": {"schema": {"type": "string"}}}}
}


class Ratings(BaseModel):
    """The distribution of ratings among the training films."""

    genre: Annotated[str | None, Field(description="Null: films of every genre.")]
    films: int
    mean: float
    lowest: Annotated[float, Field(description="Lower edge of the first bin, in rating points.")]
    step: Annotated[float, Field(description="Width of a bin, in rating points.")]
    counts: Annotated[list[int], Field(description="Number of films in each bin.")]


@router.get(
    "/options",
    summary="Genres and languages with codes",
    responses=UNAVAILABLE,
    tags=["forecast"],
)
async def options(served: ServedDep, request: Request, response: Response) -> Options:
    """List the genres and languages that the model knows, with their codes for `GET /predict`."""
    response.headers["Cache-Control"] = _CACHE_CONTROL
    codes = served.bundle.codes
    return Options(
        version=served.pointer.version,
        genres=[GenreOption(code=code, name=name) for code, name in enumerate(codes.genres.names)],
        languages=[
            LanguageOption(code=code, language=language, name=_english_name(language))
            for code, language in enumerate(codes.languages.names)
        ],
        plot_languages=[*served.bundle.effects.plot_languages],
        translation="google" if translator_of(request) else "off",
    )


@router.get(
    "/ratings",
    summary="Ratings of the training films",
    responses=UNAVAILABLE | BAD_INPUT | NOT_FOUND,
    tags=["model"],
)
def ratings(
    served: ServedDep,
    response: Response,
    genre: Annotated[
        str | None,
        Query(max_length=60, description="A genre from `/options`.", examples=["Drama"]),
    ] = None,
) -> Ratings:
    """Return a histogram of the training films' ratings, for one genre or for all films.

    Films with too few votes for a reliable rating are not training films, so they are not included.
    """
    response.headers["Cache-Control"] = _CACHE_CONTROL
    similar_films = served.bundle.similar_films
    if genre is not None:
        genre = known_genre(served.bundle.codes.genres, normalise(genre)) or genre
    films = similar_films.films if genre is None else similar_films.of_genre(genre)
    if not films:
        raise HTTPException(404, "no training film of the model in service has this genre")
    rated = np.asarray([film.rating for film in films])
    lowest, highest = RATING_RANGE
    edges = np.arange(lowest, highest + BIN_WIDTH, BIN_WIDTH)
    return Ratings(
        genre=genre,
        films=len(films),
        mean=round(float(rated.mean()), 2),
        lowest=lowest,
        step=BIN_WIDTH,
        counts=np.histogram(rated, edges)[0].tolist(),
    )


@router.get(
    "/evidence",
    summary="Errors of the model by subgroup",
    responses=UNAVAILABLE | NOT_FOUND,
    tags=["model"],
)
async def evidence(served: ServedDep) -> Evidence:
    """Return the model's errors by subgroup of films, its calibration and its most important facts.

    All values are measured on hold-out films, with a model that was not trained on them. The model
    in service was then trained again on all films.
    """
    measured = served.bundle.evidence
    if measured is None:
        raise HTTPException(404, "this version was published without its evidence")
    return measured


@router.get(
    "/card",
    summary="The model card",
    response_class=Response,
    responses=UNAVAILABLE | NOT_FOUND | _MARKDOWN,
    tags=["model"],
)
async def card(served: ServedDep) -> Response:
    """Return the model card that the training run wrote, in Markdown."""
    if served.bundle.card is None:
        raise HTTPException(404, "this version was published without a model card")
    return Response(served.bundle.card, media_type="text/markdown")


@router.get(
    "/version",
    summary="The model in service and its lineage",
    responses=UNAVAILABLE,
    tags=["health"],
)
async def version(
    request: Request, response: Response, follower: FollowerDep, served: ServedDep
) -> VersionInfo | VersionName:
    """Return the version in service: when and why it was promoted, its errors and its origin.

    The errors are those of the measured model, which was trained on the films before the split
    date. The model in service was trained again on all films (`refit`).

    If this service requires keys, callers without a key get the version's name only.
    """
    response.headers["Cache-Control"] = _CACHE_CONTROL
    manifest, pointer = served.bundle.manifest, served.pointer
    if getattr(request.state, "is_stranger", False):
        return VersionName(version=manifest.version)
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
        refit=manifest.refit,
        metrics=manifest.metrics,
        baselines=manifest.baselines,
        interval_coverage=manifest.interval80.coverage,
        libraries=manifest.libraries,
        commit=manifest.commit,
        wandb_run=manifest.wandb_run,
    )


def _english_name(language: str) -> str:
    iso = TMDB_LANGUAGES.get(language, language)
    return str(Locale("en").languages.get(iso, language))
