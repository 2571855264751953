"""The date of the current Airflow run, and the conversion of our errors into Airflow's."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from airflow.sdk import get_current_context
from airflow.sdk.exceptions import AirflowFailException

from dags.run_requests import check_request, is_ours
from movierating.errors import ExplainedError
from movierating.settings import pipeline_settings
from scripts.runtime.clock import past_or_today


def run_date() -> date:
    """Return the date of the current run, in PIPELINE_TIMEZONE.

    It is the parameter `run_date`; or the day of the logical date; or the day on which the run was
    due. A run that the REST API, an asset or another DAG started may have no logical date.
    """
    context: Any = get_current_context()
    if chosen := context["params"]["run_date"]:
        return past_or_today(date.fromisoformat(chosen))
    moment = context.get("logical_date") or context["dag_run"].run_after
    zone = ZoneInfo(pipeline_settings().pipeline_timezone)
    day: date = moment.astimezone(zone).date()
    return past_or_today(day)


def check_run(context: Any) -> None:
    """Check the parameters and dates of the run. Airflow calls this before each task."""
    run = context["dag_run"]
    if is_ours(run.dag_id):
        with as_airflow_failure():
            check_request(run, context["dag"].params)


@contextmanager
def as_airflow_failure() -> Iterator[None]:
    """Fail the Airflow task without retries if the block raises an error that no retry can fix."""
    try:
        yield
    except ExplainedError as error:
        if error.retryable:
            raise
        raise AirflowFailException(str(error)) from None
