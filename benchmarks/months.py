"""A month of the backtest: what was known on the day before it, and its films."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from datetime import time as time_of_day
from typing import Any, Final

import pandas as pd

from movierating.ledger.records import Forecast
from movierating.registry.bundle import Bundle
from scripts.dataset.metrics import baseline_forecasts
from scripts.dataset.split import Sample, TimeSplit
from scripts.ledger.forecaster import FilmToForecast, Forecaster
from scripts.ledger.scoring import RatingAtMark
from scripts.parameters import MIN_VOTES_TO_COUNT

VISIBLE_AFTER: Final = timedelta(days=90)


@dataclass(frozen=True)
class Month:
    """One month of the backtest, with the films that are known on the day before it begins.

    Attributes:
        begins: The first day of the month.
        known: The films whose ratings are visible before this day, a data frame with one row per
            film.
        films: The films to forecast: all films released in the month.
    """

    begins: date
    known: pd.DataFrame
    films: Sample

    @classmethod
    def of(cls, films: pd.DataFrame, begins: date) -> "Month":
        """Create the backtest's data for one month.

        Args:
            films: All films, a data frame with one row per film.
            begins: The first day of the month.
        """
        released = films["release_date"]
        visible = released < (begins - VISIBLE_AFTER).isoformat()
        in_month = (released >= begins.isoformat()) & (released < next_month(begins).isoformat())
        return cls(begins, films[visible], Sample(films[in_month]))

    @property
    def day(self) -> date:
        """The day before the month begins; on this day, the model is trained and forecasts."""
        return self.begins - timedelta(1)

    @property
    def split(self) -> TimeSplit:
        """The films with visible ratings, split into training films and hold-out films.

        The hold-out films are the newest ones, as in a normal pipeline run.
        """
        return TimeSplit.of_newest(self.known)

    def forecast(self, bundle: Bundle) -> list[Forecast]:
        """Forecast the films of the month with a model version.

        The forecasts do not contain the baselines; `add_baselines` adds them.
        """
        # At a fixed time of day, because a second run must write the same bytes.
        noon = datetime.combine(self.day, time_of_day(12), UTC)
        films = [
            FilmToForecast(int(film_id), film, film.release_date or self.begins)
            for film_id, film in zip(self.films.frame["id"], self.films.films, strict=True)
        ]
        return Forecaster.of(bundle).forecast(films, None, noon, self.day)

    def add_baselines(self, forecasts: list[Forecast]) -> list[Forecast]:
        """Add to each forecast what the baselines forecast for the same film.

        The baselines are naive means, such as the mean rating of the genre, and the old model. They
        are computed from all films with visible ratings and enough votes.
        """
        with_votes = Sample(self.known[self.known["vote_count"] >= MIN_VOTES_TO_COUNT])
        by_name = baseline_forecasts(TimeSplit(with_votes, self.films, self.begins)).items()
        return [
            each.model_copy(
                # Rounded, as all numbers in the ledger.
                update={
                    "baselines": {name: round(float(column[at]), 4) for name, column in by_name}
                }
            )
            for at, each in enumerate(forecasts)
        ]


def rating_at_mark(row: dict[Any, Any]) -> RatingAtMark:
    """Return a film's latest rating, marked as its rating 90 days after the release.

    The films' files do not contain the real rating on that day.
    """
    release_date = date.fromisoformat(row["release_date"])
    return RatingAtMark(
        film_id=int(row["id"]),
        release_date=release_date,
        mark="90 days",
        day=release_date + VISIBLE_AFTER,
        rating=float(row["vote_average"]),
        votes=int(row["vote_count"]),
    )


def next_month(month: date) -> date:
    """Return the first day of the month after `month`."""
    # Day 28 exists in every month, and four days later is always in the next one.
    return (month.replace(day=28) + timedelta(4)).replace(day=1)


def months(first: date, until: date) -> Iterator[date]:
    """Yield the first day of each month from `first` (included) to `until` (not included)."""
    month = first.replace(day=1)
    while month < until:
        yield month
        month = next_month(month)
