"""The settings of the pipeline and the API, read from the environment and `.env`.

The pipeline and the API each have a class with only the settings they use. The sandbox (`make up`)
starts both, so its class has all settings. The UI reads its two environment variables itself,
because it must not import this package.
"""

import logging
import os
import re
import stat
import string
from functools import lru_cache
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Any, Final, Literal, TypeVar
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from dotenv import dotenv_values
from dotenv.parser import parse_stream
from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    SecretStr,
    ValidationError,
    ValidationInfo,
    field_validator,
)
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from movierating.errors import ExplainedError
from movierating.proxies import PROXY_VARIABLES, is_local, spare_local_addresses

logger = logging.getLogger(__name__)

# The names of environment variables whose values are secret.
SECRET_NAME: Final = re.compile("(PASSWORD|SECRET|TOKEN|KEY|KEY_ID|WEBHOOK_URL)$")
# This codec reads UTF-8 with or without the byte order mark that some Windows editors write.
_ENCODING: Final = "utf-8-sig"
# Space, and the marks without a width that a file may begin with or a web page may add.
_INVISIBLE: Final = string.whitespace + "\x85\xa0\u200b\u200c\u200d\u2060\u3000\ufeff"
_QUOTES: Final = frozenset("\"'")
_SECRET: Final = re.compile(r"[!-~]+")  # the characters that an HTTP header may contain

ENV_FILE = Path(".env")
USUAL_REQUESTS_PER_SECOND: Final = 38
_MOST_REQUESTS_PER_SECOND: Final = 50


class SettingsError(ExplainedError, ValueError):
    """A setting is missing or invalid; the message names it and says what to change."""


def _stripped(value: Any) -> Any:
    """Remove what surrounds a value in a file or on a web page; an empty value becomes None.

    This is space, newlines, invisible characters, or one pair of quotes, which Docker keeps.
    """
    if isinstance(value, SecretStr):
        stripped = _stripped(value.get_secret_value())
        return SecretStr(stripped) if stripped else None
    if not isinstance(value, str):
        return value
    text = value.strip(_INVISIBLE)
    if len(text) > 1 and text[0] == text[-1] and text[0] in _QUOTES:
        text = text[1:-1].strip(_INVISIBLE)
    return text or None


def _without_odd_characters(value: SecretStr | None) -> SecretStr | None:
    if value is not None and not _SECRET.fullmatch(value.get_secret_value()):
        raise ValueError("holds characters that no key has; copy it again")
    return value


def _known_time_zone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError):
        raise ValueError("is not a time zone; write a name such as Asia/Seoul") from None
    return value


def _ends_in_three(value: str) -> str:
    if not value.startswith(("http://", "https://")) or not value.rstrip("/").endswith("/3"):
        raise ValueError("must be an http address that ends in /3")
    return value.rstrip("/")


def _http_address(value: str | None) -> str | None:
    if value is not None and not re.match("https?://(?!https?:)", value):
        raise ValueError("must be an http address")
    return value


def _secret_http_address(value: SecretStr | None) -> SecretStr | None:
    _http_address(value.get_secret_value() if value else None)
    return value


def _folder_or_bucket(value: str) -> str:
    scheme, separator, place = value.partition("://")
    if separator and not (scheme == "s3" and place.strip("/")):
        raise ValueError("must be a folder on this machine or s3://BUCKET/FOLDER")
    return value


