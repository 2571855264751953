"""Bad input to `make up`: one clear sentence, exit code 1, nothing left running."""

import socket

import pytest

from sandbox.s3.process import KEY, SECRET, running_s3
from tests.support.processes import processes_of

TMDB_TOKEN = "x" * 30 + "." + "y" * 30


@pytest.fixture
def taken_port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield str(server.getsockname()[1])


@pytest.fixture
def refused(checkout):
    """Run `make up`, check that it fails, and return its last line."""

    def up(**settings):
        result = checkout.sandbox("up", **settings)
        assert result.returncode == 1, result.stdout
        assert "Traceback" not in result.stdout
        assert processes_of(checkout.folder) == []
        return result.stdout.strip().splitlines()[-1]

    return up


@pytest.fixture
def s3(tmp_path):
    with running_s3(tmp_path) as server:
        yield server


@pytest.mark.parametrize("name", ["AIRFLOW_PORT", "API_PORT", "UI_PORT"])
def test_taken_port_is_named_before_anything_starts(refused, taken_port, name):
    assert f"port {taken_port} is taken" in (line := refused(**{name: taken_port}))
    assert name in line


def test_unusable_setting_is_named(refused):
    assert "COLLECT_MAX_FILMS" in refused(COLLECT_MAX_FILMS="many")


def test_broken_env_file_is_named(refused, checkout):
    path = checkout.folder / ".env"
    path.write_bytes(b"\xff\xfe\x00broken")
    try:
        assert ".env" in refused()
    finally:
        path.unlink()


def test_missing_catalogue_is_named(refused):
    assert "TMDB_CATALOGUE" in refused(TMDB_CATALOGUE="nowhere.parquet")


def test_refused_key_is_named_and_not_shown(refused, tmdb_of_today):
    line = refused(TMDB_API_KEY="not-a-key-at-all", TMDB_BASE_URL=tmdb_of_today.base_url)
    assert "TMDB_API_KEY" in line
    assert "not-a-key-at-all" not in line


def test_unreachable_tmdb_is_named(refused):
    line = refused(TMDB_API_KEY=TMDB_TOKEN, TMDB_BASE_URL="http://127.0.0.1:9/3")
    assert "TMDB_BASE_URL" in line


def test_missing_bucket_is_named(refused, s3, tmdb_of_today):
    line = refused(
        TMDB_API_KEY=TMDB_TOKEN,
        TMDB_BASE_URL=tmdb_of_today.base_url,
        S3_BUCKET_NAME="no-such-bucket",
        AWS_ENDPOINT_URL_S3=s3.url,
        AWS_ACCESS_KEY_ID=KEY,
        AWS_SECRET_ACCESS_KEY=SECRET,
    )
    assert "S3_BUCKET_NAME" in line


def test_real_bucket_takes_no_model_of_invented_films(refused):
    line = refused(S3_BUCKET_NAME="real")
    assert "S3_BUCKET_NAME" in line
    assert "TMDB_API_KEY" in line


def test_catalogue_beside_a_key_is_a_contradiction(refused):
    assert "TMDB_CATALOGUE" in refused(TMDB_API_KEY=TMDB_TOKEN, TMDB_CATALOGUE="films.parquet")


def test_unwritable_folder_is_named(refused, tmp_path):
    (tmp_path / "file").touch()
    assert "DATA_DIR" in refused(DATA_DIR=str(tmp_path / "file" / "below"))
