"""The records that the forecast ledger stores, and the views (summaries) that it makes of them."""

from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from typing import Final, Literal, Self

import numpy as np
from pydantic import BaseModel, ConfigDict, model_validator

from movierating.identity import PlainName
from movierating.model.distribution import (
    SCORED_LEVELS,
    STATED_RATINGS,
    NormalisedErrors,
    RatingDistributions,
    crps,
)
from movierating.model.distribution_scores import DistributionScores

# The marks at which a forecast is compared with the film's rating: when the film first has enough
# votes, and 30 and 90 days after its release.
ScoringMark = Literal["votes", "30 days", "90 days"]
MARK_AGES: Final[Mapping[ScoringMark, timedelta]] = {
    "30 days": timedelta(30),
    "90 days": timedelta(90),
}


class LedgerRecord(BaseModel):
    """Base class of all records and views that the ledger stores.

    A record is written once and read for years, by older and newer versions of this code.
    Therefore unknown fields are ignored, and a field that is added later needs a default.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")


class VersionErrors(LedgerRecord):
    """The errors from which a model version predicts the distributions of ratings.

    The attributes are those of `NormalisedErrors`.
    """

    quantiles: tuple[float, ...]
    trend: float

    @classmethod
    def of(cls, errors: NormalisedErrors) -> Self:
        """Convert the errors of a model."""
        return cls.model_validate(errors.to_json())

    @model_validator(mode="after")
    def _is_a_distribution(self) -> Self:
        self.normalised()
        return self

    def normalised(self) -> NormalisedErrors:
        """Return the errors as the model has them.

        Raises:
            ValueError: They are no distribution.
        """
        return NormalisedErrors.from_json(self.model_dump())


class StatedDistribution(LedgerRecord):
    """The predicted distribution of a film's rating, as far as it is needed later.

    Attributes:
        quantiles: The ratings at the middles of equal parts of the probability, in order. They are
            scored after the release.
        at_least: The probability of a rating or more, by rating.
        half_width: The half-width that the model predicted. With the errors of the model version,
            it gives the whole distribution. None in records of before 2026-12.
    """

    quantiles: tuple[float, ...]
    at_least: dict[float, float]
    half_width: float | None = None

    @classmethod
    def of(cls, predicted: RatingDistributions) -> Self:
        """Round the predicted distribution of one film."""
        return cls(
            quantiles=tuple(round(float(predicted.quantile(at)), 3) for at in SCORED_LEVELS),
            at_least={
                rating: round(float(predicted.at_least(rating)), 4) for rating in STATED_RATINGS
            },
            half_width=round(float(np.asarray(predicted.half_widths)), 6),
        )

    def crps(self, rating: float) -> float:
        """Return the continuous ranked probability score, if the film got this rating."""
        scores = crps([[each] for each in self.quantiles], [rating])
        return round(float(scores[0]), 4)


class Forecast(LedgerRecord):
    """The forecast of one film, made on one day.

    Attributes:
        film_id: TMDB's id.
        release_date: The film's first release in any country, as it was known on that day.
        release_type: The type of this release, such as `premiere` or `theatrical`. If it is a
            premiere, TMDB's page shows a later date. None if unknown.
        release_country: The country of this release, ISO 3166-1; None if unknown.
        day: The day the forecast was made, in the pipeline's time zone.
        version: The model version.
        inputs_sha256: Hash of the facts that the forecast used.
        rating: The forecast rating, 0 to 10.
        low: Lower end of the 80 % interval.
        high: Upper end of the 80 % interval.
        reasons: How many rating points each feature group contributes, the largest first. Their sum
            is the forecast minus the forecast for a film without known facts.
        baselines: Forecasts by the naive baselines (simple means) on that day, by name, such as
            `genre_mean`.
        poster_path: TMDB's path of the poster. The UI shows it; the model does not use it.
        original_title: Title in the original language. Visitors search for it; the model does not
            use it.
        korean_title: Korean title, for the same purpose; None if TMDB has none.
        source: The name of the source of the film (see `movierating.films.source`); None in records
            of version 1.0.0.
        distribution: The predicted distribution of the rating; None in records of version 1.0.0,
            and for models of that version.
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
    baselines: dict[str, float]  # stored now: means computed later would know later ratings
    genre: str | None
    language: str | None
    release_type: str | None = None
    release_country: str | None = None
    poster_path: str | None = None
    original_title: str | None = None
    korean_title: str | None = None
    source: str | None = None
    distribution: StatedDistribution | None = None

    def whole_distribution(self, errors: NormalisedErrors | None) -> RatingDistributions | None:
        """Return the predicted distribution; None if too little of it was recorded.

        Args:
            errors: The errors of the model version; None if they are not known.
        """
        stated = self.distribution
        if errors is None or stated is None or stated.half_width is None:
            return None
        return RatingDistributions(self.rating, stated.half_width, errors)


