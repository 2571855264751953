"""Words to people about what went wrong, sent to a webhook that takes Slack's form."""

import logging
from typing import Any, Final

import requests
from tenacity import retry, retry_if_exception_type, stop_after_attempt, wait_exponential

from movierating.settings import pipeline_settings

logger = logging.getLogger(__name__)

_TIMEOUT_SECONDS: Final = 10


def tell(text: str) -> None:
    """Send one message, where ALERT_WEBHOOK_URL says; a failure to do so harms nothing.

    The address is a secret: whoever knows it can write. So no error of the sending is logged as it
    is, since it would hold the address.
    """
    address = pipeline_settings().alert_webhook_url
    if address is None:
        return
    try:
        _post(address.get_secret_value(), text)
    except requests.RequestException as error:
        answer = error.response
        why = type(error).__name__ if answer is None else f"it answers {answer.status_code}"
        logger.error("the webhook was not told: %s", why)  # noqa: TRY400 - see above


def tell_of_timeout(context: Any) -> None:
    """Tell of a run that was ended for its length; tasks that fail tell of themselves."""
    if context["reason"] == "timed_out":
        tell(f"{context['dag'].dag_id}: {context['run_id']} took too long and was ended")


def tell_of_deadline(context: Any) -> None:
    """Tell of a run that has not ended by its deadline, and goes on."""
    run = context["dag_run"]
    tell(f"{run['dag_id']}: {run['dag_run_id']} is late and goes on")


@retry(
    retry=retry_if_exception_type(requests.RequestException),
    stop=stop_after_attempt(3),
    wait=wait_exponential(max=8),
    reraise=True,
)
def _post(address: str, text: str) -> None:
    answer = requests.post(address, json={"text": text}, timeout=_TIMEOUT_SECONDS)
    answer.raise_for_status()
