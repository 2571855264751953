"""Read the forecasts for upcoming films and the errors of earlier forecasts.

They are in the API's responses to `GET /forecasts` and `GET /track-record`.
"""

from dataclasses import dataclass
from datetime import date
from typing import Any

from ui.client.api import finite
from ui.client.films import title_in, titles_of


@dataclass(frozen=True)
class UpcomingFilm:
    """A film that is not released yet, with its forecast.

    Attributes:
        titles: The film's different titles by language; empty if it has none.
        rating: The forecast rating.
        low, high: The lower and the upper end of the forecast's 80 % interval.
        change: The change of the forecast since last week, in rating points; None if there was no
            forecast last week.
        reasons: Pairs of a feature group, such as the genre, and the rating points that it adds to
            the forecast. The largest is first.
        poster: The URL of the poster; None if the UI must not show one.
    """

    film_id: int
    titles: dict[str, str]
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
        """Convert one film in the API's response to `GET /forecasts`."""
        interval, change = body["interval"], body["change"]
        return cls(
            film_id=int(body["id"]),
            titles=titles_of(body),
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

    def title(self, language: str) -> str | None:
        """Return the film's title in a language; without one, another title; None without any."""
        return title_in(self.titles, language, self.film_id) if self.titles else None


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
        """Convert the API's response to `GET /forecasts`."""
        day = body["as_of"]
        return cls(
            None if day is None else date.fromisoformat(day),
            int(body["total"]),
            tuple(UpcomingFilm.parse(film) for film in body["films"]),
        )


@dataclass(frozen=True)
class ScoreFigures:
    """The errors of the forecasts for a group of released films, in rating points.

    Attributes:
        films: The number of films in the group.
        rmse: The root mean square of the errors.
        bias: The mean of (forecast minus rating).
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
        """Convert the errors for one group of films in the response to `GET /track-record`."""
        return cls(
            int(body["films"]),
            finite(body["rmse"]),
            finite(body["bias"]),
            finite(body["coverage"]),
            {str(name): finite(rmse) for name, rmse in body["baselines"].items()},
        )


@dataclass(frozen=True)
class ScoredSubgroup:
    """The errors of the forecasts for released films that have one property in common.

    Attributes:
        kind: The kind of the property, such as `genre`.
        name: The value of the property, such as `Drama`.
        figures: The errors for these films.
    """

    kind: str
    name: str
    figures: ScoreFigures


@dataclass(frozen=True)
class ScoredFilm:
    """A released film: its forecast, and the rating that it got from TMDB's users.

    Attributes:
        rating: The forecast rating.
        low, high: The lower and the upper end of the forecast's 80 % interval.
        actual: The actual rating, which is the mean of the votes.
        votes: The number of votes.
        error: The forecast rating minus the actual rating.
    """

    film_id: int
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
        """Convert one film in the API's response to `GET /track-record`."""
        return cls(
            film_id=int(body["film_id"]),
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
class ScoredChance:
    """The scores of the forecast probabilities of one rating or more.

    Attributes:
        rating: The rating that the probabilities are about.
        share: The fraction of the films that got this rating or more.
        brier: The mean squared difference between the probability and the outcome (0 or 1).
        base_brier: The same score, if the probability of every film were `share`.
        off: The mean difference between probability and share, for films with similar
            probabilities.
    """

    rating: float
    share: float
    brier: float
    base_brier: float
    off: float


@dataclass(frozen=True)
class ScoredDistribution:
    """The scores of the predicted distributions.

    Attributes:
        films: The number of scored films whose forecast has a distribution.
        crps: The error of the distributions in rating points.
        chances: The scores of the probabilities, by rating.
    """

    films: int
    crps: float
    chances: tuple[ScoredChance, ...]

    @classmethod
    def parse(cls, body: Any) -> "ScoredDistribution":
        """Convert the scores of the distributions in the response to `GET /track-record`."""
        names = ("rating", "share", "brier", "base_brier", "off")
        return cls(
            int(body["films"]),
            finite(body["crps"]),
            tuple(
                ScoredChance(*(finite(each[name]) for name in names)) for each in body["at_least"]
            ),
        )


@dataclass(frozen=True)
class TrackRecord:
    """The errors of earlier forecasts for films that are now released.

    A forecast is scored when it is compared with the rating that the film got.

    Attributes:
        as_of: The date on which forecasts were last scored.
        min_votes: How many votes a film needs to be included.
        figures: The errors over all scored films; None if no film is scored yet.
        subgroups: The errors for films with one property in common, such as the genre.
        calibration: Pairs of mean forecast and mean rating, for films grouped by their forecast.
        worst, best: The films with the largest and with the smallest errors.
        alerts: Warnings as sentences. They say that the facts about films or the errors have
            changed.
        distribution: The scores of the predicted distributions; None if no scored forecast has one.
        next_due: The day on which the next forecast is compared; None if none is due.
    """

    as_of: date
    min_votes: int
    figures: ScoreFigures | None
    subgroups: tuple[ScoredSubgroup, ...]
    calibration: tuple[tuple[float, float], ...]
    worst: tuple[ScoredFilm, ...]
    best: tuple[ScoredFilm, ...]
    alerts: tuple[str, ...]
    distribution: ScoredDistribution | None
    next_due: date | None

    @classmethod
    def parse(cls, body: Any) -> "TrackRecord | None":
        """Convert the API's response to `GET /track-record`.

        The result is None if the pipeline has not scored any forecasts yet.
        """
        if body is None:
            return None
        figures = body["figures"]
        # Older services do not send these two.
        distribution, due = body.get("distribution"), body.get("next_due")
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
            distribution=None if distribution is None else ScoredDistribution.parse(distribution),
            next_due=None if due is None else date.fromisoformat(due),
        )


def _optional_text(value: Any) -> str | None:
    return None if value is None else str(value)
