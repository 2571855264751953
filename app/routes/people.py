"""The route that finds people, companies and franchises by a few letters of any of their names."""

from collections.abc import Sequence
from typing import Annotated, Final, Literal

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, Field

from app.background.catalogue_reader import CatalogueReader
from app.clock import today
from app.dependencies import ServedDep
from app.paging import NextPage, Offset, link_to_next_page
from app.problems import BAD_INPUT, UNAVAILABLE
from app.revalidation import NOT_MODIFIED, RevalidatedRoute
from movierating.catalogue.films import CatalogueError
from movierating.films.film import Entity, Named, name_of
from movierating.films.text import name_key
from movierating.model.target_encoding import Effects
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
_PEOPLE: Final = ("directors", "writers", "cast")
PHOTO_PIXELS: Final = 185  # width
NameField = Literal["directors", "writers", "cast", "companies", "collection"]

router = APIRouter(tags=["names"], route_class=RevalidatedRoute, responses=NOT_MODIFIED)


class FoundName(BaseModel):
    """A person, company or collection that the model knows."""

    id: Annotated[int | None, Field(description="TMDB's id; null if only the name is known.")]
    name: Annotated[str, Field(examples=["Bong Joon Ho"])]
    films: Annotated[
        dict[str, int],
        Field(
            description="Number of training films by the field of `POST /predict`, such as "
            "`directors`; only fields with a film.",
            examples=[{"directors": 8, "writers": 8}],
        ),
    ]
    photo: Annotated[
        str | None,
        Field(
            description="Address of a photo at TMDB; null if there is none, or if the films are "
            "invented."
        ),
    ]


class Names(BaseModel):
    """Whom the model knows, by names as `POST /predict` expects them."""

    version: Annotated[str, Field(description="The model version that knows these names.")]
    names: Annotated[
        list[str],
        Field(description="The names of `found`, each once.", examples=[["Ada Novak"]]),
    ]
    found: Annotated[
        list[FoundName],
        Field(description="Everybody who was found; several can have the same name."),
    ]
    is_known: Annotated[
        bool,
        Field(
            description="Whether `q` is a whole name of somebody whom the model knows in this "
            "field, in any spelling. Otherwise a forecast counts it as a newcomer."
        ),
    ]
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
            description="Part of a name, in any script; case and accents are ignored.",
            examples=["ada"],
        ),
    ],
    field: Annotated[
        NameField, Query(description="The field of `POST /predict` that the name is for.")
    ] = "directors",
    limit: Annotated[int, Query(ge=1, le=50, description="People per page.")] = 10,
    offset: Offset = 0,
) -> Names:
    """Find people, companies or collections of the training films by any of their names.

    Names that begin with the letters come first. Names with a later word that begins with them are
    second, and names that contain them anywhere else are last. People are also found by other names
    that TMDB has of them, such as the one in their own script.
    """
    effects = served.bundle.effects
    index = effects.names(_TRAITS[field])
    rows = _found(index, q)
    page = [index.entity(row) for row in rows[offset : offset + limit]]
    source = served.bundle.manifest.data.source
    photos = _photos(request, page, source) if field in _PEOPLE else {}
    return Names(
        version=served.pointer.version,
        names=list(dict.fromkeys(map(name_of, page))),
        found=[
            FoundName(
                id=each.id if isinstance(each, Entity) else None,
                name=name_of(each),
                films=_films(effects, each, field),
                photo=photos.get(each),
            )
            for each in page
        ],
        is_known=bool(index.bearing(q)),
        next=link_to_next_page(request, response, offset, limit, len(rows)),
    )


def _films(effects: Effects, named: Named, field: str) -> dict[str, int]:
    """Count the training films in each field. People have films in several fields."""
    films = {}
    for each in _PEOPLE if field in _PEOPLE else (field,):
        row = effects.names(_TRAITS[each]).find(named)
        if row is not None and (count := effects.films(_TRAITS[each], row)):
            films[each] = count
    return films


def _photos(request: Request, page: Sequence[Named], source: str) -> dict[Named, str]:
    """Return the addresses of photos; none if there is no catalogue with people of this source."""
    base: str | None = request.state.photo_base_url
    reader: CatalogueReader = request.state.catalogue_reader
    catalogue = reader.of_source(source)
    if base is None or catalogue is None:
        return {}
    entities = {each.id: each for each in page if isinstance(each, Entity)}
    try:
        paths = catalogue.photos(entities, today())
    except CatalogueError:
        return {}  # `/v1/films` names the problem; an earlier catalogue has no photos
    return {entities[number]: f"{base}{path}" for number, path in paths.items()}


def _found(index: NameIndex, letters: str) -> list[int]:
    """Return the rows of all whose names contain the letters, the best match first."""
    wanted = name_key(letters)
    ranked = sorted((_rank(key, wanted), key, row) for key, row in index.containing(letters))
    return list(dict.fromkeys(row for *_, row in ranked))


def _rank(key: str, wanted: str) -> int:
    """Return how well a key matches; 0 is best."""
    if key.startswith(wanted):
        return 0
    return 1 if f" {wanted}" in key else 2
