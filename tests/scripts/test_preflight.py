import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from movierating.errors import ExplainedError
from movierating.s3 import Bucket, open_bucket
from movierating.settings import Settings
from sandbox.s3.process import S3Server
from sandbox.tmdb.process import RunningStandIn
from scripts.preflight import UnsuitableStoreError, check_store, preflight
from tests.support.faulty_s3 import Answer, answering, refusal
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


def test_bucket_that_the_server_is_still_creating_is_waited_for(
    s3_server: S3Server, good: dict[str, Any]
):
    missing = 2

    def answer(method: str, path: str, ask: Callable[[], Answer]) -> Answer:
        nonlocal missing
        if path.startswith(f"/{good['s3_bucket_name']}") and method == "PUT" and missing:
            missing -= 1
            return refusal(404, "NoSuchBucket")
        return ask()

    with answering(answer, s3_server.url) as url:
        others = good | {"aws_endpoint_url_s3": url}
        preflight(s3_server.settings(others.pop("s3_bucket_name"), **others), wait_for_s3=600)
    assert missing == 0


def test_good_setup_passes_and_leaves_no_file_in_the_folder(
    s3_server: S3Server, good: dict[str, Any]
):
    check(s3_server, good)
    assert list(Path(good["data_dir"]).iterdir()) == []
    assert open_bucket(s3_server.settings(good["s3_bucket_name"])).keys("") == []


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


def _ignoring(condition: str) -> Callable[[str, Answer], Answer]:
    def answer(asked: str, real: Answer) -> Answer:
        refused = asked.startswith("PUT") and condition in asked and real[0] == 412
        return (200, {"ETag": '"1"', "Server": "Careless"}, b"") if refused else real

    return answer


def _refusing(condition: str) -> Callable[[str, Answer], Answer]:
    def answer(asked: str, real: Answer) -> Answer:
        refused = asked.startswith("PUT") and condition in asked
        return refusal(501, "NotImplemented") if refused else real

    return answer


def _losing(asked: str, real: Answer) -> Answer:
    return refusal(404, "NoSuchKey") if asked.startswith("GET") else real


def _never_equal(asked: str, real: Answer) -> Answer:
    return refusal(412, "PreconditionFailed") if "if-match" in asked else real


@pytest.mark.parametrize(
    ("fault", "problem"),
    [
        (_ignoring("if-none-match"), r"^Careless at http\S+ cannot .* ignores If-None-Match: \*, "),
        (_ignoring("if-match"), r"^Careless at http\S+ cannot hold .* ignores If-Match, so two"),
        (_refusing("if-none-match"), r"refuses a write with If-None-Match \("),
        (_refusing("if-match"), r"refuses a write with If-Match \("),
        (_losing, "does not return an object as it was just written"),
        (_never_equal, "does not replace an unchanged object"),
    ],
)
def test_store_that_the_registry_cannot_rely_on_is_refused_with_its_name(
    bucket_settings: Settings, fault: Callable[[str, Answer], Answer], problem: str
):
    seen: list[dict[str, str]] = []

    def answer(method: str, _: str, ask: Callable[[], Answer]) -> Answer:
        return fault(f"{method} {' '.join(seen[-1])}", ask())

    url = bucket_settings.require("aws_endpoint_url_s3")
    with answering(answer, url, seen) as wrong:
        bucket = open_bucket(bucket_settings.model_copy(update={"aws_endpoint_url_s3": wrong}))
        with pytest.raises(UnsuitableStoreError, match=problem):
            check_store(bucket)
    assert open_bucket(bucket_settings).keys("") == []


def test_store_that_does_not_delete_is_refused(bucket: Bucket, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(bucket, "delete", lambda _: None)
    with pytest.raises(UnsuitableStoreError, match="still has an object after its deletion"):
        check_store(bucket)
