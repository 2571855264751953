"""What the API forecasts of a film, read into what the page can show."""

from dataclasses import dataclass
from typing import Any

from ui.client.api import finite


@dataclass(frozen=True)
class Choices:
    """Names of genres and TMDB's codes of languages that the model in service tells apart."""

    genres: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()

    @classmethod
    def read(cls, answer: Any) -> "Choices":
        """Take them from an answer of `GET /options`."""
        return cls(
            tuple(str(genre["name"]) for genre in answer["genres"]),
            tuple(str(language["language"]) for language in answer["languages"]),
        )


@dataclass(frozen=True)
class Comparable:
    """A film like the one asked about."""

    title: str
    year: int
    rating: float


@dataclass(frozen=True)
class Forecast:
    """A forecast.

    Attributes:
        mood: Label and score.
        reasons: Groups of facts and the rating points that each adds, largest first.
        ignored: Fields that were sent and did not enter the forecast.
        warnings: Fields that are unlike all the model learned from.
        answer: The whole answer as it came.
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
    comparables: tuple[Comparable, ...]
    warnings: tuple[str, ...]
    missing: tuple[str, ...]
    ignored: tuple[str, ...]
    version: str
    answer: Any

    @classmethod
    def read(cls, answer: Any) -> "Forecast":
        """Take it from an answer of `POST /predict`."""
        interval, mood = answer["interval"], answer["mood"]
        return cls(
            rating=finite(answer["rating"]),
            low=finite(interval["low"]),
            high=finite(interval["high"]),
            coverage=finite(interval["coverage"]),
            average=finite(answer["average"]),
            mood=None if mood is None else (str(mood["label"]), finite(mood["score"])),
            translated=bool(answer["translated"]),
            read_in_korean=bool(answer.get("read_in_korean")),  # an older service does not say
            reasons=tuple(
                (str(each["group"]), finite(each["points"])) for each in answer["reasons"]
            ),
            comparables=tuple(
                Comparable(str(film["title"]), int(film["year"]), finite(film["rating"]))
                for film in answer["comparables"]
            ),
            warnings=_fields(answer["warnings"]),
            missing=tuple(str(field) for field in answer["missing"]),
            ignored=_fields(answer["ignored"]),
            version=str(answer["version"]),
            answer=answer,
        )


@dataclass(frozen=True)
class Ratings:
    """How many films have their rating in each of the bins from `lowest` on, `step` wide."""

    films: int
    mean: float
    lowest: float
    step: float
    counts: tuple[int, ...]

    @classmethod
    def read(cls, answer: Any) -> "Ratings":
        """Take them from an answer of `GET /ratings`."""
        return cls(
            int(answer["films"]),
            finite(answer["mean"]),
            finite(answer["lowest"]),
            finite(answer["step"]),
            tuple(int(count) for count in answer["counts"]),
        )


def _fields(remarks: Any) -> tuple[str, ...]:
    return tuple(dict.fromkeys(str(remark["field"]) for remark in remarks))
