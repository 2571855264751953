from datetime import UTC, date, datetime, timedelta
from types import ModuleType
from typing import Any

import pytest

from movierating.errors import ExplainedError
from movierating.settings import Settings, load_settings
from scripts.tmdb.errors import TmdbError, TmdbUnavailableError


@pytest.fixture
def run_context(pipeline: ModuleType) -> ModuleType:  # noqa: ARG001 - Airflow is set up first
    from dags import run_context

    return run_context


class DagRun:
    """Imitates Airflow's run: it has only the time at which the run was due, `run_after`."""

    def __init__(self, run_after: datetime) -> None:
        self.run_after = run_after


EVENING = datetime(2026, 11, 22, 18, 0, tzinfo=UTC)
MAY = datetime(2025, 5, 1, 18, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("asked", "logical_date", "run_after", "zone", "day"),
    [
        (None, None, EVENING, "Asia/Seoul", date(2026, 11, 23)),
        (None, None, EVENING - timedelta(hours=4), "Asia/Seoul", date(2026, 11, 22)),
        (None, None, EVENING, "UTC", date(2026, 11, 22)),
        (None, MAY, EVENING, "UTC", date(2025, 5, 1)),
        (None, MAY, EVENING, "Asia/Seoul", date(2025, 5, 2)),
        ("2025-01-31", None, EVENING, "UTC", date(2025, 1, 31)),
        ("2025-01-31", MAY, EVENING, "UTC", date(2025, 1, 31)),
    ],
)
def test_run_date_is_the_parameter_else_the_logical_date_else_the_day_of_the_run(
    run_context: ModuleType,
    monkeypatch: pytest.MonkeyPatch,
    asked: str | None,
    logical_date: datetime | None,
    run_after: datetime,
    zone: str,
    day: date,
):
    context: dict[str, Any] = {"params": {"run_date": asked}, "dag_run": DagRun(run_after)}
    if logical_date:  # Airflow's context lacks the key if the run has no logical date
        context["logical_date"] = logical_date
    monkeypatch.setattr(run_context, "get_current_context", lambda: context)
    settings = load_settings(Settings, pipeline_timezone=zone)
    monkeypatch.setattr(run_context, "pipeline_settings", lambda: settings)
    assert run_context.run_date() == day


def test_error_that_no_retry_can_fix_fails_at_once_with_its_message(run_context: ModuleType):
    from airflow.sdk.exceptions import AirflowFailException

    with (
        pytest.raises(AirflowFailException, match=r"^check TMDB_API_KEY$"),
        run_context.as_airflow_failure(),
    ):
        raise TmdbError("check TMDB_API_KEY")


@pytest.mark.parametrize("error", [TmdbUnavailableError("is away"), ZeroDivisionError()])
def test_every_other_error_is_left_to_the_retries(run_context: ModuleType, error: Exception):
    with pytest.raises(type(error)) as caught, run_context.as_airflow_failure():
        raise error
    assert caught.value is error


def test_errors_are_not_retryable_unless_they_say_so():
    assert not ExplainedError.retryable
    assert TmdbUnavailableError.retryable
