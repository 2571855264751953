"""The records and views of the forecast ledger."""

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict

from movierating.identity import PlainName

# When a forecast is compared with the rating: at enough votes, or at an age since the release.
ScoringMark = Literal["votes", "30 days", "90 days"]


class LedgerRecord(BaseModel):
    """Base of all stored records.

    A record is written once and read for years, by older and newer versions of this code. So
    unknown fields are ignored, and a new field needs a default.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")


class Forecast(LedgerRecord):
    """The forecast of one film, made on one day.

    Attributes:
        film_id: TMDB's id.
        release_date: The release date as it was known on that day.
        day: The day the forecast was made, in the pipeline's time zone.
        version: The model version.
        inputs_sha256: Hash of the facts that the forecast used.
        rating: 0 to 10.
        low: Lower end of the 80 % interval.
        high: Upper end of the 80 % interval.
        reasons: Rating points by feature group, the largest first. They add up to the rating minus
            the rating of the average film.
        baselines: Forecasts of the naive means on that day, by name.
        poster_path: TMDB's path of the poster. Pages show it; the model does not use it.
        original_title: Title in the original language. Search uses it; the model does not.
    """

    film_id: int
    title: str | None
    release_date: date
    day: date
    made_at: datetime
    version: PlainName
    inputs_sha256: str
    rating: float
    low: float
    high: float
    reasons: dict[str, float]
    baselines: dict[str, float]  # stored now, since only the means known on that day are fair
    genre: str | None
    language: str | None
    poster_path: str | None = None
    original_title: str | None = None


class Score(LedgerRecord):
    """A film's last forecast before its release, compared with its rating at a mark.

    Attributes:
        release_date: The release date as it was known when the score was made.
        mark: The mark.
        day: The day at which the mark was reached.
        forecast_day: The day of the forecast, before the release.
        actual: The rating on `day`.
        votes: The number of votes on `day`.
        error: Forecast minus rating.
        inside: Whether the rating was inside the 80 % interval.
    """

    film_id: int
    title: str | None
    release_date: date
    mark: ScoringMark
    day: date
    forecast_day: date
    version: PlainName
    rating: float
    low: float
    high: float
    baselines: dict[str, float]
    genre: str | None
    language: str | None
    actual: float
    votes: int
    error: float
    inside: bool


class UpcomingFilm(LedgerRecord):
    """The newest forecast of a film, and the rating forecast a week before.

    Attributes:
        week_ago: None if there was no forecast then.
    """

    forecast: Forecast
    week_ago: float | None

    @property
    def change(self) -> float | None:
        """Change of the forecast in a week, in rating points; None without an earlier one."""
        return None if self.week_ago is None else self.forecast.rating - self.week_ago


class Upcoming(LedgerRecord):
    """View: the newest forecasts of films that are not released yet, by release date."""

    as_of: date
    films: tuple[UpcomingFilm, ...]


class Figures(LedgerRecord):
    """Errors of some scored forecasts, in rating points.

    Attributes:
        bias: Mean error; positive if the forecasts were too high.
        coverage: Share of the ratings inside the 80 % interval.
        baselines: RMSE of the naive means on the same films, by name.
    """

    films: int
    rmse: float
    mae: float
    bias: float
    coverage: float
    baselines: dict[str, float]


class SubgroupFigures(LedgerRecord):
    """Errors of one subgroup of the scored films.

    Attributes:
        kind: `month` (of release), `genre`, `language`, `votes` or `mark`.
        name: The subgroup, such as `2026-03` or `Drama`.
    """

    kind: str
    name: str
    figures: Figures


class CalibrationBin(LedgerRecord):
    """Films with similar forecasts: their mean forecast and their mean rating."""

    forecast: float
    actual: float
    films: int


class TrackRecord(LedgerRecord):
    """View: how the forecasts turned out. Each film counts once, with its newest score.

    Attributes:
        min_votes: Scores with fewer votes are left out.
        figures: Errors over all films; None before the first score.
        parts: Errors by subgroup: months in order, then genres, languages, numbers of votes, and
            marks. In the subgroups by mark, a film counts once per mark.
        worst: The films with the largest errors, the largest first.
        best: The films with the smallest errors, the smallest first.
        alerts: Alerts of the newest drift report.
    """

    as_of: date
    min_votes: int
    figures: Figures | None
    parts: tuple[SubgroupFigures, ...]
    calibration: tuple[CalibrationBin, ...]
    worst: tuple[Score, ...]
    best: tuple[Score, ...]
    alerts: tuple[str, ...] = ()  # added to the view after the scores are summarised


class DriftReport(LedgerRecord):
    """The result of one check for changes in films and errors since training.

    Attributes:
        figures: The measured values, by name.
        alerts: One sentence per value outside its limit.
    """

    day: date
    made_at: datetime
    version: PlainName
    figures: dict[str, float]
    alerts: tuple[str, ...]


class Retraining(LedgerRecord):
    """The claim on the retraining of one day: the run that may start it, and why."""

    day: date
    run_id: str
    reason: str


def last_before_release(
    forecasts: Iterable[Forecast], release_dates: Mapping[int, date]
) -> dict[int, Forecast]:
    """Select the last forecast of each film before the day of its release.

    Only this forecast is scored.

    Args:
        forecasts: In any order.
        release_dates: By film id. Films without an entry are left out.

    Returns:
        Forecasts by film id.
    """
    newest: dict[int, Forecast] = {}
    for each in forecasts:
        release = release_dates.get(each.film_id)
        # On the day of the release itself, votes may already be known.
        if release is None or each.day >= release:
            continue
        known = newest.get(each.film_id)
        if known is None or (known.day, known.made_at) <= (each.day, each.made_at):
            newest[each.film_id] = each
    return newest
