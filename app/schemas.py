"""The API's schemas for requests and responses; their texts are public (OpenAPI documentation)."""

from datetime import date, datetime
from typing import Annotated, Any, Final, Literal, Self

from fastapi import Query
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
    MAX_RUNTIME,
    Collection,
    Countries,
    Day,
    Dollars,
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
from app.problems import Problem
from app.reading import Reading
from app.tmdb_form import OwnForm, WrongPartError, own_form
from movierating.films.tokens import MAX_CAST
from movierating.registry.evidence import SubgroupReliability
from movierating.registry.manifest import DataSource, Refit, Scores, Split

MAX_BATCH_FILMS: Final = 100
# Of all plots together. Those of TMDB have at most 1,000 each; reading a plot takes processor time.
MAX_BATCH_CHARACTERS: Final = 250_000

Runtime = Annotated[
    float,
    Field(gt=0, le=MAX_RUNTIME, description="Running time in minutes.", examples=[112]),
]

AtLeast = Annotated[
    list[Annotated[float, Field(ge=0, le=10)]],
    Query(
        max_length=20,
        description="A rating from 0 to 10. The answer also states the probability of this rating "
        "or more. Repeat the parameter for several ratings.",
        examples=[[7.5]],
    ),
]


class FilmFacts(BaseModel):
    """Facts about a film that are known before its release; a plot or a genre is required.

    A film as TMDB sends it is accepted as well (`/movie/{id}`, with `credits`, `keywords` and
    `release_dates` appended). Null, an empty text, an empty list and TMDB's 0 mean unknown.
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
    directors: Annotated[Names, Field(description="Names as spelled at TMDB.")] = []
    writers: Annotated[Names, Field(description="Names as spelled at TMDB.")] = []
    cast: Annotated[
        Names,
        Field(description=f"Names as spelled at TMDB, the lead first; {MAX_CAST} are used."),
    ] = []
    companies: Annotated[Names, Field(description="Production companies, as spelled at TMDB.")] = []
    collection: Annotated[
        Collection, Field(description="Franchise of the film; TMDB calls it a collection.")
    ] = None
    keywords: Annotated[Keywords, Field(description="Keywords as spelled at TMDB.")] = []

    _reading: Reading = PrivateAttr(default_factory=Reading)

    @property
    def reading(self) -> Reading:
        """What the caller sent, where it differs from the facts."""
        return self._reading

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
        if not self.overview and not self.genres:
            wanted = "send at least a plot (overview) or a genre (genres)"
            raise PydanticCustomError("plot_or_genre_missing", wanted)
        return self


def _as_sent(error: ValidationError, form: OwnForm) -> ValidationError:
    """Name the caller's fields in an error, instead of ours, where TMDB's fields were sent."""
    details = []
    for each in error.errors(include_input=False, include_url=False):
        code, message = described(each)
        place = form.place_of(each["loc"])
        details.append(InitErrorDetails(type=stated(code, message), loc=place, input=None))
    return ValidationError.from_exception_data(error.title, details)


class Mood(BaseModel):
    """Mood of the plot: `score` is from -1 (dark) to 1 (bright); -0.1 to 0.1 is neutral."""

    score: float
    label: Literal["negative", "neutral", "positive"]


class RatingInterval(BaseModel):
    """Interval of ratings; for 80 % of films (`coverage`), the rating should lie in it."""

    low: float
    high: float
    coverage: float


class Quantile(BaseModel):
    """The rating below which the film's rating lies with the probability `level`."""

    level: float
    rating: float


class Chance(BaseModel):
    """The probability that the film's rating is `rating` or more."""

    rating: float
    probability: float


class FieldNote(BaseModel):
    """A field of the request, and why its value looks unusual."""

    field: str
    reason: str


class IgnoredValues(BaseModel):
    """Values of a field that the forecast does not use, and why."""

    field: Annotated[str, Field(description="The field as it was sent.", examples=["genres"])]
    values: Annotated[
        list[str],
        Field(description="The values; long ones are cut.", examples=[["Puppetry"]]),
    ]
    reason: Annotated[str, Field(examples=["not a genre of this model; see /options"])]


class ReadAs(BaseModel):
    """A value that was changed in reading, such as a name in another spelling."""

    field: Annotated[str, Field(description="The field as it was sent.", examples=["language"])]
    sent: Annotated[str, Field(description="The value as sent; a long one is cut.")]
    read: Annotated[str, Field(description="The value as used; a long one is cut.")]


class Reason(BaseModel):
    """Contribution of a group of facts to the forecast, in rating points."""

    group: Annotated[str, Field(examples=["people"])]
    points: float


class Comparable(BaseModel):
    """A training film that is similar to the film of the request, and its rating."""

    id: Annotated[int, Field(description="TMDB's id of the film.")]
    title: str
    year: int
    rating: float


