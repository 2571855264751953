"""The current time and date, and a check of run dates."""

from datetime import UTC, date, datetime
from typing import Final
from zoneinfo import ZoneInfo

from movierating.settings import SettingsError, pipeline_settings

YEAR_DAYS: Final = 365.25


def now() -> datetime:
    """The current time in UTC, by this machine's clock."""
    return _clock()


def _clock() -> datetime:
    return datetime.now(UTC)  # apart from `now`, so that tests replace it for every importer


def today() -> date:
    """The current date in the pipeline's time zone."""
    return now().astimezone(ZoneInfo(pipeline_settings().pipeline_timezone)).date()


def past_or_today(day: date) -> date:
    """Return a run date after checking that it is not in the future.

    Raises:
        SettingsError: The date is in the future. Production only moves to newer run dates, so such
            a model would block every regular run until that date.
    """
    if day > today():
        raise SettingsError(f"the run date {day} is in the future; choose {today()} or earlier")
    return day
