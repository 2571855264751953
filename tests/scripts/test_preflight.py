import time
from pathlib import Path
from typing import Any

import pytest

from movierating.errors import ExplainedError
from movierating.s3 import open_bucket
from sandbox.s3.process import S3Server
from sandbox.tmdb.process import RunningStandIn
from scripts.preflight import preflight
from tests.support.stand_in import TMDB_KEY


@pytest.fixture
def good(tmdb_stand_in: RunningStandIn, s3_server: S3Server, tmp_path: Path) -> dict[str, Any]:
    return {
        "tmdb_base_url": tmdb_stand_in.base_url,
        "tmdb_api_key": TMDB_KEY,
        "data_dir": str(tmp_path / "data"),
        "s3_bucket_name": s3_server.new_bucket(),
    }


def check(s3_server: S3Server, settings: dict[str, Any]) -> None:
    others = dict(settings)
    preflight(s3_server.settings(others.pop("s3_bucket_name"), **others))


def test_good_setup_passes_and_leaves_no_file_in_the_folder(
    s3_server: S3Server, good: dict[str, Any]
):
    check(s3_server, good)
    assert list(Path(good["data_dir"]).iterdir()) == []
    assert open_bucket(s3_server.settings(good["s3_bucket_name"])).keys("models/versions") == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("tmdb_api_key", None),
        ("tmdb_api_key", "refused"),
        ("tmdb_base_url", "http://127.0.0.1:9/3"),
        ("s3_bucket_name", None),
        ("s3_bucket_name", "no-such-bucket"),
        ("aws_secret_access_key", "wrong"),
        ("data_dir", f"{__file__}/data"),
    ],
)
def test_bad_setting_is_named(
    s3_server: S3Server,
    good: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    value: str | None,
):
    monkeypatch.setattr(time, "sleep", lambda _: None)
    with pytest.raises(ExplainedError, match=name.upper()):
        check(s3_server, good | {name: value})
