import json
import socket
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from movierating.s3 import Bucket, PreconditionFailedError, S3UnavailableError, open_bucket
from movierating.settings import Settings, SettingsError, load_settings
from sandbox.s3.process import KEY, SECRET, S3Server
from tests.support.faulty_s3 import GARBAGE, SERVER_ERROR, Answer, answering

KEY_OF_A_FILE = "models/some.json"


def test_written_object_is_read_with_an_etag(bucket: Bucket):
    bucket.put(KEY_OF_A_FILE, b"one")
    blob = bucket.get(KEY_OF_A_FILE)
    assert blob is not None
    assert blob.raw == b"one"
    assert blob.etag


def test_missing_object_is_none(bucket: Bucket):
    assert bucket.get("models/none.json") is None


def test_keys_are_listed_in_order_below_a_prefix(bucket: Bucket):
    for key in ("b/2", "a/1", "b/1"):
        bucket.put(key, b"")
    assert bucket.keys("b/") == ["b/1", "b/2"]
    assert bucket.keys("c/") == []


def test_listing_has_size_and_time(bucket: Bucket):
    bucket.put("b/1", b"123")
    (listed,) = bucket.objects("b/")
    assert (listed.key, listed.bytes) == ("b/1", 3)
    assert abs(datetime.now(UTC) - listed.modified).total_seconds() < 3_600


def test_object_may_be_deleted_twice(bucket: Bucket):
    bucket.put(KEY_OF_A_FILE, b"one")
    bucket.delete(KEY_OF_A_FILE)
    bucket.delete(KEY_OF_A_FILE)
    assert bucket.get(KEY_OF_A_FILE) is None


CALLS: dict[str, Callable[[Bucket], Any]] = {
    "get": lambda bucket: bucket.get("a"),
    "put": lambda bucket: bucket.put("a", b""),
    "create": lambda bucket: bucket.create("a", b""),
    "replace": lambda bucket: bucket.replace("a", b"", '"tag"'),
    "keys": lambda bucket: bucket.keys(""),
}


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (SERVER_ERROR, "^S3 answered InternalError; try again later$"),
        # If the response is garbage, boto3 sometimes reports a server error instead.
        (GARBAGE, "does not answer as S3 does; check AWS_ENDPOINT_URL_S3$|^S3 answered 500; try"),
    ],
    ids=["500", "garbage"],
)
def test_wrong_response_is_one_sentence_and_never_an_empty_bucket(
    bucket_settings: Settings, call: str, answer: Answer, sentence: str
):
    url = bucket_settings.require("aws_endpoint_url_s3")
    with answering(lambda *_: answer, url) as wrong:
        bucket = open_bucket(bucket_settings.model_copy(update={"aws_endpoint_url_s3": wrong}))
        with pytest.raises(S3UnavailableError, match=sentence) as caught:
            CALLS[call](bucket)
    assert caught.value.retryable


