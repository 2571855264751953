"""What the bundle in service knows of the films that taught it and of those that measured it."""

from typing import Annotated, Final

import numpy as np
from fastapi import APIRouter, HTTPException, Query
from fastapi.responses import PlainTextResponse
from pydantic import BaseModel, Field

from app.problems import documented
from app.routes.predict import BAD_INPUT, NO_MODEL, ServedDep
from movierating.model.onnx_model import RATING_RANGE
from movierating.registry.evidence import Evidence

STEP: Final = 0.5  # rating points
_NOT_FOUND: Final = documented(404)

evidence = APIRouter(tags=["model"])


class Ratings(BaseModel):
    """How the audiences of many films rated them."""

    genre: Annotated[str | None, Field(description="Null: films of every genre.")]
    films: int
    mean: float
    lowest: Annotated[float, Field(description="Where the first bin begins, in rating points.")]
    step: Annotated[float, Field(description="Width of a bin, in rating points.")]
    counts: Annotated[list[int], Field(description="Films in each bin.")]


@evidence.get(
    "/ratings",
    summary="How films of a genre were rated",
    responses=NO_MODEL | BAD_INPUT | _NOT_FOUND,
)
def ratings(
    served: ServedDep,
    genre: Annotated[
        str | None, Query(max_length=60, description="As in `/options`.", examples=["Drama"])
    ] = None,
) -> Ratings:
    """The ratings of films that taught the model and had the votes to be measured, in bins."""
    similar_films = served.bundle.similar_films
    films = similar_films.films if genre is None else similar_films.of_genre(genre)
    if not films:
        raise HTTPException(404, "the model in service knows no rated film of this genre")
    rated = np.asarray([film.rating for film in films])
    lowest, highest = RATING_RANGE
    edges = np.arange(lowest, highest + STEP, STEP)
    return Ratings(
        genre=genre,
        films=len(films),
        mean=round(float(rated.mean()), 2),
        lowest=lowest,
        step=STEP,
        counts=np.histogram(rated, edges)[0].tolist(),
    )


@evidence.get(
    "/evidence",
    summary="How the model did, part by part",
    responses=NO_MODEL | _NOT_FOUND,
)
async def parts(served: ServedDep) -> Evidence:
    """Slices, calibration and the weight of each group of facts, all on the held-out films."""
    found = served.bundle.evidence
    if found is None:
        raise HTTPException(404, "this version was published without its evidence")
    return found


@evidence.get(
    "/card",
    summary="The model card",
    response_class=PlainTextResponse,
    responses=NO_MODEL | _NOT_FOUND,
)
async def card(served: ServedDep) -> PlainTextResponse:
    """The model card that the training run wrote, in Markdown."""
    if served.bundle.card is None:
        raise HTTPException(404, "this version was published without a model card")
    return PlainTextResponse(served.bundle.card, media_type="text/markdown; charset=utf-8")
