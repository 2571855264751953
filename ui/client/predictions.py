"""Read a forecast, the choices for the form, and a histogram of ratings.

They are in the API's responses to `POST /predict`, `GET /options` and `GET /ratings`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from ui.client.api import ApiError, Facts, fetch, finite
from ui.client.reliability import Reliability

# The visitor can choose among these ratings, so one request asks for the chances of all of them.
THRESHOLDS: Final = tuple(quarter / 4 for quarter in range(4 * 4, 9 * 4 + 1))
# The model learns from films of 40 minutes or more; nearly no film has more than 400.
FEATURE_FILM_MINUTES: Final = (40, 400)
_ALWAYS_STATED: Final = frozenset({6.0, 7.0, 8.0})  # the service states at most 20 others
_WITH_CHANCES: Final = {
    "at_least": [str(rating) for rating in THRESHOLDS if rating not in _ALWAYS_STATED]
}


@dataclass(frozen=True)
class Choices:
    """What the form offers: the genres and the languages that the model knows.

    Attributes:
        genres: The names of the genres.
        languages: TMDB's codes of the languages.
        plot_languages: The languages in which the model reads plots.
        translation: Which service gets plots that are not in English: `google`, or `off` for none.
    """

    genres: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    plot_languages: tuple[str, ...] = ()
    translation: str = "off"

    @classmethod
    def parse(cls, body: Any) -> "Choices":
        """Convert the API's response to `GET /options`."""
        return cls(
            tuple(str(genre["name"]) for genre in body["genres"]),
            tuple(str(language["language"]) for language in body["languages"]),
            tuple(map(str, body["plot_languages"])),
            str(body["translation"]),
        )


@dataclass(frozen=True)
class SimilarFilm:
    """A film on which the model was trained, similar to the film that the visitor has entered."""

    film_id: int
    title: str
    year: int
    rating: float


@dataclass(frozen=True)
class Ignored:
    """Values that the visitor has entered into a field, and that the model did not use.

    Older services send no values.
    """

    field: str
    values: tuple[str, ...]


@dataclass(frozen=True)
class Changed:
    """A value that the visitor has entered, and what the service has read it as."""

    field: str
    sent: str
    read: str


@dataclass(frozen=True)
class Forecast:
    """The forecast for one film.

    Attributes:
        rating: The forecast rating.
        low, high: The lower and the upper end of the forecast's interval.
        coverage: The fraction of films whose rating should lie in the interval, such as 0.8.
        chances: Pairs of a rating and the probability of this rating or more, the lowest rating
            first. Empty if the service did not send them.
        average: What the model forecasts for a film without any known facts.
        mood: The mood of the plot as a word, and its score from -1 (dark) to 1 (bright). None if
            the mood is unknown.
        translated: Whether the API has translated the plot into English.
        read_in_korean: Whether the model used the Korean plot itself, without translation.
        reasons: Pairs of a feature group, such as the genre, and the rating points that it adds to
            the forecast. The largest is first.
        similar_films: The training films that are most similar.
        warnings: The fields whose values are outside the range of the training films.
        unreliable: The language and genres of the film for which forecasts were biased, or
            intervals wrong, by more than chance.
        missing: The fields that the request did not contain.
        ignored: The values in the request that the model did not use, each field once.
        changed: The values in the request that the service has read as something else.
        version: The model version that made the forecast.
        body: The API's whole JSON response, which the visitor can download.
    """

    rating: float
    low: float
    high: float
    coverage: float
    chances: tuple[tuple[float, float], ...]
    average: float
    mood: tuple[str, float] | None
    translated: bool
    read_in_korean: bool
    reasons: tuple[tuple[str, float], ...]
    similar_films: tuple[SimilarFilm, ...]
    warnings: tuple[str, ...]
    unreliable: tuple[Reliability, ...]
    missing: tuple[str, ...]
    ignored: tuple[Ignored, ...]
    changed: tuple[Changed, ...]
    version: str
    body: Any

    @classmethod
    def parse(cls, body: Any) -> "Forecast":
        """Convert the API's response to `POST /predict`."""
        interval, mood = body["interval"], body["mood"]
        return cls(
            rating=finite(body["rating"]),
            low=finite(interval["low"]),
            high=finite(interval["high"]),
            coverage=finite(interval["coverage"]),
            chances=_chances(body.get("at_least")),  # older services do not send it
            average=finite(body["average"]),
            mood=None if mood is None else (str(mood["label"]), finite(mood["score"])),
            translated=bool(body["translated"]),
            read_in_korean=bool(body.get("read_in_korean")),  # older services do not send it
            reasons=tuple((str(each["group"]), finite(each["points"])) for each in body["reasons"]),
            similar_films=tuple(
                SimilarFilm(
                    int(film["id"]), str(film["title"]), int(film["year"]), finite(film["rating"])
                )
                for film in body["comparables"]
            ),
            warnings=_fields(body["warnings"]),
            unreliable=tuple(  # older services do not send it
                map(Reliability.parse, body.get("reliability", ()))
            ),
            missing=tuple(str(field) for field in body["missing"]),
            ignored=_ignored(body["ignored"]),
            changed=tuple(  # older services do not send it
                Changed(str(each["field"]), str(each["sent"]), str(each["read"]))
                for each in body.get("read_as", ())
            ),
            version=str(body["version"]),
            body=body,
        )


