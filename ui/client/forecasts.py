"""What the API tells of the forecast ledger, read into what the page can show."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from ui.client.api import finite


@dataclass(frozen=True)
class ComingFilm:
    """A film that has not opened.

    Attributes:
        change: Rating points since last week; None where there was no forecast then.
        reasons: Groups of facts and the rating points that each adds, largest first.
        poster: Its address at TMDB; None where none may be shown.
    """

    title: str | None
    opens: date
    rating: float
    low: float
    high: float
    change: float | None
    reasons: tuple[tuple[str, float], ...]
    genre: str | None
    language: str | None
    poster: str | None

    @classmethod
    def read(cls, film: Any) -> "ComingFilm":
        """Take it from a film of `GET /forecasts`."""
        interval, change = film["interval"], film["change"]
        return cls(
            title=_known(film["title"]),
            opens=date.fromisoformat(film["release_date"]),
            rating=finite(film["rating"]),
            low=finite(interval["low"]),
            high=finite(interval["high"]),
            change=None if change is None else finite(change),
            reasons=tuple((str(each["group"]), finite(each["points"])) for each in film["reasons"]),
            genre=_known(film["genre"]),
            language=_known(film["language"]),
            poster=_known(film["poster"]),
        )


@dataclass(frozen=True)
class Coming:
    """Some films to come, of so many that match; the day is None before the first forecast."""

    as_of: date | None
    total: int
    films: tuple[ComingFilm, ...]

    @classmethod
    def read(cls, answer: Any) -> "Coming":
        """Take them from an answer of `GET /forecasts`."""
        day = answer["as_of"]
        return cls(
            None if day is None else date.fromisoformat(day),
            int(answer["total"]),
            tuple(ComingFilm.read(film) for film in answer["films"]),
        )


@dataclass(frozen=True)
class Figures:
    """How far off some forecasts were; the baselines' RMSE by name."""

    films: int
    rmse: float
    bias: float
    coverage: float
    baselines: dict[str, float]

    @classmethod
    def read(cls, answer: Any) -> "Figures":
        """Take them from the figures of an answer."""
        return cls(
            int(answer["films"]),
            finite(answer["rmse"]),
            finite(answer["bias"]),
            finite(answer["coverage"]),
            {str(name): finite(rmse) for name, rmse in answer["baselines"].items()},
        )


@dataclass(frozen=True)
class Part:
    """Scored films that have something in common."""

    kind: str
    name: str
    figures: Figures


@dataclass(frozen=True)
class ScoredFilm:
    """A forecast and what came of it."""

    title: str | None
    opened: date
    rating: float
    low: float
    high: float
    actual: float
    votes: int
    error: float

    @classmethod
    def read(cls, film: Any) -> "ScoredFilm":
        """Take it from a score in an answer."""
        return cls(
            title=_known(film["title"]),
            opened=date.fromisoformat(film["release_date"]),
            rating=finite(film["rating"]),
            low=finite(film["low"]),
            high=finite(film["high"]),
            actual=finite(film["actual"]),
            votes=int(film["votes"]),
            error=finite(film["error"]),
        )


@dataclass(frozen=True)
class Record:
    """How forecasts came out; the figures are None before the first came due."""

    as_of: date
    min_votes: int
    figures: Figures | None
    parts: tuple[Part, ...]
    calibration: tuple[tuple[float, float], ...]
    worst: tuple[ScoredFilm, ...]
    best: tuple[ScoredFilm, ...]
    alerts: tuple[str, ...]

    @classmethod
    def read(cls, answer: Any) -> "Record | None":
        """Take it from an answer of `GET /track-record`; None where nothing was scored ever."""
        if answer is None:
            return None
        figures = answer["figures"]
        return cls(
            as_of=date.fromisoformat(answer["as_of"]),
            min_votes=int(answer["min_votes"]),
            figures=None if figures is None else Figures.read(figures),
            parts=tuple(
                Part(str(part["kind"]), str(part["name"]), Figures.read(part["figures"]))
                for part in answer["parts"]
            ),
            calibration=tuple(
                (finite(each["forecast"]), finite(each["actual"])) for each in answer["calibration"]
            ),
            worst=tuple(ScoredFilm.read(film) for film in answer["worst"]),
            best=tuple(ScoredFilm.read(film) for film in answer["best"]),
            alerts=tuple(str(alert) for alert in answer["alerts"]),
        )


def _known(value: Any) -> str | None:
    return None if value is None else str(value)
