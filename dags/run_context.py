"""What a task asks of its run: the date it is for, and how its errors are told."""

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
    """The date the current run is for: the `run_date` it was triggered with, else its own day.

    Runs triggered by hand or by an asset have no logical date; `run_after` is always there.
    """
    context: Any = get_current_context()
    if asked := context["params"]["run_date"]:
        return past_or_today(date.fromisoformat(asked))
    zone = ZoneInfo(pipeline_settings().pipeline_timezone)
    day: date = context["dag_run"].run_after.astimezone(zone).date()
    return day


@contextmanager
def explained() -> Iterator[None]:
    """Let an error that a retry cannot heal fail at once, with its one sentence."""
    try:
        yield
    except ExplainedError as error:
        if error.retryable:
            raise
        raise AirflowFailException(str(error)) from None
