"""Parse a forecast, the form's choices and the rating histogram.

They are the responses of `POST /predict`, `GET /options` and `GET /ratings`.
"""

from dataclasses import dataclass
from typing import Any

from ui.client.api import finite


@dataclass(frozen=True)
class Choices:
    """The genre names and TMDB language codes that the model in service knows."""

    genres: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()

    @classmethod
    def parse(cls, body: Any) -> "Choices":
        """Parse a response of `GET /options`."""
        return cls(
            tuple(str(genre["name"]) for genre in body["genres"]),
            tuple(str(language["language"]) for language in body["languages"]),
        )


@dataclass(frozen=True)
class SimilarFilm:
    """A training film similar to the film in the form."""

    title: str
    year: int
    rating: float


@dataclass(frozen=True)
class Forecast:
    """The forecast for one film.

    Attributes:
        low, high: The ends of the interval.
        coverage: The fraction of films whose rating should lie in the interval, such as 0.8.
        average: The forecast for a film about which nothing is known.
        mood: Label and score (-1 dark to 1 bright) of the plot's mood; None if it is unknown.
        translated: Whether the API translated the plot into English.
        read_in_korean: Whether the model read the Korean plot, because the translation failed.
        reasons: Pairs of a feature group and the rating points that it adds, the largest first.
        warnings: Fields whose values are outside the training films' range.
        missing: Fields that the request did not contain.
        ignored: Fields that the request contained but the model did not use.
        version: The model version that made the forecast.
        body: The whole JSON response, for the download.
    """

    rating: float
    low: float
    high: float
    coverage: float
    average: float
    mood: tuple[str, float] | None
    translated: bool
    read_in_korean: bool
    reasons: tuple[tuple[str, float], ...]
    similar_films: tuple[SimilarFilm, ...]
    warnings: tuple[str, ...]
    missing: tuple[str, ...]
    ignored: tuple[str, ...]
    version: str
    body: Any

    @classmethod
    def parse(cls, body: Any) -> "Forecast":
        """Parse a response of `POST /predict`."""
        interval, mood = body["interval"], body["mood"]
        return cls(
            rating=finite(body["rating"]),
            low=finite(interval["low"]),
            high=finite(interval["high"]),
            coverage=finite(interval["coverage"]),
            average=finite(body["average"]),
            mood=None if mood is None else (str(mood["label"]), finite(mood["score"])),
            translated=bool(body["translated"]),
            read_in_korean=bool(body.get("read_in_korean")),  # older services do not send it
            reasons=tuple((str(each["group"]), finite(each["points"])) for each in body["reasons"]),
            similar_films=tuple(
                SimilarFilm(str(film["title"]), int(film["year"]), finite(film["rating"]))
                for film in body["comparables"]
            ),
            warnings=_fields(body["warnings"]),
            missing=tuple(str(field) for field in body["missing"]),
            ignored=_fields(body["ignored"]),
            version=str(body["version"]),
            body=body,
        )


@dataclass(frozen=True)
class RatingHistogram:
    """A histogram of the training films' ratings.

    Attributes:
        films: The number of films in all bins.
        mean: The mean rating of these films.
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
        """Parse a response of `GET /ratings`."""
        return cls(
            int(body["films"]),
            finite(body["mean"]),
            finite(body["lowest"]),
            finite(body["step"]),
            tuple(int(count) for count in body["counts"]),
        )


def _fields(remarks: Any) -> tuple[str, ...]:
    """Return the field names in the API's remarks (`warnings` or `ignored`), each once."""
    return tuple(dict.fromkeys(str(remark["field"]) for remark in remarks))
