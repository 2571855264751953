import json
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from movierating import settings as settings_module
from movierating.settings import Settings, SettingsError, pipeline_settings
from sandbox.tmdb.process import RunningStandIn
from tests.support.stand_in import TMDB_KEY

BACKEND = "airflow.secrets.local_filesystem.LocalFilesystemBackend"


@pytest.fixture
def reading(pipeline: ModuleType) -> Iterator[ModuleType]:  # noqa: ARG001 - Airflow is set up first
    """Return the module; neither the settings nor Airflow's secrets backends are cached."""
    from airflow.sdk.configuration import clear_secrets_backends_cache

    from dags import task_settings

    for forget in (pipeline_settings.cache_clear, clear_secrets_backends_cache):
        forget()
    yield task_settings
    for forget in (pipeline_settings.cache_clear, clear_secrets_backends_cache):
        forget()


@pytest.fixture
def connect(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return a function that sets a connection as Airflow reads it from the environment."""

    def to(name: str, **fields: Any) -> None:
        monkeypatch.setenv(f"AIRFLOW_CONN_{name.upper()}", json.dumps({"conn_type": "x"} | fields))

    return to


@pytest.fixture
def backend(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Let Airflow read connections from a file, with its own secrets backend for files."""
    file = tmp_path / "connections.json"
    monkeypatch.setenv("AIRFLOW__SECRETS__BACKEND", BACKEND)
    monkeypatch.setenv(
        "AIRFLOW__SECRETS__BACKEND_KWARGS", json.dumps({"connections_file_path": str(file)})
    )
    return file


def secret(value: Any) -> str | None:
    return value.get_secret_value() if value else None


def test_without_connections_the_environment_decides(
    reading: ModuleType, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("TMDB_API_KEY", "of-the-environment")
    assert reading.task_settings() is pipeline_settings()
    assert secret(reading.task_settings().tmdb_api_key) == "of-the-environment"


def test_every_secret_may_come_from_a_connection(
    reading: ModuleType, connect: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    (tmp_path / ".env").write_text("TMDB_API_KEY=of-the-file\nKEEP_DAYS=12\n")
    monkeypatch.setattr(settings_module, "ENV_FILE", tmp_path / ".env")
    connect("movie_rating_tmdb", password="tmdb\n")
    connect("movie_rating_wandb", password="wandb")
    connect("movie_rating_alerts", password="https://hooks.example/secret")
    connect(
        "movie_rating_s3",
        login="key",
        password="hidden",
        extra={
            "aws_session_token": "token",
            "region_name": "r",
            "endpoint_url": "https://s3.example",
        },
    )
    settings = reading.task_settings()
    names = [
        "tmdb_api_key", "wandb_api_key", "alert_webhook_url",
        "aws_access_key_id", "aws_secret_access_key", "aws_session_token",
    ]  # fmt: skip
    assert [secret(getattr(settings, name)) for name in names] == [
        "tmdb", "wandb", "https://hooks.example/secret", "key", "hidden", "token",
    ]  # fmt: skip
    assert settings.aws_default_region == "r"
    assert settings.aws_endpoint_url_s3 == "https://s3.example"
    assert settings.keep_days == 12


def test_keys_of_a_connection_are_not_mixed_with_the_token_of_the_environment(
    reading: ModuleType, connect: Any, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("AWS_SESSION_TOKEN", "of other keys")
    connect("movie_rating_s3", login="key", password="hidden")
    assert reading.task_settings().aws_session_token is None


def test_connection_without_keys_only_names_the_server(
    reading: ModuleType, connect: Any, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("AWS_SESSION_TOKEN", "kept")
    connect("movie_rating_s3", extra={"endpoint_url": "http://minio:9000"})
    settings = reading.task_settings()
    assert settings.aws_access_key_id is None
    assert secret(settings.aws_session_token) == "kept"
    assert settings.aws_endpoint_url_s3 == "http://minio:9000"


@pytest.mark.parametrize(
    ("name", "fields", "sentence"),
    [
        ("movie_rating_tmdb", {}, "movie_rating_tmdb has no password; add it, or .* TMDB_API_KEY"),
        ("movie_rating_s3", {"login": "key"}, "movie_rating_s3 has no password"),
        ("movie_rating_s3", {"password": "hidden"}, "movie_rating_s3 has no login"),
    ],
)
def test_incomplete_connection_is_named(
    reading: ModuleType, connect: Any, name: str, fields: dict[str, str], sentence: str
):
    connect(name, **fields)
    with pytest.raises(reading.SecretsError, match=sentence):
        reading.task_settings()


def test_invalid_value_of_a_connection_is_not_repeated(reading: ModuleType, connect: Any):
    connect("movie_rating_alerts", password="no-address-but-secret")
    with pytest.raises(SettingsError, match="ALERT_WEBHOOK_URL") as raised:
        reading.task_settings()
    assert "secret" not in str(raised.value)


def test_secrets_backend_is_read(reading: ModuleType, backend: Path):
    backend.write_text(json.dumps({"movie_rating_tmdb": {"conn_type": "x", "password": "tmdb"}}))
    assert secret(reading.task_settings().tmdb_api_key) == "tmdb"


def test_secrets_backend_that_fails_is_one_sentence(
    reading: ModuleType, backend: Path, caplog: pytest.LogCaptureFixture
):
    backend.write_text("{ not JSON, but a-secret")
    with pytest.raises(reading.SecretsError) as raised:
        reading.task_settings()
    said = str(raised.value)
    assert said.startswith("Airflow cannot read the connection movie_rating_tmdb (")
    assert "backend_kwargs" in said
    assert raised.value.retryable
    assert "a-secret" not in said + caplog.text


def test_settings_of_the_environment_stand_in_for_a_secrets_backend_that_fails(
    reading: ModuleType,
    backend: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
):
    backend.write_text("{ not JSON")
    for name in ("TMDB_API_KEY", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "of-the-environment")
    assert secret(reading.task_settings().tmdb_api_key) == "of-the-environment"
    assert "; the variable TMDB_API_KEY is used" in caplog.text
    assert "; the variable WANDB_API_KEY is used" in caplog.text


def test_secrets_backend_that_does_not_exist_is_one_sentence(
    reading: ModuleType, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("AIRFLOW__SECRETS__BACKEND", "no.such.Backend")
    with pytest.raises(reading.SecretsError, match="cannot read the connection movie_rating_tmdb"):
        reading.task_settings()


def test_keys_of_connections_reach_tmdb_and_s3(
    reading: ModuleType,  # noqa: ARG001 - nothing is cached
    connect: Any,
    monkeypatch: pytest.MonkeyPatch,
    tmdb_stand_in: RunningStandIn,
    bucket_settings: Settings,
):
    from dags import film_backfill
    from dags.housekeeping import tmdb_housekeeping

    for name, value in {
        "TMDB_API_KEY": "wrong",
        "TMDB_BASE_URL": tmdb_stand_in.base_url,
        "S3_BUCKET_NAME": bucket_settings.s3_bucket_name,
        "AWS_ACCESS_KEY_ID": "wrong",
        "AWS_SECRET_ACCESS_KEY": "wrong",
    }.items():
        monkeypatch.setenv(name, str(value))
    pipeline_settings.cache_clear()  # the import above has read them
    connect("movie_rating_tmdb", password=TMDB_KEY)
    connect(
        "movie_rating_s3",
        login=secret(bucket_settings.aws_access_key_id),
        password=secret(bucket_settings.aws_secret_access_key),
        extra={"endpoint_url": bucket_settings.aws_endpoint_url_s3},
    )
    asked = {"first": "2005-01-01", "last": "2005-01-31", "min_votes": 0, "slice_films": 5000}
    monkeypatch.setattr(film_backfill, "get_current_context", lambda: {"params": asked})
    plan: Any = film_backfill.tmdb_film_backfill().get_task("plan_slices")
    prune: Any = tmdb_housekeeping().get_task("prune_versions")
    (part,) = plan.python_callable()
    assert int(part["films"]) > 0
    assert prune.python_callable() == []
