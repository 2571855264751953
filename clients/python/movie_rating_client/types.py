"""What the API accepts and answers; its answers may have further fields in later versions."""

from collections.abc import Sequence
from typing import Literal, TypedDict

NameField = Literal["directors", "writers", "cast", "companies", "collection"]
Sorting = Literal[
    "release_date",
    "-release_date",
    "rating",
    "-rating",
    "title",
    "-title",
    "change",
    "-change",
    "width",
    "-width",
]
State = Literal["waiting", "scored"]


class Entity(TypedDict):
    """A person, company, collection or keyword of TMDB."""

    id: int
    name: str


class Film(TypedDict, total=False):
    """Facts about a film that are known before its release; a plot or a genre is required.

    With `tmdb_id`, the API uses its catalogue's facts about that film. Facts beside it override
    those; None or an empty list takes a fact away.
    """

    tmdb_id: int | None
    title: str | None
    overview: str | None
    genres: list[str] | None
    language: str | None
    runtime: float | None
    release_date: str | None
    budget: float | None
    countries: list[str] | None
    directors: Sequence[str | Entity] | None
    writers: Sequence[str | Entity] | None
    cast: Sequence[str | Entity] | None
    companies: Sequence[str | Entity] | None
    collection: str | Entity | None
    keywords: Sequence[str | Entity] | None


class FoundName(TypedDict):
    """A person, company or collection that the model knows.

    `films` has the number of training films by field, such as `directors`.
    """

    id: int | None
    name: str
    films: dict[str, int]
    photo: str | None


class RatingInterval(TypedDict):
    """Interval in which the rating of 80 % of films (`coverage`) should lie."""

    low: float
    high: float
    coverage: float


class Quantile(TypedDict):
    """The rating below which the film's rating lies with the probability `level`."""

    level: float
    rating: float


class Chance(TypedDict):
    """The probability that the film's rating is `rating` or more."""

    rating: float
    probability: float


class Reason(TypedDict):
    """Contribution of a group of facts to the forecast, in rating points."""

    group: str
    points: float


class SimilarFilm(TypedDict):
    """A training film that is similar to the film of the request."""

    id: int
    title: str
    year: int
    rating: float


class Mood(TypedDict):
    """Mood of the plot, from -1 (dark) to 1 (bright)."""

    score: float
    label: Literal["negative", "neutral", "positive"]


class FieldNote(TypedDict):
    """A field of the request, and why it was ignored or looks unusual."""

    field: str
    reason: str


class SubgroupReliability(TypedDict):
    """How reliable forecasts are for films of one language or genre."""

    kind: str
    name: str
    films: int
    bias: float
    coverage: float
    biased: bool
    badly_covered: bool


class KnownFilm(TypedDict):
    """The film of the catalogue that `tmdb_id` named, and how its facts were used."""

    id: int
    title: str | None
    release_date: str | None
    status: Literal["upcoming", "released"]
    origin: Literal["catalogue", "tmdb"]
    as_of: str
    taken: list[str]
    overridden: list[str]
    removed: list[str]
    is_training_film: bool
    notice: str | None


class Forecast(TypedDict):
    """A forecast, its reasons, and how the facts in the request were used."""

    rating: float
    interval: RatingInterval
    quantiles: list[Quantile] | None
    at_least: list[Chance] | None
    average: float
    reasons: list[Reason]
    comparables: list[SimilarFilm]
    warnings: list[FieldNote]
    reliability: list[SubgroupReliability]
    mood: Mood | None
    translated: bool
    read_in_korean: bool
    missing: list[str]
    ignored: list[FieldNote]
    film: KnownFilm | None
    version: str


class InvalidField(TypedDict):
    """A field with an invalid value."""

    field: str
    code: str
    message: str


class Problem(TypedDict):
    """An error in the form of RFC 9457."""

    type: str
    title: str
    status: int
    detail: str
    errors: list[InvalidField]


class BatchRow(TypedDict):
    """The result for one film of a batch: a forecast or a problem."""

    forecast: Forecast | None
    problem: Problem | None


class BatchForecast(TypedDict):
    """One row for each film, in the order of the request, all by one model version."""

    version: str
    results: list[BatchRow]


class GenreOption(TypedDict):
    """A genre that the model knows."""

    code: int
    name: str


class LanguageOption(TypedDict):
    """A language that the model knows."""

    code: int
    language: str
    name: str


class Options(TypedDict):
    """Genres and languages that the model in service knows."""

    version: str
    genres: list[GenreOption]
    languages: list[LanguageOption]


class Outcome(TypedDict):
    """What the audience has said about a film since its release."""

    as_of: str
    rating: float | None
    votes: int
    votes_needed: int
    inside: bool | None


class DatedForecast(TypedDict):
    """The newest forecast of an upcoming film, or the last one before the release of a film."""

    id: int
    title: str | None
    original_title: str | None
    korean_title: str | None
    release_date: str
    rating: float
    interval: RatingInterval
    quantiles: list[Quantile] | None
    at_least: list[Chance] | None
    change: float | None
    reasons: list[Reason]
    genre: str | None
    language: str | None
    made_at: str
    version: str
    poster: str | None
    outcome: Outcome | None


class DailyForecast(TypedDict):
    """The last forecast of one day."""

    day: str
    rating: float
    interval: RatingInterval
    version: str


class Comparison(TypedDict):
    """A forecast, compared with the film's rating on a later day."""

    mark: Literal["votes", "30 days", "90 days"]
    day: str
    rating: float
    votes: int
    error: float
    inside: bool


class RecordedFilm(TypedDict):
    """A released film, its last forecast before the release, and its rating since then."""

    id: int
    title: str | None
    original_title: str | None
    korean_title: str | None
    release_date: str
    forecast: DailyForecast
    outcome: Outcome
    score: Comparison | None
    next_due: str | None
    poster: str | None


class ListedFilm(TypedDict):
    """A film of the catalogue."""

    id: int
    title: str | None
    original_title: str | None
    korean_title: str | None
    release_date: str
    status: Literal["upcoming", "released"]
    rating: float | None
    votes: int
    poster: str | None


class Ratings(TypedDict):
    """The distribution of ratings among the training films."""

    genre: str | None
    films: int
    mean: float
    lowest: float
    step: float
    counts: list[int]


class VersionInfo(TypedDict):
    """The model in service; the API's documentation describes its further fields."""

    version: str
    since: str
    by: str
    reason: str
    previous: str | None
    run_date: str
    model_type: str
