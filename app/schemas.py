"""What goes in and out of the API."""

from datetime import date, datetime
from typing import Annotated, Any, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from app.problems import Problem
from movierating.registry.manifest import DataSource, Scores, Split

MAX_BATCH_FILMS: Final = 100

Name = Annotated[str, Field(min_length=1, max_length=200)]
Names = Annotated[list[Name], Field(max_length=1_000)]
Runtime = Annotated[
    float, Field(gt=0, le=600, description="Running time in minutes.", examples=[112])
]


class FilmFacts(BaseModel):
    """What is known of a film before it opens. Everything is optional but a plot or a genre."""

    model_config = ConfigDict(
        extra="allow",  # named in the answer as ignored
        str_strip_whitespace=True,
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

    title: Annotated[str | None, Field(max_length=500, description="English title.")] = None
    overview: Annotated[
        str | None,
        Field(max_length=10_000, description="The plot, in English or to be translated."),
    ] = None
    genres: Annotated[
        list[Annotated[str, Field(min_length=1, max_length=60)]],
        Field(max_length=20, description="Names as in `/options`, the main genre first."),
    ] = []
    language: Annotated[
        str | None,
        Field(pattern="^[a-z]{2}$", description="Original language as in `/options`: ko, en, ..."),
    ] = None
    runtime: Runtime | None = None
    release_date: Annotated[
        date | None,
        Field(ge=date(1870, 1, 1), le=date(2100, 1, 1), description="First release, YYYY-MM-DD."),
    ] = None
    budget: Annotated[float | None, Field(gt=0, le=1e10, description="US dollars.")] = None
    countries: Annotated[
        list[Annotated[str, Field(pattern="^[A-Z]{2}$")]],
        Field(max_length=30, description="Of production, ISO 3166-1: KR, US, ..."),
    ] = []
    directors: Annotated[Names, Field(description="Names as TMDB writes them.")] = []
    writers: Annotated[Names, Field(description="Names as TMDB writes them.")] = []
    cast: Annotated[Names, Field(description="Names as TMDB writes them, the lead first.")] = []
    companies: Annotated[Names, Field(description="Production companies.")] = []
    collection: Annotated[str | None, Field(max_length=200, description="The series.")] = None
    keywords: Annotated[Names, Field(description="TMDB's keywords.")] = []

    @model_validator(mode="after")
    def _plot_or_genre(self) -> Self:
        if not (self.overview and self.overview.strip()) and not self.genres:
            raise ValueError("send at least a plot (overview) or a genre (genres)")
        return self


class Mood(BaseModel):
    """How bright a plot reads: from -1 (dark) to 1 (bright), cut at -0.1 and 0.1."""

    score: float
    label: Literal["negative", "neutral", "positive"]


class RatingInterval(BaseModel):
    """Where the rating will lie for the given share of films."""

    low: float
    high: float
    coverage: float


class Remark(BaseModel):
    """Something that was sent, and what is to be said of it."""

    field: str
    reason: str


class Reason(BaseModel):
    """What a group of facts adds to the average film's rating."""

    group: Annotated[str, Field(examples=["people"])]
    points: float


class Comparable(BaseModel):
    """A film like the one asked about, and how its audience rated it."""

    id: Annotated[int, Field(description="TMDB's.")]
    title: str
    year: int
    rating: float


class Forecast(BaseModel):
    """A forecast and what it rests on."""

    rating: Annotated[float, Field(description="Expected TMDB rating, 0 to 10.")]
    interval: RatingInterval
    average: Annotated[float, Field(description="Forecast for a film of which nothing is known.")]
    reasons: Annotated[
        list[Reason],
        Field(
            description="Rating minus average, by group of facts, largest first; "
            "empty with `explain=false`."
        ),
    ]
    comparables: Annotated[
        list[Comparable],
        Field(description="The most alike films it knows; empty with `explain=false`."),
    ]
    warnings: Annotated[
        list[Remark], Field(description="Facts unlike those of the films it learned from.")
    ]
    mood: Annotated[
        Mood | None,
        Field(description="Null where the plot is unknown or was not read in English."),
    ]
    translated: Annotated[bool, Field(description="Whether the plot was translated first.")]
    read_in_korean: Annotated[
        bool,
        Field(
            description="Whether no translation was to be had and the plot was read in Korean: "
            "its words count, its mood and its length are unknown."
        ),
    ]
    missing: Annotated[list[str], Field(description="Facts that could be added.")]
    ignored: Annotated[list[Remark], Field(description="What did not enter the forecast.")]
    version: Annotated[str, Field(description="The model version that answered.")]


class Batch(BaseModel):
    """Several films at once."""

    films: Annotated[
        list[Any],
        Field(
            min_length=1,
            max_length=MAX_BATCH_FILMS,
            description="Each as for `POST /v1/predict`. One that is not usable gets a problem of "
            "its own in the answer; the others get their forecasts.",
            examples=[[{"genres": ["Drama"], "runtime": 112}, {"genres": ["Horror"]}]],
        ),
    ]


class BatchRow(BaseModel):
    """What came of one film: a forecast or a problem."""

    forecast: Forecast | None = None
    problem: Annotated[
        Problem | None, Field(description="As `POST /v1/predict` would have answered.")
    ] = None


class BatchForecast(BaseModel):
    """One row for each film, in the order they were sent; one version answered all."""

    version: str
    results: list[BatchRow]


class OldForecast(BaseModel):
    """The old contract's answer."""

    predicted_rating: Annotated[float, Field(examples=[7.38])]


class GenreOption(BaseModel):
    """A genre and its code."""

    code: int
    name: str


class LanguageOption(BaseModel):
    """A language, its code, and its English name."""

    code: int
    language: Annotated[str, Field(description="As TMDB writes it: ko, en, ...")]
    name: str


class Options(BaseModel):
    """The code tables of the version in service; -1 stands for anything else."""

    version: str
    genres: list[GenreOption]
    languages: list[LanguageOption]


class Health(BaseModel):
    """A sign of life."""

    status: Literal["alive", "ready"]
    version: str | None = None


class VersionInfo(BaseModel):
    """Which model answers, and where it comes from."""

    version: str
    since: Annotated[datetime, Field(description="When it went into production.")]
    by: Annotated[str, Field(description="Who put it there.")]
    reason: Annotated[str, Field(description="Why it went into production.")]
    previous: Annotated[str | None, Field(description="The version in production before.")]
    loaded_at: Annotated[datetime, Field(description="When this service took it up.")]
    loaded_from: Literal["registry", "cache"]
    registry_problem: Annotated[
        str | None, Field(description="Why the service may not run what is in production.")
    ]
    cache_problem: Annotated[
        str | None, Field(description="Why this version is not kept for a start without S3.")
    ]
    created_at: Annotated[datetime, Field(description="When it was trained.")]
    run_date: date
    model_type: str
    parameters: dict[str, Any]
    features: int
    data: DataSource
    split: Split
    metrics: dict[str, Scores]
    baselines: dict[str, Scores]
    interval_coverage: float
    libraries: dict[str, str]
    commit: str
    wandb_run: str | None
