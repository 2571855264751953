from datetime import timedelta
from types import ModuleType
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowSkipException
from pydantic import SecretStr

from movierating.ledger.ledger import ForecastLedger
from movierating.s3 import open_bucket
from movierating.settings import Settings
from tests.support.bundles import RUN_DATE
from tests.support.forecasts import forecast
from tests.support.webhook import webhook


@pytest.fixture
def weekly_task(
    pipeline: ModuleType,  # noqa: ARG001 - Airflow is set up first
    bucket_settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
) -> Any:
    """Return a function that runs the task with some settings; a film opens this week."""
    made = forecast(release_date=RUN_DATE + timedelta(2), title="The Lantern", day=RUN_DATE)
    ForecastLedger(open_bucket(bucket_settings)).append([made])
    from dags import alerts, weekly_message

    def run(**changes: Any) -> str:
        chosen = bucket_settings.model_copy(update=changes)
        monkeypatch.setattr(weekly_message, "task_settings", lambda: chosen)
        monkeypatch.setattr(alerts, "task_settings", lambda *_: chosen)
        return weekly_message.send_weekly_message()

    return run


def test_weekly_message_is_sent_once_a_week_however_often_the_dag_runs(weekly_task: Any):
    with webhook() as (address, received):
        on = {"weekly_message": True, "alert_webhook_url": SecretStr(address)}
        assert weekly_task(**on) == "2026-W48"
        with pytest.raises(AirflowSkipException, match="sent before"):
            weekly_task(**on)
    assert len(received) == 1
    assert "The Lantern" in received[0]["body"]["text"]


@pytest.mark.parametrize("changes", [{}, {"weekly_message": True}])
def test_no_weekly_message_is_sent_unless_it_is_asked_for(
    weekly_task: Any, changes: dict[str, Any]
):
    with webhook() as (address, received):
        webhooks = {} if changes else {"alert_webhook_url": SecretStr(address)}
        with pytest.raises(AirflowSkipException, match="WEEKLY_MESSAGE is off, or"):
            weekly_task(**changes, **webhooks)
    assert received == []
