"""The films that callers send; the texts are public (OpenAPI documentation)."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Annotated, Any, Final, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ModelWrapValidatorHandler,
    PrivateAttr,
    ValidationError,
    WithJsonSchema,
    model_validator,
)
from pydantic_core import InitErrorDetails, PydanticCustomError

from app.field_errors import described
from app.fields import (
    FIRST_DAY,
    LAST_DAY,
    Collection,
    Countries,
    Day,
    Dollars,
    FilmId,
    Genres,
    Keywords,
    Language,
    Minutes,
    Names,
    Plot,
    Title,
    kind_of,
    refuse,
    stated,
)
from app.reading import Reading
from app.tmdb_form import OwnForm, WrongPartError, own_form
from movierating.films import tmdb
from movierating.films.tokens import MAX_CAST

_ANY_ID: Final = 1  # with an id, facts need not have a plot or a genre
_MAX_REFUSED_ENTRIES: Final = 20  # of one film; then whole lists are left out
MAX_BATCH_FILMS: Final = 100
# Of all plots together. Those of TMDB have at most 1,000 each; reading a plot takes processor time.
MAX_BATCH_CHARACTERS: Final = 250_000
_NAMED: Final = (
    "TMDB's objects with `id` and `name`, or names alone. If several have a name, the one with the "
    "most training films in this role is meant."
)


class FilmFacts(BaseModel):
    """Facts about a film that are known before its release; a plot or a genre is required.

    Null, an empty text, an empty list and TMDB's 0 mean unknown. With `tmdb_id`, the facts of that
    film in the catalogue are used, and the facts that are sent override them. A film as TMDB sends
    it is accepted as well (`/movie/{id}`, with `credits`, `keywords` and `release_dates` appended);
    its `id` is not looked up.
    """

    model_config = ConfigDict(
        extra="allow",  # so that the response can list unknown fields as ignored
        json_schema_extra={
            "examples": [
                {
                    "title": "The Lighthouse Keeper's Daughter",
                    "overview": "A young woman returns to the island where she grew up and finds "
                    "a letter that changes what she knows of her family.",
                    "genres": ["Drama", "Mystery"],
                    "language": "en",
                    "runtime": 112,
                }
            ]
        },
    )

    tmdb_id: Annotated[
        FilmId,
        Field(
            description="TMDB's id of a film in the catalogue (`/films`), whose facts are used. "
            "Each fact that is sent overrides the film's own. Null, an empty text, an empty list "
            "or 0 takes the fact away.",
            examples=[496243],
        ),
    ] = None
    title: Annotated[Title, Field(description="English title.")] = None
    overview: Annotated[
        Plot,
        Field(
            description="Plot in English or Korean. A plot in another language counts as unknown, "
            "unless the service translates plots.",
        ),
    ] = None
    genres: Annotated[
        Genres,
        Field(
            description="Names from `/options`, the main genre first. English and Korean names "
            "and TMDB's ids are accepted."
        ),
    ] = []
    language: Annotated[
        Language,
        Field(
            description="Original language, a code from `/options` such as ko or en. Tags such as "
            "ko-KR and English and Korean names are accepted."
        ),
    ] = None
    runtime: Annotated[Minutes, Field(description="Running time in minutes.")] = None
    release_date: Annotated[
        Day,
        Field(
            description=f"Date of the first release, YYYY-MM-DD, from {FIRST_DAY} to {LAST_DAY}."
        ),
    ] = None
    budget: Annotated[Dollars, Field(description="Budget in US dollars.")] = None
    countries: Annotated[
        Countries,
        Field(
            description="Production countries, ISO 3166-1: KR, US, ... English and Korean names "
            "are accepted."
        ),
    ] = []
    directors: Annotated[Names, Field(description=_NAMED)] = []
    writers: Annotated[Names, Field(description=_NAMED)] = []
    cast: Annotated[Names, Field(description=f"The lead first; {MAX_CAST} are used. {_NAMED}")] = []
    companies: Annotated[Names, Field(description=f"Production companies. {_NAMED}")] = []
    collection: Annotated[
        Collection,
        Field(description=f"Franchise of the film; TMDB calls it a collection. {_NAMED}"),
    ] = None
    keywords: Annotated[Keywords, Field(description=_NAMED)] = []

    _reading: Reading = PrivateAttr(default_factory=Reading)

    @property
    def reading(self) -> Reading:
        """What the caller sent, where it differs from the facts."""
        return self._reading

    @property
    def known(self) -> list[str]:
        """The names of the facts that are known."""
        return [name for name in FACT_NAMES if getattr(self, name) not in (None, "", [])]

    @property
    def has_plot_or_genre(self) -> bool:
        """Whether the facts are enough for a forecast."""
        return bool(self.overview or self.genres)

    def completed_by(self, known: Self) -> Self:
        """Return these facts, and the known ones where nothing was sent.

        A fact that was sent as null or blank stays unknown.
        """
        added = known.model_fields_set - self.model_fields_set
        facts = self.model_copy(update={name: getattr(known, name) for name in added})
        facts._reading = replace(self._reading, from_tmdb=added)
        return facts

    @model_validator(mode="wrap")
    @classmethod
    def _read(  # type: ignore[operator] # zuban does not know this kind of validator
        cls, body: Any, read_own: ModelWrapValidatorHandler[Self]
    ) -> Self:
        """Read a film in our form or in TMDB's, and keep what was changed in reading."""
        if not isinstance(body, dict):
            wanted = 'send an object, such as {"genres": ["Drama"]}'
            raise refuse("wrong_type", f"this is {kind_of(body)}", wanted)
        try:
            form = own_form(body)
            facts = read_own(form.facts)
        except WrongPartError as error:
            details = InitErrorDetails(type=error.error, loc=(error.name,), input=None)
            raise ValidationError.from_exception_data("film", [details]) from None
        except ValidationError as error:
            raise _as_sent(error, form) from None
        facts._reading = Reading.of(form, facts)
        return facts

    @model_validator(mode="after")
    def _plot_or_genre(self) -> Self:
        # A film of the catalogue is checked when its facts are known.
        if self.tmdb_id is None and not self.has_plot_or_genre:
            wanted = "send at least a plot (overview), a genre (genres) or a film's id (tmdb_id)"
            raise PydanticCustomError("plot_or_genre_missing", wanted)
        return self