def _listed(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    return [_stripped(each) or "" for each in (_stripped(value) or "").split(",")]


def _key_hash(value: str) -> str:
    if not re.fullmatch("[0-9a-f]{64}", value):
        raise ValueError("must hold hashes as `python -m app.keys` prints them, not keys")
    return value


def _origin(value: str) -> str:
    if value != "*" and not re.fullmatch(r"https?://[^/\s*]+", value):
        raise ValueError("must hold origins such as https://films.example, without a path")
    return value


def _network(value: str) -> str:
    try:
        ip_network(value)
    except ValueError:
        raise ValueError("must hold addresses or networks such as 10.0.0.0/8") from None
    return value


_Secret = Annotated[
    SecretStr | None, BeforeValidator(_stripped), AfterValidator(_without_odd_characters)
]
_Text = Annotated[str | None, BeforeValidator(_stripped)]
_Line = Annotated[str, BeforeValidator(_stripped)]
_Port = Annotated[int, Field(ge=1, le=65535)]
_Split = (NoDecode, BeforeValidator(_listed))  # a list, separated by commas


class SharedSettings(BaseSettings):
    """The settings that the pipeline and the API share: access to S3 and to TMDB.

    A field's name in capitals is the name of its environment variable. An empty value means that
    the setting is not set. The AWS keys and the region are optional: without them, boto3 looks for
    them in its usual places, such as a profile or the role of the machine.
    """

    model_config = SettingsConfigDict(
        frozen=True,
        extra="ignore",
        env_ignore_empty=True,  # Compose passes an unset variable as an empty one
        env_file_encoding=_ENCODING,
        hide_input_in_errors=True,  # the value may be a secret
    )

    tmdb_base_url: Annotated[_Line, AfterValidator(_ends_in_three)] = "https://api.themoviedb.org/3"
    tmdb_api_key: _Secret = None

    aws_access_key_id: _Secret = None
    aws_secret_access_key: _Secret = None
    aws_session_token: _Secret = None
    aws_profile: _Text = None
    aws_default_region: _Text = None
    aws_endpoint_url_s3: Annotated[_Text, AfterValidator(_http_address)] = None
    s3_bucket_name: _Text = None

    def require(self, name: str) -> str:
        """Return a required setting as text; secrets are returned unmasked.

        Args:
            name: Name of the field, such as `s3_bucket_name`.

        Raises:
            SettingsError: The setting is not set.
        """
        value = getattr(self, name)
        if value is None:
            raise SettingsError(f"{name.upper()} is not set; put it into .env")
        return value.get_secret_value() if isinstance(value, SecretStr) else str(value)


class PipelineSettings(SharedSettings):
    """The settings of the pipeline (`scripts` and `dags`)."""

    tmdb_requests_per_second: Annotated[int, Field(ge=1)] = USUAL_REQUESTS_PER_SECOND
    tmdb_retry_seconds: Annotated[float, Field(gt=0)] = 0.5
    tmdb_catalogue: _Text = None
    collect_max_films: Annotated[int | None, Field(ge=1)] = None
    collect_max_people: Annotated[int, Field(ge=0)] = 5_000
    collect_workers: Annotated[int, Field(ge=1, le=10)] = 1
    collect_max_bad_share: Annotated[float, Field(gt=0, le=1)] = 0.1
    data_dir: Annotated[_Line, AfterValidator(_folder_or_bucket)] = "data-prepare"
    tune_minutes: Annotated[float, Field(gt=0)] = 60
    keep_days: Annotated[int, Field(ge=1)] = 30
    keep_max_gb: Annotated[float, Field(gt=0)] = 2
    keep_versions: Annotated[int, Field(ge=1)] = 30
    promotion_approval: bool = False
    api_url: Annotated[_Text, AfterValidator(_http_address)] = None
    confirm_seconds: Annotated[float, Field(gt=0)] = 120
    forecast_min_votes: Annotated[int, Field(ge=1)] = 50
    pipeline_timezone: Annotated[_Line, AfterValidator(_known_time_zone)] = "Asia/Seoul"
    alert_webhook_url: Annotated[_Secret, AfterValidator(_secret_http_address)] = None
    weekly_message: bool = False
    wandb_api_key: _Secret = None

    @field_validator("tmdb_requests_per_second")
    @classmethod
    def _within_tmdbs_limit(cls, value: int, others: ValidationInfo) -> int:
        host = urlsplit(others.data.get("tmdb_base_url", "")).hostname
        if value > _MOST_REQUESTS_PER_SECOND and host and not is_local(host):
            raise ValueError(f"must be at most {_MOST_REQUESTS_PER_SECOND}, as TMDB allows no more")
        return value


class ApiSettings(SharedSettings):
    """The settings of the API (`app`)."""

    api_port: _Port = 8000
    model_poll_seconds: Annotated[float, Field(gt=0)] = 10
    translation: Literal["off", "google"] = "off"
    translation_timeout_seconds: Annotated[float, Field(gt=0)] = 3
    api_key_hashes: Annotated[tuple[Annotated[str, AfterValidator(_key_hash)], ...], *_Split] = ()
    rate_limit_per_minute: Annotated[int | None, Field(ge=1)] = None
    trusted_proxies: Annotated[tuple[Annotated[str, AfterValidator(_network)], ...], *_Split] = ()
    cors_origins: Annotated[tuple[Annotated[str, AfterValidator(_origin)], ...], *_Split] = ()
    max_request_kb: Annotated[int, Field(ge=1)] = 1024
    drain_seconds: Annotated[float, Field(ge=0, le=300)] = 1


class Settings(PipelineSettings, ApiSettings):
    """The settings of the pipeline, the API and the UI, for the sandbox, which starts them all.

    The sandbox checks all settings before it starts any program, then passes them on.
    """

    api_key: _Secret = None
    airflow_port: _Port = 8080
    ui_port: _Port = 8501


_AnySettings = TypeVar("_AnySettings", bound=SharedSettings)


def load_settings(
    kind: type[_AnySettings], env_file: Path | str | None = None, **overrides: Any
) -> _AnySettings:
    """Read the settings of one class, such as `ApiSettings`.

    Each value comes from the first source that has it: `overrides`, the environment, `env_file`,
    or the default in the class.

    Raises:
        SettingsError: A value is invalid. The message does not repeat the value: it may be secret.
    """
    try:
        if env_file is not None:
            _check_lines(Path(env_file))
        values: dict[str, Any] = {"_env_file": env_file} | overrides
        return kind(**values)
    except ValidationError as error:
        raise SettingsError("; ".join(map(_sentence, error.errors()))) from None
    except UnicodeDecodeError:
        raise SettingsError(f"{env_file} is not a text file in UTF-8; save it as one") from None


def _check_lines(env_file: Path) -> None:
    # dotenv skips a broken line without a warning, so its setting would silently remain unset.
    with env_file.open(encoding=_ENCODING) as stream:
        broken = [each.original.line for each in parse_stream(stream) if each.error]
    if broken:
        raise SettingsError(f"line {broken[0]} of {env_file} is broken; write NAME=value")


def _sentence(problem: Any) -> str:
    name = str(problem["loc"][0]).upper() if problem["loc"] else "a setting"
    return f"{name}: {problem['msg'].removeprefix('Value error, ')}"


def _of_this_process(kind: type[_AnySettings], **overrides: Any) -> _AnySettings:
    if not ENV_FILE.exists():
        spare_local_addresses()
        return load_settings(kind, **overrides)
    settings = load_settings(kind, ENV_FILE, **overrides)
    _warn_if_others_can_read(ENV_FILE)
    _pass_on_to_libraries(ENV_FILE)
    spare_local_addresses()
    return settings


def _warn_if_others_can_read(env_file: Path) -> None:
    values = dotenv_values(env_file, encoding=_ENCODING)
    has_secrets = any(value and SECRET_NAME.search(name) for name, value in values.items())
    if has_secrets and env_file.stat().st_mode & (stat.S_IRGRP | stat.S_IROTH):
        path = env_file.absolute()
        logger.warning("other users can read the secrets in %s; type: chmod 600 %s", path, path)


def _pass_on_to_libraries(env_file: Path) -> None:
    """Copy the variables that libraries need from the file to the environment.

    boto3 reads many variables, such as AWS_CA_BUNDLE and AWS_CONFIG_FILE, and every HTTP library
    reads those of proxies. The libraries read only the environment, and would ignore the file.
    """
    known = {name.lower() for name in os.environ}  # the environment may have them in small letters
    for name, value in dotenv_values(env_file, encoding=_ENCODING).items():
        is_theirs = name.startswith("AWS_") and name.lower() not in SharedSettings.model_fields
        if value and name.lower() not in known and (is_theirs or name.lower() in PROXY_VARIABLES):
            os.environ[name] = value.strip()


@lru_cache
def pipeline_settings() -> PipelineSettings:
    """Return the pipeline's settings, read once per process from the environment and `.env`."""
    return _of_this_process(PipelineSettings)


def pipeline_settings_with(overrides: dict[str, Any]) -> PipelineSettings:
    """Return the pipeline's settings, with some values replaced.

    Args:
        overrides: The values, by the names of the fields. An empty text unsets a setting.

    Raises:
        SettingsError: A value is invalid. The message does not repeat the value.
    """
    return _of_this_process(PipelineSettings, **overrides)


@lru_cache
def api_settings() -> ApiSettings:
    """Return the API's settings, read once per process from the environment and `.env`."""
    return _of_this_process(ApiSettings)


@lru_cache
def all_settings() -> Settings:
    """Return all settings, read once per process from the environment and `.env`."""
    return _of_this_process(Settings)
