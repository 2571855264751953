"""Send the weekly message about the films that open and those of last month to the webhook."""

from airflow.sdk.exceptions import AirflowSkipException

from dags.alerts import send_once
from dags.run_context import as_airflow_failure
from dags.task_settings import task_settings


def send_weekly_message() -> str:
    """Send the week's message, unless it was sent or has no content yet; return the week."""
    from scripts.ledger.weekly_message import week_of, weekly_message
    from scripts.runtime.clock import today

    with as_airflow_failure():
        settings, day = task_settings(), today()
        if not (settings.weekly_message and settings.alert_webhook_url):
            raise AirflowSkipException("WEEKLY_MESSAGE is off, or ALERT_WEBHOOK_URL is not set")
        text = weekly_message(day, settings)
        if text is None:
            raise AirflowSkipException("no film opens this week, and none was compared")
        if not send_once(text, "weekly_message", week_of(day)):
            raise AirflowSkipException("it was sent before, or the log says why it was not")
    return week_of(day)
