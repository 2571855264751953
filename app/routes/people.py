"""Names that the model in service has track records of, to be found by a few letters."""

from collections.abc import Iterable, Iterator
from typing import Annotated, Final, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from app.routes.predict import BAD_INPUT, NO_MODEL, ServedDep
from movierating.films.text import search_key

# Fields of `POST /predict` that hold names, and the trait whose track records know them.
_TRAITS: Final = {
    "directors": "director",
    "writers": "writer",
    "cast": "cast",
    "companies": "company",
    "collection": "franchise",
}
NameField = Literal["directors", "writers", "cast", "companies", "collection"]

names = APIRouter(tags=["names"])


class Names(BaseModel):
    """Names that a forecast can use, as `POST /predict` takes them."""

    version: Annotated[str, Field(description="The model version that knows them.")]
    names: Annotated[list[str], Field(examples=[["Ada Novak"]])]


@names.get("/people", summary="Find a name by its letters", responses=NO_MODEL | BAD_INPUT)
def people(
    served: ServedDep,
    q: Annotated[
        str,
        Query(
            min_length=1,
            max_length=100,
            description="Letters; case and accents do not count.",
            examples=["ada"],
        ),
    ],
    field: Annotated[
        NameField, Query(description="The field of `POST /predict` that the name is for.")
    ] = "directors",
    limit: Annotated[int, Query(ge=1, le=50)] = 10,
) -> Names:
    """Names with a track record; first those that begin with the letters, then by alphabet."""
    known: Iterable[str] = served.bundle.effects.tables.get(_TRAITS[field], ())
    return Names(version=served.pointer.version, names=_found(known, q)[:limit])


def _found(known: Iterable[str], letters: str) -> list[str]:
    wanted = search_key(letters)
    return [name for _, _, name in sorted(_ranked(known, wanted))] if wanted else []


def _ranked(known: Iterable[str], wanted: str) -> Iterator[tuple[int, str, str]]:
    """Names with the letters; those where they begin the name, then a word, then the rest."""
    for name in known:
        letters = search_key(name)
        if letters.startswith(wanted):
            yield 0, letters, name
        elif f" {wanted}" in letters:
            yield 1, letters, name
        elif wanted in letters:
            yield 2, letters, name