def test_without_keys_the_machines_role_is_used(
    s3_server: S3Server, bucket: Bucket, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    """On a machine with an AWS role, boto3 gets its keys from a web address.

    Here this address is a server of the test."""
    granted = {
        "AccessKeyId": KEY,
        "SecretAccessKey": SECRET,
        "Token": "",
        "Expiration": "2099-01-01T00:00:00Z",
    }
    answer = (200, {"Content-Type": "application/json"}, json.dumps(granted).encode())
    bucket.put(KEY_OF_A_FILE, b"one")
    asked: list[str] = []

    def role(_: str, path: str, __: object) -> Answer:
        asked.append(path)
        return answer

    for name in ("AWS_SHARED_CREDENTIALS_FILE", "AWS_CONFIG_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "none"))
    with answering(role, s3_server.url) as credentials:
        monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", f"{credentials}/role")
        settings = s3_server.settings(
            bucket.name, aws_access_key_id=None, aws_secret_access_key=None
        )
        assert open_bucket(settings).get(KEY_OF_A_FILE) == bucket.get(KEY_OF_A_FILE)
    assert asked == ["/role"]


def test_creating_an_existing_object_is_refused(bucket: Bucket):
    bucket.create(KEY_OF_A_FILE, b"one")
    with pytest.raises(PreconditionFailedError):
        bucket.create(KEY_OF_A_FILE, b"two")
    assert bucket.get(KEY_OF_A_FILE).raw == b"one"  # type: ignore[union-attr]


def test_object_is_replaced_only_if_it_is_unchanged(bucket: Bucket):
    bucket.put(KEY_OF_A_FILE, b"one")
    read = bucket.get(KEY_OF_A_FILE)
    assert read is not None
    bucket.replace(KEY_OF_A_FILE, b"two", read.etag)
    with pytest.raises(PreconditionFailedError):
        bucket.replace(KEY_OF_A_FILE, b"three", read.etag)
    assert bucket.get(KEY_OF_A_FILE).raw == b"two"  # type: ignore[union-attr]


def test_missing_object_is_not_replaced(bucket: Bucket):
    with pytest.raises(PreconditionFailedError):
        bucket.replace(KEY_OF_A_FILE, b"two", '"0123456789abcdef0123456789abcdef"')
    assert bucket.get(KEY_OF_A_FILE) is None


def test_unchanged_object_is_not_read_again(bucket: Bucket):
    bucket.put(KEY_OF_A_FILE, b"one")
    read = bucket.get(KEY_OF_A_FILE)
    assert read is not None
    with pytest.raises(PreconditionFailedError):
        bucket.get(KEY_OF_A_FILE, unless_etag=read.etag)
    bucket.put(KEY_OF_A_FILE, b"two")
    assert bucket.get(KEY_OF_A_FILE, unless_etag=read.etag).raw == b"two"  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"aws_secret_access_key": "wrong" * 8}, "check AWS_SECRET_ACCESS_KEY$"),
        ({"aws_access_key_id": "AKIAUNKNOWN"}, "check AWS_ACCESS_KEY_ID and its rights$"),
        ({"s3_bucket_name": "no-such-bucket"}, "^there is no bucket 'no-such-bucket';"),
        ({"s3_bucket_name": "no such bucket"}, "change S3_BUCKET_NAME$"),
    ],
)
@pytest.mark.parametrize("write", [False, True], ids=["reading", "writing"])
def test_refusal_names_the_setting(
    s3_server: S3Server, wrong: dict[str, str], sentence: str, write: bool
):
    bucket = open_bucket(s3_server.settings("films", **wrong))
    with pytest.raises(S3UnavailableError, match=sentence) as caught:
        bucket.put("a", b"") if write else bucket.get("a")
    for secret in (SECRET, "wrong" * 8):
        assert secret not in str(caught.value)


def test_unreachable_server_names_the_setting(s3_server: S3Server):
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    bucket = open_bucket(
        s3_server.settings("films", aws_endpoint_url_s3=f"http://127.0.0.1:{port}")
    )
    with pytest.raises(S3UnavailableError, match="check AWS_ENDPOINT_URL_S3"):
        bucket.get("a")


@pytest.mark.parametrize("lonely", ["aws_access_key_id", "aws_secret_access_key"])
def test_one_key_without_the_other_is_refused(lonely: str):
    settings = load_settings(Settings, s3_bucket_name="films", **{lonely: KEY})
    with pytest.raises(SettingsError, match="AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"):
        open_bucket(settings)


def test_bucket_must_be_set():
    with pytest.raises(SettingsError, match=r"^S3_BUCKET_NAME is not set"):
        open_bucket(load_settings(Settings))


@pytest.mark.parametrize(
    "wrong", [{"aws_endpoint_url_s3": "http://"}, {"aws_default_region": "Seoul, Korea"}]
)
def test_invalid_address_or_region_names_the_settings(wrong: dict[str, str]):
    with pytest.raises(SettingsError, match=r"AWS_ENDPOINT_URL_S3 .* AWS_DEFAULT_REGION"):
        open_bucket(load_settings(Settings, s3_bucket_name="films", **wrong))
