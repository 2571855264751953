"""Send a message to people when a run fails, through a webhook that takes Slack's format."""

import logging
from typing import Any, Final

import requests
from tenacity import retry, retry_if_exception_type, stop_after_attempt, wait_exponential

from movierating.settings import pipeline_settings

logger = logging.getLogger(__name__)

_TIMEOUT_SECONDS: Final = 10


def send_alert(text: str) -> None:
    """Send a message to ALERT_WEBHOOK_URL; a failure to send it is only logged.

    The address is a secret, since anybody with it can post messages. The text of a request error
    contains the address, so only its type or its status is logged.
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
    """Report a run that was stopped because it took too long; a failed task reports itself."""
    if context["reason"] == "timed_out":
        send_alert(f"{context['dag'].dag_id}: {context['run_id']} took too long and was stopped")


def alert_deadline(context: Any) -> None:
    """Report a run that has missed its deadline and is still running."""
    run = context["dag_run"]
    send_alert(f"{run['dag_id']}: {run['dag_run_id']} is late and still running")


@retry(
    retry=retry_if_exception_type(requests.RequestException),
    stop=stop_after_attempt(3),
    wait=wait_exponential(max=8),
    reraise=True,
)
def _post(address: str, text: str) -> None:
    answer = requests.post(address, json={"text": text}, timeout=_TIMEOUT_SECONDS)
    answer.raise_for_status()
