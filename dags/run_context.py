"""The date of the current run, and the translation of our errors into Airflow's."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from airflow.sdk import get_current_context
from airflow.sdk.exceptions import AirflowFailException

from movierating.errors import ExplainedError
from movierating.settings import pipeline_settings
from scripts.runtime.clock import past_or_today


def run_date() -> date:
    """The date of the current run: its parameter `run_date`, else the day it was due.

    Runs started by hand or by an asset have no logical date, so the day comes from `run_after`.
    """
    context: Any = get_current_context()
    if chosen := context["params"]["run_date"]:
        return past_or_today(date.fromisoformat(chosen))
    zone = ZoneInfo(pipeline_settings().pipeline_timezone)
    day: date = context["dag_run"].run_after.astimezone(zone).date()
    return day


@contextmanager
def as_airflow_failure() -> Iterator[None]:
    """Fail the task at once on an error that no retry can fix, with its message."""
    try:
        yield
    except ExplainedError as error:
        if error.retryable:
            raise
        raise AirflowFailException(str(error)) from None
