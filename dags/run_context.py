"""The date of the current Airflow run, and the conversion of our errors into Airflow's."""

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
    """Return the date of the current run: its parameter `run_date`, or the day it was due.

    The day comes from `run_after`, because a run that a person or an asset started has no logical
    date.
    """
    context: Any = get_current_context()
    if chosen := context["params"]["run_date"]:
        return past_or_today(date.fromisoformat(chosen))
    zone = ZoneInfo(pipeline_settings().pipeline_timezone)
    day: date = context["dag_run"].run_after.astimezone(zone).date()
    return day


@contextmanager
def as_airflow_failure() -> Iterator[None]:
    """Fail the Airflow task without retries if the block raises an error that no retry can fix."""
    try:
        yield
    except ExplainedError as error:
        if error.retryable:
            raise
        raise AirflowFailException(str(error)) from None