class Score(LedgerRecord):
    """A film's last forecast before its release, compared with its rating at a scoring mark.

    Attributes:
        release_date: The release date as it was known when the score was made.
        mark: The scoring mark: enough votes, 30 days or 90 days after the release.
        day: The day on which the film reached the mark.
        forecast_day: The day on which the forecast was made, before the release.
        rating: The forecast rating.
        actual: TMDB's rating on `day`.
        votes: TMDB's number of votes on `day`.
        error: Forecast minus rating.
        inside: Whether TMDB's rating was inside the 80 % interval of the forecast.
        source: The name of the source of the film; None in records of version 1.0.0.
        at_least: The forecast probability of a rating or more, by rating; None if the forecast has
            no distribution.
        crps: The error of the predicted distribution in rating points (continuous ranked
            probability score); None if the forecast has no distribution.
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
    source: str | None = None
    at_least: dict[float, float] | None = None
    crps: float | None = None


class UpcomingFilm(LedgerRecord):
    """The newest forecast of a film, and what the forecast was a week earlier.

    Attributes:
        week_ago: The rating forecast a week earlier; None if there was no forecast.
    """

    forecast: Forecast
    week_ago: float | None

    @property
    def change(self) -> float | None:
        """Change of the forecast in one week, in rating points; None if `week_ago` is None."""
        return None if self.week_ago is None else self.forecast.rating - self.week_ago


class Upcoming(LedgerRecord):
    """View of the ledger: the newest forecast of each unreleased film, in order of release date.

    Attributes:
        source: The name of the source of the films.
        errors: The errors of the model versions that made the forecasts, by version, as far as they
            are known.
    """

    as_of: date
    source: str | None = None
    films: tuple[UpcomingFilm, ...]
    errors: dict[str, VersionErrors] = {}


class Figures(LedgerRecord):
    """Mean errors over some scored forecasts, in rating points.

    Attributes:
        films: Number of scores.
        bias: Mean error; positive if the forecasts were too high.
        coverage: Fraction of the ratings that are inside the 80 % interval of their forecast.
        baselines: RMSE of the naive baselines on the same films, by name.
    """

    films: int
    rmse: float
    mae: float
    bias: float
    coverage: float
    baselines: dict[str, float]


class SubgroupFigures(LedgerRecord):
    """Mean errors over one subgroup of the scored films, such as all dramas.

    Attributes:
        kind: What the films have in common: `month` (of release), `genre`, `language`, `votes` or
            `mark` (scoring mark).
        name: Name of the subgroup, such as `2026-03` or `Drama`.
        figures: The mean errors.
    """

    kind: str
    name: str
    figures: Figures


class CalibrationBin(LedgerRecord):
    """A group of films with similar forecasts: mean forecast, mean rating and number of films."""

    forecast: float
    actual: float
    films: int


class TrackRecord(LedgerRecord):
    """View of the ledger: the errors of all scored forecasts.

    It uses one score per film, the newest; only the subgroups by scoring mark use all scores.

    Attributes:
        min_votes: Minimum number of votes; a score is left out if its rating has fewer votes.
        figures: Mean errors over all films; None if there is no score yet.
        parts: Mean errors by subgroup: first the months of release, then genres, languages, ranges
            of votes, and scoring marks. A film is in the subgroup of each mark that it has reached.
        calibration: Mean forecast and mean rating of films with similar forecasts.
        worst: The films with the largest errors, the largest first.
        best: The films with the smallest errors, the smallest first.
        alerts: The alerts in the newest drift report.
        source: The name of the source of the films.
        distribution: The scores of the predicted distributions, over the films whose forecast has
            one; None if no film has.
    """

    as_of: date
    source: str | None = None
    min_votes: int
    figures: Figures | None
    parts: tuple[SubgroupFigures, ...]
    calibration: tuple[CalibrationBin, ...]
    worst: tuple[Score, ...]
    best: tuple[Score, ...]
    alerts: tuple[str, ...] = ()  # empty at first; `write_track_record` adds them
    distribution: DistributionScores | None = None


class DriftReport(LedgerRecord):
    """The result of one drift check: whether films or forecast errors changed since training.

    Attributes:
        version: The model version whose training the check compared with.
        figures: The measured values, by name.
        alerts: One sentence for each value outside its limit.
        source: The name of the source of the films; None in reports of version 1.0.0.
    """

    day: date
    made_at: datetime
    version: PlainName
    figures: dict[str, float]
    alerts: tuple[str, ...]
    source: str | None = None


class Retraining(LedgerRecord):
    """The claim on one day's retraining: which pipeline run may start it, and the reason."""

    day: date
    run_id: str
    reason: str


def last_before_release(
    forecasts: Iterable[Forecast], release_dates: Mapping[int, date]
) -> dict[int, Forecast]:
    """Select each film's last forecast before the day of its release, which is the one to score.

    Args:
        forecasts: Forecasts in any order.
        release_dates: Release dates by film id. A film that is not in it is left out.

    Returns:
        The selected forecasts by film id.
    """
    newest: dict[int, Forecast] = {}
    for each in forecasts:
        release = release_dates.get(each.film_id)
        # A forecast made on the release day is left out, because the first votes may be known then.
        if release is None or each.day >= release:
            continue
        known = newest.get(each.film_id)
        if known is None or (known.day, known.made_at) <= (each.day, each.made_at):
            newest[each.film_id] = each
    return newest
