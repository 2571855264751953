"""Wait until the API forecasts with the model version that was put into production."""

import logging
from typing import Final

import requests
from tenacity import Retrying, retry_if_result, stop_after_delay, wait_fixed

from movierating.errors import ExplainedError
from movierating.settings import PipelineSettings
from movierating.time_limits import limited_session, reason

logger = logging.getLogger(__name__)

_PAUSE_SECONDS: Final = 1
_TIMEOUT_SECONDS: Final = 5


class NotServedError(ExplainedError, RuntimeError):
    """The API did not load the new version in time; the message quotes its last answer."""


def confirm(version: str, settings: PipelineSettings) -> None:
    """Wait until the API at API_URL reports `version` as its model in service.

    Raises:
        SettingsError: API_URL is not set.
        NotServedError: The API did not report it within CONFIRM_SECONDS.
    """
    url = f"{settings.require('api_url').rstrip('/')}/version"
    retrying = Retrying(
        retry=retry_if_result(lambda problem: problem is not None),
        stop=stop_after_delay(settings.confirm_seconds),
        wait=wait_fixed(_PAUSE_SECONDS),
        retry_error_callback=lambda state: state.outcome.result() if state.outcome else None,
    )
    if problem := retrying(_why_not, version, url):
        raise NotServedError(
            f"after {settings.confirm_seconds:g} seconds the service at API_URL does not answer "
            f"with {version}: {problem}; see the service's log, or raise CONFIRM_SECONDS"
        )
    logger.info("the service answers with %s", version)


def _why_not(version: str, url: str) -> str | None:
    """Ask the API once whether it serves `version`; return the problem, or None if it does."""
    try:
        with limited_session(_TIMEOUT_SECONDS) as session:
            answer = session.get(url)
        body = answer.json()
    except requests.RequestException as error:
        return f"it gives no readable answer ({reason(error)})"
    if not isinstance(body, dict) or "version" not in body:
        return f"it has no model (status {answer.status_code})"
    if body["version"] == version:
        return None
    problem = body.get("registry_problem") or "it reports no problem"
    return f"it answers with {body['version']} ({problem})"