def forecast_of(facts: Facts, parameters: Mapping[str, Any] = _WITH_CHANCES) -> Forecast:
    """Request the forecast for a film.

    Args:
        facts: The facts about the film.
        parameters: The query parameters; the default requests the chances of all `THRESHOLDS`.

    Raises:
        ApiError: The running time is not that of a feature film, or see `fetch`.
    """
    forecast = fetch(Forecast.parse, "/predict", facts, parameters)
    shortest, longest = FEATURE_FILM_MINUTES
    # The API forecasts other films with a warning, because TMDB lists short films, too.
    if "runtime" in forecast.warnings and not shortest <= float(facts["runtime"]) <= longest:
        raise ApiError("refused", errors=[("feature_film", "")])
    return forecast


def forecast_of_known(film_id: int) -> Forecast:
    """Request the forecast for a film of the catalogue, with the chances of all `THRESHOLDS`.

    By its id, the API uses the ids of its people, and leaves the film out of its similar films.

    Raises:
        ApiError: See `fetch`.
    """
    return fetch(Forecast.parse, "/predict", {"tmdb_id": film_id}, _WITH_CHANCES)


@dataclass(frozen=True)
class RatingHistogram:
    """A histogram of the training films' ratings.

    Attributes:
        films: The number of films in all bins together.
        mean: The mean rating of all these films.
        lowest: The lower edge of the first bin.
        step: The width of each bin, in rating points.
        counts: The number of films in each bin.
    """

    films: int
    mean: float
    lowest: float
    step: float
    counts: tuple[int, ...]

    @classmethod
    def parse(cls, body: Any) -> "RatingHistogram":
        """Convert the API's response to `GET /ratings`."""
        return cls(
            int(body["films"]),
            finite(body["mean"]),
            finite(body["lowest"]),
            finite(body["step"]),
            tuple(int(count) for count in body["counts"]),
        )


def _chances(at_least: Any) -> tuple[tuple[float, float], ...]:
    return tuple(
        sorted((finite(each["rating"]), finite(each["probability"])) for each in at_least or ())
    )


def _fields(remarks: Any) -> tuple[str, ...]:
    """Return the names of the fields in the API's list `warnings`, each name once."""
    return tuple(dict.fromkeys(str(remark["field"]) for remark in remarks))


def _ignored(remarks: Any) -> tuple[Ignored, ...]:
    """Return the ignored values in the API's list `ignored`, together for each field."""
    by_field: dict[str, list[str]] = {}
    for remark in remarks:
        by_field.setdefault(str(remark["field"]), []).extend(map(str, remark.get("values", ())))
    return tuple(Ignored(field, tuple(values)) for field, values in by_field.items())
