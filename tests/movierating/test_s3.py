import socket

import pytest

from movierating.s3 import Bucket, PreconditionFailedError, StoreUnavailableError, open_bucket
from movierating.settings import Settings, SettingsError, load_settings
from tests.s3_server import KEY, SECRET, S3Server

KEY_OF_A_FILE = "models/some.json"


@pytest.fixture
def bucket(bucket_settings: Settings) -> Bucket:
    return open_bucket(bucket_settings)


def test_what_was_put_is_there_under_a_tag(bucket: Bucket):
    bucket.put(KEY_OF_A_FILE, b"one")
    blob = bucket.get(KEY_OF_A_FILE)
    assert blob is not None
    assert blob.raw == b"one"
    assert blob.etag


def test_what_is_not_there_is_none(bucket: Bucket):
    assert bucket.get("models/none.json") is None


def test_keys_are_listed_in_order_below_a_prefix(bucket: Bucket):
    for key in ("b/2", "a/1", "b/1"):
        bucket.put(key, b"")
    assert bucket.keys("b/") == ["b/1", "b/2"]
    assert bucket.keys("c/") == []


def test_existing_object_is_never_created_again(bucket: Bucket):
    bucket.create(KEY_OF_A_FILE, b"one")
    with pytest.raises(PreconditionFailedError):
        bucket.create(KEY_OF_A_FILE, b"two")
    assert bucket.get(KEY_OF_A_FILE).raw == b"one"  # type: ignore[union-attr]


def test_object_is_replaced_in_the_state_it_was_read_in_and_in_no_other(bucket: Bucket):
    bucket.put(KEY_OF_A_FILE, b"one")
    read = bucket.get(KEY_OF_A_FILE)
    assert read is not None
    bucket.replace(KEY_OF_A_FILE, b"two", read.etag)
    with pytest.raises(PreconditionFailedError):
        bucket.replace(KEY_OF_A_FILE, b"three", read.etag)
    assert bucket.get(KEY_OF_A_FILE).raw == b"two"  # type: ignore[union-attr]


def test_object_that_is_gone_is_not_replaced(bucket: Bucket):
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
def test_refusal_is_one_sentence_that_names_the_setting(
    s3_server: S3Server, wrong: dict[str, str], sentence: str, write: bool
):
    bucket = open_bucket(s3_server.settings("films", **wrong))
    with pytest.raises(StoreUnavailableError, match=sentence) as caught:
        bucket.put("a", b"") if write else bucket.get("a")
    for secret in (SECRET, "wrong" * 8):
        assert secret not in str(caught.value)


def test_server_that_is_away_is_one_sentence_that_names_the_setting(s3_server: S3Server):
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    bucket = open_bucket(
        s3_server.settings("films", aws_endpoint_url_s3=f"http://127.0.0.1:{port}")
    )
    with pytest.raises(StoreUnavailableError, match="check AWS_ENDPOINT_URL_S3"):
        bucket.get("a")


@pytest.mark.parametrize("lonely", ["aws_access_key_id", "aws_secret_access_key"])
def test_one_key_without_the_other_is_refused(lonely: str):
    settings = load_settings(s3_bucket_name="films", **{lonely: KEY})
    with pytest.raises(SettingsError, match="AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"):
        open_bucket(settings)


def test_bucket_must_be_set():
    with pytest.raises(SettingsError, match=r"^S3_BUCKET_NAME is not set"):
        open_bucket(load_settings())


@pytest.mark.parametrize(
    "wrong", [{"aws_endpoint_url_s3": "http://"}, {"aws_default_region": "Seoul, Korea"}]
)
def test_client_that_cannot_be_made_names_the_settings(wrong: dict[str, str]):
    with pytest.raises(SettingsError, match=r"AWS_ENDPOINT_URL_S3 .* AWS_DEFAULT_REGION"):
        open_bucket(load_settings(s3_bucket_name="films", **wrong))
