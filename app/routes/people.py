"""The route that finds names of people, companies and franchises by a few letters."""

from collections.abc import Iterable, Iterator
from typing import Annotated, Final, Literal

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, Field

from app.dependencies import ServedDep
from app.paging import NextPage, Offset, link_to_next_page
from app.problems import BAD_INPUT, UNAVAILABLE
from app.revalidation import NOT_MODIFIED, RevalidatedRoute
from movierating.films.text import name_key

# For each field of `POST /predict` that contains names: the trait whose table of target-encoded
# effects has the names that the model knows.
_TRAITS: Final = {
    "directors": "director",
    "writers": "writer",
    "cast": "cast",
    "companies": "company",
    "collection": "franchise",
}
NameField = Literal["directors", "writers", "cast", "companies", "collection"]

router = APIRouter(tags=["names"], route_class=RevalidatedRoute, responses=NOT_MODIFIED)


class Names(BaseModel):
    """Names that the model knows, spelled as `POST /predict` expects them."""

    version: Annotated[str, Field(description="The model version that knows these names.")]
    names: Annotated[list[str], Field(examples=[["Ada Novak"]])]
    next: NextPage


@router.get("/people", summary="Find a name by its letters", responses=UNAVAILABLE | BAD_INPUT)
def people(  # noqa: PLR0913, PLR0917 - one argument per query parameter
    request: Request,
    response: Response,
    served: ServedDep,
    q: Annotated[
        str,
        Query(
            min_length=1,
            max_length=100,
            description="Part of the name; case and accents are ignored.",
            examples=["ada"],
        ),
    ],
    field: Annotated[
        NameField, Query(description="The field of `POST /predict` that the name is for.")
    ] = "directors",
    limit: Annotated[int, Query(ge=1, le=50, description="Names per page.")] = 10,
    offset: Offset = 0,
) -> Names:
    """Find names of people, companies or franchises in the training films.

    Names that begin with the letters come first. Names with a later word that begins with them are
    second, and names that contain them anywhere else are last.
    """
    table = served.bundle.effects.tables.get(_TRAITS[field])
    found = _found(table.keys_and_spellings(), q) if table else []
    return Names(
        version=served.pointer.version,
        names=found[offset : offset + limit],
        next=link_to_next_page(request, response, offset, limit, len(found)),
    )


def _found(known: Iterable[tuple[str, str]], letters: str) -> list[str]:
    wanted = name_key(letters)
    return [name for _, _, name in sorted(_ranked(known, wanted))] if wanted else []


def _ranked(known: Iterable[tuple[str, str]], wanted: str) -> Iterator[tuple[int, str, str]]:
    """Yield, for each known name that matches: its rank (0 is best), key and spelling."""
    for letters, name in known:
        if letters.startswith(wanted):
            yield 0, letters, name
        elif f" {wanted}" in letters:
            yield 1, letters, name
        elif wanted in letters:
            yield 2, letters, name
