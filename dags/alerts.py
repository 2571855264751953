"""Tell people when a run fails or is late: send a message to a webhook in Slack's format."""

import logging
from typing import Any, Final

import requests
from tenacity import retry, retry_if_exception_type, stop_after_attempt, wait_exponential

from movierating.settings import pipeline_settings
from movierating.time_limits import limited_session

logger = logging.getLogger(__name__)

_TIMEOUT_SECONDS: Final = 10


def send_alert(text: str) -> None:
    """Send a message to ALERT_WEBHOOK_URL, if set; a failure to send it is only logged.

    The webhook's address is a secret, because anybody who has it can post messages. The text of a
    request error contains this address. So the log gets only the error's type or the HTTP status.
    """
    address = pipeline_settings().alert_webhook_url
    if address is None:
        return
    try:
        _post(address.get_secret_value(), text)
    except requests.RequestException as error:
        answer = error.response
        why = type(error).__name__ if answer is None else f"it answered {answer.status_code}"
        logger.error("the alert could not be sent: %s", why)  # noqa: TRY400 - see above


def alert_timeout(context: Any) -> None:
    """Send a message about a run that was stopped because it took too long.

    Airflow calls this for every failed run. All other failures come from a failed task, for which
    `alert_failure` has sent a message already.
    """
    if context["reason"] == "timed_out":
        send_alert(f"{context['dag'].dag_id}: {context['run_id']} took too long and was stopped")


def alert_deadline(context: Any) -> None:
    """Send a message about a run that is still running after its deadline."""
    run = context["dag_run"]
    send_alert(f"{run['dag_id']}: {run['dag_run_id']} is late and still running")


@retry(
    retry=retry_if_exception_type(requests.RequestException),
    stop=stop_after_attempt(3),
    wait=wait_exponential(max=8),
    reraise=True,
)
def _post(address: str, text: str) -> None:
    with limited_session(_TIMEOUT_SECONDS) as session:
        session.post(address, json={"text": text}).raise_for_status()
