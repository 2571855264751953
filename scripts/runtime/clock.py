"""What time it is, which day, and which days can be run for."""

from datetime import UTC, date, datetime
from typing import Final
from zoneinfo import ZoneInfo

from movierating.settings import SettingsError, pipeline_settings

YEAR_DAYS: Final = 365.25


def now() -> datetime:
    """The time by this machine's clock."""
    return _clock()


def _clock() -> datetime:
    return datetime.now(UTC)


def today() -> date:
    """The date it is in the pipeline's time zone."""
    return now().astimezone(ZoneInfo(pipeline_settings().pipeline_timezone)).date()


def past_or_today(day: date) -> date:
    """The same day, if it is not in the future.

    Raises:
        SettingsError: It is. Once in production, such a run would outrank every honest one.
    """
    if day > today():
        raise SettingsError(f"the run date {day} is in the future; choose {today()} or earlier")
    return day
