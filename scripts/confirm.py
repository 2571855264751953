"""Wait until the service answers with the version that was put into production."""

import logging
from typing import Final

import requests
from tenacity import Retrying, retry_if_result, stop_after_delay, wait_fixed

from movierating.errors import ExplainedError
from movierating.settings import PipelineSettings

logger = logging.getLogger(__name__)

_PAUSE_SECONDS: Final = 1
_TIMEOUT_SECONDS: Final = 5


class NotServedError(ExplainedError, RuntimeError):
    """The service did not take a version up in time; the message says what it answered."""


def confirm(version: str, settings: PipelineSettings) -> None:
    """Wait until the service at API_URL answers with a version.

    Raises:
        SettingsError: API_URL is not set.
        NotServedError: It did not within CONFIRM_SECONDS.
    """
    url = f"{settings.require('api_url').rstrip('/')}/version"
    patiently = Retrying(
        retry=retry_if_result(lambda problem: problem is not None),
        stop=stop_after_delay(settings.confirm_seconds),
        wait=wait_fixed(_PAUSE_SECONDS),
        retry_error_callback=lambda state: state.outcome.result() if state.outcome else None,
    )
    if problem := patiently(_why_not, version, url):
        raise NotServedError(
            f"after {settings.confirm_seconds:g} seconds the service at API_URL does not answer "
            f"with {version}: {problem}; see the service's log, or raise CONFIRM_SECONDS"
        )
    logger.info("the service answers with %s", version)


def _why_not(version: str, url: str) -> str | None:
    """Why the service does not answer with a version; None when it does."""
    try:
        answer = requests.get(url, timeout=_TIMEOUT_SECONDS)
        said = answer.json()
    except requests.RequestException as error:
        return f"it gives no answer that can be read ({type(error).__name__})"
    if not isinstance(said, dict) or "version" not in said:
        return f"it has no model (status {answer.status_code})"
    if said["version"] == version:
        return None
    return (
        f"it answers with {said['version']} ({said.get('registry_problem') or 'no problem told'})"
    )
