"""Parse the forecasts of upcoming films and the errors of earlier forecasts.

They are the responses of `GET /forecasts` and `GET /track-record`.
"""

from dataclasses import dataclass
from datetime import date
from typing import Any

from ui.client.api import finite


@dataclass(frozen=True)
class UpcomingFilm:
    """A film that is not released yet, with its forecast.

    Attributes:
        rating: The forecast rating.
        low, high: The ends of the forecast's 80 % interval.
        change: The change of the forecast since last week, in rating points; None if there was no
            forecast last week.
        reasons: Pairs of a feature group and the rating points that it adds, the largest first.
        poster: The URL of the poster; None if the UI must not show one.
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
        """Parse one film in a response of `GET /forecasts`."""
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
    """One page of the list of upcoming films.

    Attributes:
        as_of: The date of the newest forecasts; None before the first forecast.
        total: The number of films on all pages that match the search.
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
    """Error measures of the forecasts for a group of released films, in rating points.

    Attributes:
        films: The number of films.
        bias: The mean of forecast minus rating.
        coverage: The fraction of the films whose rating lies in the forecast's 80 % interval.
        baselines: The RMSE of each naive baseline on the same films, by the baseline's name.
    """

    films: int
    rmse: float
    bias: float
    coverage: float
    baselines: dict[str, float]

    @classmethod
    def parse(cls, body: Any) -> "ScoreFigures":
        """Parse the error measures of one group of films in a response of `GET /track-record`."""
        return cls(
            int(body["films"]),
            finite(body["rmse"]),
            finite(body["bias"]),
            finite(body["coverage"]),
            {str(name): finite(rmse) for name, rmse in body["baselines"].items()},
        )


@dataclass(frozen=True)
class ScoredSubgroup:
    """Error measures for the released films with one property in common.

    Attributes:
        kind: The kind of property, such as `genre`.
        name: Its value, such as `Drama`.
    """

    kind: str
    name: str
    figures: ScoreFigures


@dataclass(frozen=True)
class ScoredFilm:
    """A released film's forecast, compared with the rating that the film got.

    Attributes:
        rating: The forecast rating.
        low, high: The ends of the forecast's 80 % interval.
        actual: The rating that the film got.
        votes: The number of votes for this rating.
        error: Forecast minus actual rating.
    """

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
        """Parse one film in a response of `GET /track-record`."""
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
    """The errors of all recorded forecasts whose films are released.

    Attributes:
        as_of: The date on which the forecasts were last scored.
        min_votes: The number of votes that a film needs to be included.
        figures: The errors over all scored films; None before the first score.
        calibration: Pairs of mean forecast and mean rating, for films grouped by their forecast.
        worst, best: The films with the largest and the smallest errors.
        alerts: Sentences about changes of the films' facts or of the errors.
    """

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
