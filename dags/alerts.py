"""Send messages to a webhook in Slack's format: about failed and late runs, and once a week."""

import logging
from typing import Any, Final

import requests
from tenacity import retry, retry_if_exception_type, stop_after_attempt, wait_exponential

from dags.failures import failed_run
from dags.task_settings import ALERTS, task_settings
from movierating.errors import ExplainedError
from movierating.time_limits import limited_session, reason

logger = logging.getLogger(__name__)

_TIMEOUT_SECONDS: Final = 10
_SENT: Final = "late_runs.json"  # in DATA_DIR: what was reported and is still true


def send_alert(text: str) -> bool:
    """Send a message to the webhook, if one is set, and return whether it was sent.

    A failure to send it is only logged.

    The webhook's address is a secret, because anybody who has it can post messages. The text of a
    request error contains this address. So the log gets only the error's type or the HTTP status.
    """
    try:
        address = task_settings(ALERTS).alert_webhook_url
        if address is None:
            return False
        _post(address.get_secret_value(), text)
    except ExplainedError as error:
        logger.error("the alert could not be sent: %s", error)  # noqa: TRY400 - its text is enough
        return False
    except requests.RequestException as error:
        answer = error.response
        why = reason(error) if answer is None else f"the webhook answered {answer.status_code}"
        logger.error("the alert could not be sent: %s", why)  # noqa: TRY400 - see above
        return False
    return True


def send_new_alerts(texts: dict[str, str]) -> list[str]:
    """Send the messages that were not sent the last time.

    Args:
        texts: All messages that are true now, by the name of what each is about.

    Returns:
        The names of the messages that were sent, now or before.
    """
    from scripts.runtime.storage import data_folder, read_json, write_json

    record = data_folder(task_settings()) / _SENT
    before: list[str] = read_json(record) if record.exists() else []
    sent = [name for name, text in texts.items() if name in before or send_alert(text)]
    write_json(record, sent)
    return sent


def send_once(text: str, name: str, occasion: str) -> bool:
    """Send a message, unless it was sent before on this occasion; return whether it was sent.

    Args:
        text: The message.
        name: What the message is about; the file that remembers the occasion has this name.
        occasion: When the message is due, such as the name of a week.
    """
    from scripts.runtime.storage import data_folder, read_json, write_json

    record = data_folder(task_settings()) / f"{name}.json"
    if record.exists() and read_json(record) == occasion:
        return False
    # Written after the message: a message that could not be sent is sent by the next run.
    if is_sent := send_alert(text):
        write_json(record, occasion)
    return is_sent


def alert_failed_run(context: Any) -> None:
    """Send the one message about a failed run. Every DAG has this as its `on_failure_callback`.

    The scheduler asks for this call whatever ended the run: a task that failed, was killed or lost
    its machine, or the run's time limit. The call is made in the DAG processor.
    """
    send_alert(failed_run(context))


@retry(
    retry=retry_if_exception_type(requests.RequestException),
    stop=stop_after_attempt(3),
    wait=wait_exponential(max=8),
    reraise=True,
)
def _post(address: str, text: str) -> None:
    with limited_session(_TIMEOUT_SECONDS) as session:
        # A redirected message would be sent without its text.
        answer = session.post(address, json={"text": text}, allow_redirects=False)
        answer.raise_for_status()
        if answer.status_code >= requests.codes.multiple_choices:
            raise requests.HTTPError(response=answer)
