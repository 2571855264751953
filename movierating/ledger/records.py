"""What the forecast ledger holds: what was said, how it came out, and what readers are shown."""

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from movierating.identity import PlainName

Mark = Literal["votes", "30 days", "90 days"]


class Record(BaseModel):
    """Written once, and read by versions of this code that know more or fewer fields."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Forecast(Record):
    """What was said of one film on one day.

    Attributes:
        film_id: TMDB's.
        release_date: As it was known when the forecast was made.
        day: Which day it was made for; never another than the one it was made on.
        version: Of the model.
        inputs_sha256: Of the facts that entered.
        rating: 0 to 10.
        low: Where the 80 % interval begins.
        high: Where it ends.
        reasons: Rating points by group of facts, the largest first; their sum is the rating minus
            the average film's.
        baselines: What needs no model would have said on that day, by name.
        poster_path: TMDB's path of a picture, for pages; enters no forecast.
        original_title: In the film's own language, for who searches; enters no forecast either.
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
    baselines: dict[str, float]
    genre: str | None
    language: str | None
    poster_path: str | None = None
    original_title: str | None = None


class Score(Record):
    """How the forecast of a film that counts came out: the last one before it opened.

    Attributes:
        release_date: When it opened.
        mark: What made it due: enough votes, or so many days since it opened.
        day: As of which day the rating is.
        forecast_day: When the forecast was made; before the release.
        actual: The audience's rating as of `day`, by so many `votes`.
        error: Forecast minus rating.
        inside: Whether the rating lay inside the 80 % interval.
    """

    film_id: int
    title: str | None
    release_date: date
    mark: Mark
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


class UpcomingFilm(Record):
    """The newest forecast of a film, beside that of a week before; None where there was none."""

    forecast: Forecast
    week_ago: float | None

    @property
    def change(self) -> float | None:
        """Rating points since last week."""
        return None if self.week_ago is None else self.forecast.rating - self.week_ago


class Upcoming(Record):
    """The newest forecasts, by release date."""

    as_of: date
    films: tuple[UpcomingFilm, ...]


class Figures(Record):
    """How far off some forecasts were, in rating points; the bias is positive where too high.

    Attributes:
        coverage: Share of the ratings inside the 80 % interval.
        baselines: RMSE on the same films of what needs no model.
    """

    films: int
    rmse: float
    mae: float
    bias: float
    coverage: float
    baselines: dict[str, float]


class Part(Record):
    """Some of the scored films: a month of release, a genre, a language, a number of votes."""

    kind: str
    name: str
    figures: Figures


class CalibrationBin(Record):
    """Films of about the same forecast: the mean of it, and of what their audiences said."""

    forecast: float
    actual: float
    films: int


class TrackRecord(Record):
    """How the forecasts did; one score a film, the newest by enough votes.

    Attributes:
        min_votes: How many are enough.
        figures: Of all films; None before the first.
        parts: By month of release (oldest first), genre, language, votes; and by mark, where each
            mark has scores of its own.
        worst: The largest misses, the largest first.
        best: The best hits, the best first.
        alerts: What the newest check for drift found.
    """

    as_of: date
    min_votes: int
    figures: Figures | None
    parts: tuple[Part, ...]
    calibration: tuple[CalibrationBin, ...]
    worst: tuple[Score, ...]
    best: tuple[Score, ...]
    alerts: tuple[str, ...] = ()


class DriftReport(Record):
    """Whether films and errors have changed since the model learned.

    Attributes:
        figures: What was measured, by name.
        alerts: One sentence for each limit that was passed.
    """

    day: date
    made_at: datetime
    version: PlainName
    figures: dict[str, float]
    alerts: tuple[str, ...]


class Retraining(Record):
    """Why the model was trained again on a day, and by which run that was decided."""

    day: date
    run_id: str
    reason: str


def counting(forecasts: Iterable[Forecast], opened: Mapping[int, date]) -> dict[int, Forecast]:
    """The forecasts that count: of each film the last one made before the day it opened.

    Args:
        forecasts: In any order.
        opened: When films opened, by id; others are left out.
    """
    found: dict[int, Forecast] = {}
    for each in forecasts:
        release = opened.get(each.film_id)
        if release is None or each.day >= release:
            continue
        before = found.get(each.film_id)
        if before is None or _order(before) <= _order(each):
            found[each.film_id] = each
    return found


def _order(forecast: Forecast) -> Any:
    return forecast.day, forecast.made_at
