"""The route that finds names of people, companies and franchises by a few letters."""

from typing import Annotated, Final, Literal

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, Field

from app.dependencies import ServedDep
from app.paging import NextPage, Offset, link_to_next_page
from app.problems import BAD_INPUT, UNAVAILABLE
from app.revalidation import NOT_MODIFIED, RevalidatedRoute
from movierating.films.text import name_key
from movierating.model.token_index import NameIndex

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
    found = _found(served.bundle.effects.names(_TRAITS[field]), q)
    return Names(
        version=served.pointer.version,
        names=found[offset : offset + limit],
        next=link_to_next_page(request, response, offset, limit, len(found)),
    )


def _found(index: NameIndex, letters: str) -> list[str]:
    """Return the names that contain the letters, each once: homonyms have the same name."""
    ranked = {(*_rank(key, letters), index.name(row)) for key, row in index.containing(letters)}
    return list(dict.fromkeys(name for *_, name in sorted(ranked)))


def _rank(key: str, letters: str) -> tuple[int, str]:
    """Return how well a key matches, 0 is best, and the key."""
    wanted = name_key(letters)
    if key.startswith(wanted):
        return 0, key
    return (1 if f" {wanted}" in key else 2), key