class Forecast(BaseModel):
    """A forecast, its reasons, and how the facts in the request were used."""

    rating: Annotated[float, Field(description="Expected TMDB rating, 0 to 10.")]
    interval: RatingInterval
    quantiles: Annotated[
        list[Quantile] | None,
        Field(
            description="Predicted distribution of the rating, the lowest level first. The "
            "interval reaches from level 0.1 to level 0.9. Null if the model in service comes from "
            "version 1.0.0, which predicted no distribution."
        ),
    ]
    at_least: Annotated[
        list[Chance] | None,
        Field(
            description="Probability of a rating of 6, 7 and 8 or more, and of the ratings in the "
            "query parameter `at_least`. Null as for `quantiles`."
        ),
    ]
    average: Annotated[float, Field(description="Forecast for a film without any known fact.")]
    reasons: Annotated[
        list[Reason],
        Field(
            description="Contribution of each group of facts, the largest first; their sum is "
            "`rating` minus `average`. Empty with `explain=false`."
        ),
    ]
    comparables: Annotated[
        list[Comparable],
        Field(description="The most similar training films. Empty with `explain=false`."),
    ]
    warnings: Annotated[
        list[FieldNote], Field(description="Facts outside the range of the training films.")
    ]
    reliability: Annotated[
        list[SubgroupReliability],
        Field(
            description="The language and genres of the film for which forecasts were biased, or "
            "intervals wrong, by more than chance. The forecast is not corrected for it. Empty if "
            "none is known."
        ),
    ]
    mood: Annotated[
        Mood | None,
        Field(description="Null if the plot is unknown or was not read in English."),
    ]
    translated: Annotated[bool, Field(description="Whether the plot was translated into English.")]
    read_in_korean: Annotated[
        bool,
        Field(
            description="Whether the plot was read in Korean, without translation. The forecast "
            "then uses its meaning, but not its mood and length."
        ),
    ]
    missing: Annotated[list[str], Field(description="Facts that were not sent.")]
    ignored: Annotated[
        list[IgnoredValues],
        Field(description="Values of the request that the forecast does not use, and why."),
    ]
    read_as: Annotated[
        list[ReadAs],
        Field(description="Values that were changed in reading; `read` is what the model got."),
    ] = []
    version: Annotated[str, Field(description="The model version that made the forecast.")]


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


class BatchRow(BaseModel):
    """The result for one film: a forecast or a problem."""

    forecast: Forecast | None = None
    problem: Annotated[
        Problem | None, Field(description="The problem that `POST /v1/predict` would return.")
    ] = None


class BatchForecast(BaseModel):
    """One row for each film, in the order of the request, all by one model version."""

    version: str
    results: list[BatchRow]
    ignored: Annotated[
        list[IgnoredValues],
        Field(description="What the request contains beside the films, and is not used."),
    ] = []


class OldForecast(BaseModel):
    """The response of the old API contract, `GET /v1/predict`.

    It has `quantiles` and `at_least` only if the query parameter `at_least` was sent.
    """

    predicted_rating: Annotated[float, Field(examples=[7.38])]
    quantiles: list[Quantile] | None = None
    at_least: list[Chance] | None = None
    ignored: Annotated[
        list[IgnoredValues] | None,
        Field(description="Parameters that the forecast does not use; left out if there are none."),
    ] = None


class GenreOption(BaseModel):
    """A genre and its code for `GET /v1/predict` (the old API contract)."""

    code: int
    name: str


class LanguageOption(BaseModel):
    """A language, its code for `GET /v1/predict` (the old API contract), and its English name."""

    code: int
    language: Annotated[str, Field(description="TMDB's code of the language: ko, en, ...")]
    name: str


class Options(BaseModel):
    """Genres and languages that the model in service knows; code -1 stands for any other."""

    version: str
    genres: list[GenreOption]
    languages: list[LanguageOption]
    plot_languages: Annotated[
        list[str],
        Field(description="Languages of plots that the model reads without a translation."),
    ]
    translation: Annotated[
        Literal["off", "google"],
        Field(
            description="`google`: a plot that is not in English is sent to Google Translate. "
            "`off`: no plot is sent anywhere."
        ),
    ]


class Health(BaseModel):
    """Whether the service is alive or ready, and the model version in service."""

    status: Literal["alive", "ready"]
    version: str | None = None


class VersionName(BaseModel):
    """The model in service, for callers without a key."""

    version: str


class VersionInfo(BaseModel):
    """The model in service and its origin."""

    version: str
    since: Annotated[datetime, Field(description="When the version was put into production.")]
    by: Annotated[str, Field(description="Who put it into production.")]
    reason: Annotated[str, Field(description="Why it was put into production.")]
    previous: Annotated[str | None, Field(description="The version in production before it.")]
    loaded_at: Annotated[datetime, Field(description="When this service loaded it.")]
    loaded_from: Literal["registry", "cache"]
    registry_problem: Annotated[
        str | None,
        Field(
            description="Why the service possibly does not run the version in production; null if "
            "it does."
        ),
    ]
    cache_problem: Annotated[
        str | None,
        Field(
            description="Why this version is not in the local cache, which the service needs to "
            "start while S3 is not reachable; null if it is."
        ),
    ]
    created_at: Annotated[datetime, Field(description="When it was trained.")]
    run_date: date
    model_type: str
    parameters: dict[str, Any]
    features: int
    data: DataSource
    split: Annotated[
        Split, Field(description="The films on which the measured model was trained and measured.")
    ]
    refit: Annotated[
        Refit | None,
        Field(
            description="The films on which the model in service was trained, after the measuring; "
            "null if the measured model itself is in service."
        ),
    ]
    metrics: Annotated[
        dict[str, Scores], Field(description="Errors of the measured model, not of a refitted one.")
    ]
    baselines: dict[str, Scores]
    interval_coverage: float
    libraries: dict[str, str]
    commit: str
    wandb_run: str | None
