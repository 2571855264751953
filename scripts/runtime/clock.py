"""The current time and date, and a check of run dates."""

from datetime import UTC, date, datetime
from typing import Final
from zoneinfo import ZoneInfo

from movierating.settings import SettingsError, pipeline_settings

YEAR_DAYS: Final = 365.25


def now() -> datetime:
    """Return the current time in UTC, by this machine's clock."""
    return _clock()


def _clock() -> datetime:
    # A function of its own, so that a test can replace the clock of all modules that import `now`.
    return datetime.now(UTC)


def today() -> date:
    """Return the current date in the pipeline's time zone."""
    return day_of(now())


def day_of(moment: datetime) -> date:
    """Return the date of a moment in the pipeline's time zone."""
    return moment.astimezone(ZoneInfo(pipeline_settings().pipeline_timezone)).date()


def past_or_today(day: date) -> date:
    """Return a run date after checking that it is not in the future.

    Raises:
        SettingsError: The date is in the future. Only a model with a newer run date may replace the
            model in production, so a model with a future run date would block all runs until that
            date.
    """
    if day > today():
        raise SettingsError(f"the run date {day} is in the future; choose {today()} or earlier")
    return day
