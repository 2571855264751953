"""Test `make up` with bad settings: it prints one clear sentence, fails, and leaves no process."""

import socket
from pathlib import Path

import pytest

from sandbox.checkout import Checkout
from sandbox.s3.process import KEY, SECRET, S3Server, running_s3
from sandbox.tmdb.process import RunningStandIn
from tests.support.processes import processes_of

TMDB_TOKEN = "x" * 30 + "." + "y" * 30


@pytest.fixture
def taken_port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield str(server.getsockname()[1])


@pytest.fixture
def refused(checkout: Checkout):
    """Return a function that runs `make up`, checks that it fails, and returns its last output."""

    def up(**settings):
        result = checkout.sandbox("up", **settings)
        assert result.returncode == 1, result.stdout
        assert "Traceback" not in result.stdout
        assert processes_of(checkout.folder) == []
        return result.stdout.strip().splitlines()[-1]

    return up


@pytest.fixture
def s3(tmp_path: Path):
    with running_s3(tmp_path) as server:
        yield server


@pytest.mark.parametrize("name", ["AIRFLOW_PORT", "API_PORT", "UI_PORT"])
def test_message_names_a_port_that_is_in_use(refused, taken_port, name):
    assert f"port {taken_port} is taken" in (line := refused(**{name: taken_port}))
    assert name in line


def test_message_names_an_invalid_setting(refused):
    assert "COLLECT_MAX_FILMS" in refused(COLLECT_MAX_FILMS="many")


def test_message_names_an_unreadable_env_file(refused, checkout: Checkout):
    path = checkout.folder / ".env"
    path.write_bytes(b"\xff\xfe\x00broken")
    try:
        assert ".env" in refused()
    finally:
        path.unlink()


def test_message_names_a_variable_with_an_unusable_proxy(refused):
    line = refused(HTTPS_PROXY="http://someone:pass#word@proxy.example:3128")
    assert "HTTPS_PROXY is not the address of a proxy" in line
    assert "pass" not in line.replace("PASSWORD", "").replace("password", "")


def test_message_names_the_setting_of_a_missing_catalogue(refused):
    assert "TMDB_CATALOGUE" in refused(TMDB_CATALOGUE="nowhere.parquet")


def test_message_names_the_setting_of_a_refused_key_but_does_not_show_the_key(
    refused, tmdb_of_today: RunningStandIn
):
    line = refused(TMDB_API_KEY="not-a-key-at-all", TMDB_BASE_URL=tmdb_of_today.base_url)
    assert "TMDB_API_KEY" in line
    assert "not-a-key-at-all" not in line


def test_message_names_the_setting_of_an_unreachable_tmdb(refused):
    line = refused(TMDB_API_KEY=TMDB_TOKEN, TMDB_BASE_URL="http://127.0.0.1:9/3")
    assert "TMDB_BASE_URL" in line


def test_message_names_the_setting_of_a_missing_bucket(
    refused, s3: S3Server, tmdb_of_today: RunningStandIn
):
    line = refused(
        TMDB_API_KEY=TMDB_TOKEN,
        TMDB_BASE_URL=tmdb_of_today.base_url,
        S3_BUCKET_NAME="no-such-bucket",
        AWS_ENDPOINT_URL_S3=s3.url,
        AWS_ACCESS_KEY_ID=KEY,
        AWS_SECRET_ACCESS_KEY=SECRET,
    )
    assert "S3_BUCKET_NAME" in line


def test_model_trained_on_invented_films_is_not_published_to_a_real_bucket(refused):
    line = refused(S3_BUCKET_NAME="real")
    assert "S3_BUCKET_NAME" in line
    assert "TMDB_API_KEY" in line


def test_catalogue_and_tmdb_key_together_are_refused(refused):
    assert "TMDB_CATALOGUE" in refused(TMDB_API_KEY=TMDB_TOKEN, TMDB_CATALOGUE="films.parquet")


def test_message_names_the_setting_of_an_unwritable_folder(refused, tmp_path):
    (tmp_path / "file").touch()
    assert "DATA_DIR" in refused(DATA_DIR=str(tmp_path / "file" / "below"))
