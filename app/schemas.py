"""Schemas of the API's answers and of shared parameters. OpenAPI publishes their descriptions."""

from datetime import date, datetime
from typing import Annotated, Any, Literal

from fastapi import Query
from pydantic import BaseModel, Field

from app.fields import MAX_RUNTIME
from app.problems import Problem
from movierating.catalogue.films import Status
from movierating.registry.evidence import SubgroupReliability
from movierating.registry.manifest import DataSource, Refit, Scores, Split

Origin = Literal["catalogue", "tmdb"]
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


class Mood(BaseModel):
    """Mood of the plot: `score` is from -1 (dark) to 1 (bright); -0.1 to 0.1 is neutral."""

    score: float
    label: Literal["negative", "neutral", "positive"]


class RatingInterval(BaseModel):
    """Interval of ratings; for 80 % of films (`coverage`), the rating should lie in it."""

    low: float
    high: float
    coverage: float


class DailyForecast(BaseModel):
    """The last recorded forecast of one day."""

    day: date
    rating: Annotated[float, Field(description="Expected TMDB rating, 0 to 10.")]
    interval: RatingInterval
    version: Annotated[str, Field(description="The model version that made the forecast.")]


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
    reason: Annotated[
        str | None,
        Field(
            description="Why it was read so, if there was a choice: several people can have the "
            "same name.",
            examples=["2 have this name; this one has the most training films (8)"],
        ),
    ] = None


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


class KnownFilm(BaseModel):
    """The film of the catalogue that `tmdb_id` named, and how its facts were used."""

    id: Annotated[int, Field(description="TMDB's id of the film.")]
    title: Annotated[
        str | None, Field(description="English title, otherwise the original one, if known.")
    ]
    release_date: Annotated[
        date | None, Field(description="First release in any country; null if TMDB has none.")
    ]
    status: Annotated[Status, Field(description="Whether the film has been released by today.")]
    origin: Annotated[
        Origin,
        Field(
            description="Where the facts come from: the film catalogue, or TMDB itself, if the "
            "catalogue does not have the film yet."
        ),
    ]
    as_of: Annotated[date, Field(description="The date of the facts.")]
    taken: Annotated[
        list[str],
        Field(description="Facts that come from the catalogue.", examples=[["title", "genres"]]),
    ]
    overridden: Annotated[
        list[str],
        Field(description="Facts of the catalogue instead of which a sent value was used."),
    ]
    removed: Annotated[
        list[str],
        Field(description="Facts of the catalogue that the request took away (null or blank)."),
    ]
    is_training_film: Annotated[
        bool, Field(description="Whether the model in service has learned from this film.")
    ]
    notice: Annotated[
        str | None,
        Field(description="Why the forecast may be unsuitable; null if there is no reason."),
    ]


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
    missing: Annotated[
        list[str],
        Field(description="Facts that are unknown: neither sent nor taken from the catalogue."),
    ]
    ignored: Annotated[
        list[IgnoredValues],
        Field(description="Values of the request that the forecast does not use, and why."),
    ]
    read_as: Annotated[
        list[ReadAs],
        Field(description="Values that were changed in reading; `read` is what the model got."),
    ] = []
    film: Annotated[
        KnownFilm | None,
        Field(description="The film that `tmdb_id` named; null if the request has no `tmdb_id`."),
    ] = None
    version: Annotated[str, Field(description="The model version that made the forecast.")]


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