# The names of the facts themselves; `tmdb_id` only says where others come from.
FACT_NAMES: Final = tuple(name for name in FilmFacts.model_fields if name != "tmdb_id")


def read_usable(raw: Mapping[str, Any]) -> tuple[FilmFacts, set[str]]:
    """Read the facts of a film that the caller did not send, without values that are refused.

    If some entries of a list are refused, such as the cast, only these entries are left out.

    Args:
        raw: The facts in our form or in TMDB's.

    Returns:
        The facts, and the fields with a refused value, by our names. A part that has not TMDB's
        form keeps its own name. There may be neither a plot nor a genre.
    """
    usable, refused = _usable_parts({**raw, "tmdb_id": _ANY_ID})
    entries_left = _MAX_REFUSED_ENTRIES
    while True:
        try:
            return FilmFacts.model_validate(usable), refused
        except ValidationError as error:
            places = [each["loc"] for each in error.errors()]
        for place, *entry in places:
            name = str(place)
            refused.add(name)
            value = usable.pop(name)
            if entry and entries_left > 0:
                entries_left -= 1
                usable[name] = [each for at, each in enumerate(value) if at != entry[0]]


def plain(value: Any) -> Any:
    """Return the value of a fact as JSON data, as it could be sent."""
    if isinstance(value, list):
        return [plain(each) for each in value]
    return value.isoformat() if isinstance(value, date) else tmdb.to_json(value)


def _usable_parts(body: dict[str, Any]) -> tuple[dict[str, Any], set[str]]:
    """Convert TMDB's fields to ours; return the names of the parts without TMDB's form, too."""
    refused: set[str] = set()
    while True:
        try:
            return own_form(body).facts, refused
        except WrongPartError as error:
            refused.add(error.name)
            del body[error.name]


class Batch(BaseModel):
    """Several films in one request."""

    model_config = ConfigDict(extra="allow")  # so that the response can list unknown fields

    films: Annotated[
        # The route validates each film by itself: an invalid one must not affect the others.
        list[Annotated[Any, WithJsonSchema({"$ref": "#/components/schemas/FilmFacts"})]],
        Field(
            min_length=1,
            max_length=MAX_BATCH_FILMS,
            description="Each film has the form of a `POST /v1/predict` request. An invalid film "
            "gets a problem in its row and does not affect the others.",
            examples=[[{"genres": ["Drama"], "runtime": 112}, {"genres": ["Horror"]}]],
        ),
    ]


def _as_sent(error: ValidationError, form: OwnForm) -> ValidationError:
    """Name the caller's fields in an error, instead of ours, where TMDB's fields were sent."""
    details = []
    for each in error.errors(include_input=False, include_url=False):
        code, message = described(each)
        place = form.place_of(each["loc"])
        details.append(InitErrorDetails(type=stated(code, message), loc=place, input=None))
    return ValidationError.from_exception_data(error.title, details)
