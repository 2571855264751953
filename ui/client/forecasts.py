"""Parse the forecast ledger's views: `GET /forecasts` and `GET /track-record`."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from ui.client.api import finite


@dataclass(frozen=True)
class UpcomingFilm:
    """A film that is not released yet, with its forecast.

    Attributes:
        change: Rating points since last week; None where there was no forecast then.
        reasons: Feature groups and the rating points each adds, largest first.
        poster: The poster's URL; None where none may be shown.
    """

    title: str | None
    release_date: date
    rating: float
    low: float
    high: float
    change: float | None
    reasons: tuple[tuple[str, float], ...]
    genre: str | None
    language: str | None
    poster: str | None

    @classmethod
    def parse(cls, body: Any) -> "UpcomingFilm":
        """Parse one film of `GET /forecasts`."""
        interval, change = body["interval"], body["change"]
        return cls(
            title=_optional_text(body["title"]),
            release_date=date.fromisoformat(body["release_date"]),
            rating=finite(body["rating"]),
            low=finite(interval["low"]),
            high=finite(interval["high"]),
            change=None if change is None else finite(change),
            reasons=tuple((str(each["group"]), finite(each["points"])) for each in body["reasons"]),
            genre=_optional_text(body["genre"]),
            language=_optional_text(body["language"]),
            poster=_optional_text(body["poster"]),
        )


@dataclass(frozen=True)
class UpcomingFilms:
    """One page of upcoming films.

    Attributes:
        as_of: The day of the newest forecasts; None before the first forecast.
        total: The number of films that match, on all pages.
    """

    as_of: date | None
    total: int
    films: tuple[UpcomingFilm, ...]

    @classmethod
    def parse(cls, body: Any) -> "UpcomingFilms":
        """Parse a response of `GET /forecasts`."""
        day = body["as_of"]
        return cls(
            None if day is None else date.fromisoformat(day),
            int(body["total"]),
            tuple(UpcomingFilm.parse(film) for film in body["films"]),
        )


@dataclass(frozen=True)
class ScoreFigures:
    """Errors of the forecasts of some released films, in rating points.

    Attributes:
        films: The number of films.
        coverage: Fraction of the films whose rating lies in its 80 % interval.
        baselines: RMSE of each naive baseline on the same films, by name.
    """

    films: int
    rmse: float
    bias: float
    coverage: float
    baselines: dict[str, float]

    @classmethod
    def parse(cls, body: Any) -> "ScoreFigures":
        """Parse one set of figures of `GET /track-record`."""
        return cls(
            int(body["films"]),
            finite(body["rmse"]),
            finite(body["bias"]),
            finite(body["coverage"]),
            {str(name): finite(rmse) for name, rmse in body["baselines"].items()},
        )


@dataclass(frozen=True)
class ScoredSubgroup:
    """Errors for released films with one property in common, such as genre or release month."""

    kind: str
    name: str
    figures: ScoreFigures


@dataclass(frozen=True)
class ScoredFilm:
    """A film's forecast, compared with the rating it got."""

    title: str | None
    release_date: date
    rating: float
    low: float
    high: float
    actual: float
    votes: int
    error: float

    @classmethod
    def parse(cls, body: Any) -> "ScoredFilm":
        """Parse one film of `GET /track-record`."""
        return cls(
            title=_optional_text(body["title"]),
            release_date=date.fromisoformat(body["release_date"]),
            rating=finite(body["rating"]),
            low=finite(body["low"]),
            high=finite(body["high"]),
            actual=finite(body["actual"]),
            votes=int(body["votes"]),
            error=finite(body["error"]),
        )


@dataclass(frozen=True)
class TrackRecord:
    """Errors of the recorded forecasts after release; `figures` is None before the first score."""

    as_of: date
    min_votes: int
    figures: ScoreFigures | None
    subgroups: tuple[ScoredSubgroup, ...]
    calibration: tuple[tuple[float, float], ...]
    worst: tuple[ScoredFilm, ...]
    best: tuple[ScoredFilm, ...]
    alerts: tuple[str, ...]

    @classmethod
    def parse(cls, body: Any) -> "TrackRecord | None":
        """Parse a response of `GET /track-record`; None before the first scoring run."""
        if body is None:
            return None
        figures = body["figures"]
        return cls(
            as_of=date.fromisoformat(body["as_of"]),
            min_votes=int(body["min_votes"]),
            figures=None if figures is None else ScoreFigures.parse(figures),
            subgroups=tuple(
                ScoredSubgroup(
                    str(each["kind"]), str(each["name"]), ScoreFigures.parse(each["figures"])
                )
                for each in body["parts"]
            ),
            calibration=tuple(
                (finite(each["forecast"]), finite(each["actual"])) for each in body["calibration"]
            ),
            worst=tuple(ScoredFilm.parse(film) for film in body["worst"]),
            best=tuple(ScoredFilm.parse(film) for film in body["best"]),
            alerts=tuple(str(alert) for alert in body["alerts"]),
        )


def _optional_text(value: Any) -> str | None:
    return None if value is None else str(value)
