"""The settings of a task. Its secrets may come from Airflow's connections.

Airflow looks for a connection in the secrets backend, if one is configured, then in the variable
AIRFLOW_CONN_..., then in Airflow's database. If a connection exists, its values replace the
variables of `.env.example`.
"""

import logging
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any, ClassVar, Final, NamedTuple

from airflow.sdk import Connection
from airflow.sdk.configuration import conf
from airflow.sdk.exceptions import AirflowNotFoundException

from movierating.errors import ExplainedError
from movierating.settings import PipelineSettings, pipeline_settings, pipeline_settings_with

logger = logging.getLogger(__name__)

_BACKEND_SETTINGS: Final = (("secrets", "backend"), ("workers", "secrets_backend"))


class SecretsError(ExplainedError, RuntimeError):
    """A secret cannot be read from Airflow; the message contains no secret."""

    retryable: ClassVar[bool] = True  # the secrets backend may answer again soon


class _Source(NamedTuple):
    """A connection with secrets.

    Attributes:
        connection: The connection's id.
        setting: The setting that takes the connection's place if it does not exist.
        is_required: Whether a task fails if the connection cannot be read and `setting` is unset.
        values: Reads the settings' values from the connection; None means that a value is missing.
    """

    connection: str
    setting: str
    is_required: bool
    values: Callable[[Any], dict[str, Any]]


def _s3(connection: Any) -> dict[str, Any]:
    extra = connection.extra_dejson
    # A connection without keys gives only the region and the address; boto3 then finds credentials.
    keys = {
        "aws_access_key_id": connection.login,
        "aws_secret_access_key": connection.password,
        # Empty if the connection has no token: a token in the environment belongs to other keys.
        "aws_session_token": extra.get("aws_session_token") or "",
    }
    places = {
        "aws_default_region": extra.get("region_name"),
        "aws_endpoint_url_s3": extra.get("endpoint_url"),
    }
    has_keys = connection.login or connection.password
    return (keys if has_keys else {}) | {name: value for name, value in places.items() if value}


def _in_password(name: str) -> Callable[[Any], dict[str, Any]]:
    return lambda connection: {name: connection.password}


ALERTS: Final = _Source(
    "movie_rating_alerts", "alert_webhook_url", False, _in_password("alert_webhook_url")
)
_ALL: Final = (
    _Source("movie_rating_tmdb", "tmdb_api_key", True, _in_password("tmdb_api_key")),
    _Source("movie_rating_s3", "aws_access_key_id", True, _s3),
    _Source("movie_rating_wandb", "wandb_api_key", False, _in_password("wandb_api_key")),
    ALERTS,
)


def task_settings(*sources: _Source) -> PipelineSettings:
    """Return the pipeline's settings, with the secrets of those connections that exist.

    Call this function in a task or in a callback, and not while Airflow reads a DAG's file.

    Args:
        sources: The connections that are read; by default all.

    Raises:
        SecretsError: A connection is incomplete, or the secrets backend cannot be read.
        SettingsError: A value is invalid.
    """
    found: dict[str, Any] = {}
    for source in sources or _ALL:
        found |= _values(source)
    return pipeline_settings_with(found) if found else pipeline_settings()


def _values(source: _Source) -> dict[str, Any]:
    try:
        connection = _connection(source.connection)
    except SecretsError as error:
        if source.is_required and getattr(pipeline_settings(), source.setting) is None:
            raise
        logger.warning("%s; the variable %s is used", error, source.setting.upper())
        return {}
    if connection is None:
        return {}
    values = source.values(connection)
    if missing := [name for name, value in values.items() if value is None]:
        field = "login" if missing == ["aws_access_key_id"] else "password"
        raise SecretsError(
            f"Airflow's connection {source.connection} has no {field}; add it, or delete the "
            f"connection to use the variable {missing[0].upper()}"
        )
    return values


def _connection(name: str) -> Any:
    """Return a connection; None if it exists nowhere.

    Raises:
        SecretsError: Airflow cannot read one of the places in which it looks for connections.
    """
    try:
        return Connection.get(name)
    except AirflowNotFoundException:
        for failure in _failures(name):
            raise SecretsError(_sentence(name, failure)) from None
        return None
    # The text of an error from a secrets backend may contain a secret, so only its type is kept.
    except Exception as error:  # noqa: BLE001 - each backend raises errors of its own
        raise SecretsError(_sentence(name, type(error).__name__)) from None


def _sentence(name: str, failure: str) -> str:
    return (
        f"Airflow cannot read the connection {name} ({failure}); check Airflow's settings "
        "[secrets] backend and backend_kwargs, and whether the secrets backend answers"
    )


def _failures(name: str) -> Iterator[str]:
    """Yield the secrets backends that fail; Airflow treats them as if they had no connection."""
    from airflow.sdk.execution_time.supervisor import ensure_secrets_backend_loaded

    if not any(conf.get(*key, fallback="") for key in _BACKEND_SETTINGS):
        return
    for backend in ensure_secrets_backend_loaded():
        try:
            with suppress(AirflowNotFoundException):
                backend.get_connection(conn_id=name)
        except Exception as error:  # noqa: BLE001 - see above
            yield f"{type(backend).__name__}: {type(error).__name__}"
