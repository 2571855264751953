import io
import json
import os
from collections.abc import Callable
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from botocore.config import Config

from movierating import s3_client
from movierating.s3 import Bucket, open_bucket
from movierating.s3_errors import (
    ObjectTooLargeError,
    PreconditionFailedError,
    S3RefusedError,
    S3UnavailableError,
)
from movierating.settings import Settings, SettingsError, load_settings
from sandbox.s3.process import KEY, SECRET, S3Server
from sandbox.state import free_ports
from tests.support.faulty_s3 import GARBAGE, SERVER_ERROR, Answer, answering, refusal
from tests.support.slow_server import HEADERS, slow_server

KEY_OF_A_FILE = "models/some.json"


def test_written_object_is_read_with_an_etag(bucket: Bucket):
    bucket.put(KEY_OF_A_FILE, b"one")
    blob = bucket.get(KEY_OF_A_FILE)
    assert blob is not None
    assert blob.raw == b"one"
    assert blob.etag


def test_object_larger_than_its_reader_accepts_is_refused_by_its_name(bucket: Bucket):
    bucket.put(KEY_OF_A_FILE, b"1234")
    blob = bucket.get(KEY_OF_A_FILE, max_bytes=4)
    assert blob is not None
    with pytest.raises(ObjectTooLargeError, match=f"{KEY_OF_A_FILE} has 4 bytes, and at most 3"):
        bucket.get(KEY_OF_A_FILE, max_bytes=3)
    assert bucket.get(KEY_OF_A_FILE)  # the connection can be used again


def test_object_that_announces_no_size_is_read_up_to_the_limit():
    class Client:
        def get_object(self, **_: Any) -> dict[str, Any]:
            return {
                "Body": io.BytesIO(b"x" * 1_000),
                "ETag": "1",
                "ResponseMetadata": {"HTTPHeaders": {}},
            }

    client: Any = Client()
    with pytest.raises(ObjectTooLargeError, match="more bytes than it announces"):
        Bucket(client, "films").get(KEY_OF_A_FILE, max_bytes=10)


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


def test_unchanged_object_of_a_store_that_ignores_the_condition_is_unchanged(bucket: Bucket):
    bucket.put(KEY_OF_A_FILE, b"one")
    blob = bucket.get(KEY_OF_A_FILE)
    assert blob is not None
    call = bucket._call

    def ignoring(operation: str, *, IfNoneMatch: str = "", **parameters: Any) -> Any:  # noqa: N803
        del IfNoneMatch
        return call(operation, **parameters)

    bucket._call = ignoring  # type: ignore[method-assign]
    with pytest.raises(PreconditionFailedError):
        bucket.get(KEY_OF_A_FILE, unless_etag=blob.etag)
    bucket.put(KEY_OF_A_FILE, b"two")
    assert bucket.get(KEY_OF_A_FILE, unless_etag=blob.etag).raw == b"two"  # type: ignore[union-attr]


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
    (port,) = free_ports(1)
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


@pytest.fixture
def asked() -> list[dict[str, str]]:
    """Return the headers of the requests to `refusing`."""
    return []


@pytest.fixture
def refusing(bucket_settings: Settings, asked: list[dict[str, str]]) -> Any:
    """Return a function that opens the bucket on a server with the same answer to everything."""
    url = bucket_settings.require("aws_endpoint_url_s3")
    with ExitStack() as servers:

        def open_it(answer: Answer) -> Bucket:
            wrong = servers.enter_context(answering(lambda *_: answer, url, asked))
            return open_bucket(bucket_settings.model_copy(update={"aws_endpoint_url_s3": wrong}))

        yield open_it


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirect_is_one_sentence_after_one_request(refusing: Any, asked: list[Any], status: int):
    target = "https://s3.films.example/films/a?X-Amz-Signature=planted"
    bucket = refusing((status, {"Location": target}, b""))
    for call in CALLS.values():
        asked.clear()
        with pytest.raises(S3RefusedError) as caught:
            call(bucket)
        assert "redirects to https://s3.films.example, as S3 never does" in str(caught.value)
        assert "change AWS_ENDPOINT_URL_S3" in str(caught.value)
        assert len(asked) == 1


@pytest.mark.parametrize(
    ("status", "code", "sentence"),
    [
        (400, "ExpiredToken", "renew AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TO"),
        (400, "InvalidToken", "AWS_SESSION_TOKEN together"),
        (403, "RequestTimeTooSkewed", "set the clock$"),
        (501, "NotImplemented", "set AWS_REQUEST_CHECKSUM_CALCULATION"),
        (400, "InvalidArgument", "AWS_RESPONSE_CHECKSUM_VALIDATION to when_required"),
        (400, "AuthorizationHeaderMalformed", "in another region .*; change AWS_DEFAULT_REGION$"),
        (400, "InvalidBucketName", "change S3_BUCKET_NAME$"),
        (418, "Teapot", r"^S3 refuses the request \(Teapot\); check AWS_ENDPOINT_URL_S3, "),
    ],
)
def test_refusal_names_the_setting_and_is_not_repeated(
    refusing: Any, asked: list[Any], status: int, code: str, sentence: str
):
    bucket = refusing(refusal(status, code))
    for call in CALLS.values():
        asked.clear()
        with pytest.raises(S3RefusedError, match=sentence):
            call(bucket)
        assert len(asked) == 1


def test_status_404_is_a_missing_object_only_where_one_object_is_read(refusing: Any):
    bucket = refusing((404, {}, b""))
    assert bucket.get("a") is None
    bucket.delete("a")
    for call in (lambda: bucket.put("a", b""), lambda: bucket.create("a", b"")):
        with pytest.raises(S3RefusedError, match=r"\(404\); check AWS_ENDPOINT_URL_S3"):
            call()
    with pytest.raises(S3RefusedError, match=r"\(404\); check AWS_ENDPOINT_URL_S3"):
        bucket.keys("")


def test_no_request_has_a_checksum_header_unless_a_variable_of_boto3_says_so(
    refusing: Any, asked: list[dict[str, str]], monkeypatch: pytest.MonkeyPatch
):
    done = (200, {"ETag": '"1"'}, b"")
    refusing(done).create("a", b"1")
    monkeypatch.setenv("AWS_REQUEST_CHECKSUM_CALCULATION", "when_supported")
    refusing(done).create("a", b"1")
    without, with_it = ([name for name in each if "checksum" in name] for each in asked)
    assert without == []
    assert "x-amz-checksum-crc32" in with_it


def test_object_that_arrives_too_slowly_is_an_error(
    s3_server: S3Server, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(s3_client, "_RESPONSE_SECONDS", 0.1)
    monkeypatch.setattr(s3_client, "_CONFIG", Config(retries={"total_max_attempts": 1}))
    for beginning in (HEADERS + b"ETag: 1\r\n\r\n", HEADERS):
        with slow_server(beginning, b"X: 1\r\n") as url:
            bucket = open_bucket(s3_server.settings("films", aws_endpoint_url_s3=url))
            with pytest.raises(S3UnavailableError, match="cannot be reached"):
                bucket.get("a")


CREDENTIALS = """
[films]
aws_access_key_id = {key}
aws_secret_access_key = {secret}
aws_session_token = {token}
region = eu-north-1
"""


@pytest.fixture
def profile(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Create a file with the profile `films`, and hide this machine's files from boto3."""
    path = tmp_path / "credentials"
    path.write_text(CREDENTIALS.format(key="of-the-profile", secret="s", token="t"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(path))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    return path


def signed(**settings: Any) -> str:
    """Return an address that is signed with the credentials that the settings lead to."""
    client = s3_client.s3_client(load_settings(Settings, **settings))
    return str(client.generate_presigned_url("get_object", {"Bucket": "films", "Key": "a"}))


@pytest.mark.usefixtures("profile")
def test_credentials_come_from_the_settings_or_from_a_profile():
    keys = {"aws_access_key_id": "of-the-settings", "aws_secret_access_key": "s"}
    assert "of-the-settings" in signed(**keys)
    assert "Security-Token" not in signed(**keys)
    assert "Security-Token=planted&" in signed(**keys, aws_session_token="planted\n") + "&"
    of_profile = signed(aws_profile="films")
    assert "of-the-profile%2F" in of_profile
    assert "%2Feu-north-1%2F" in of_profile
    assert "of-the-settings" in signed(**keys, aws_profile="films")
    assert "%2Fap-northeast-2%2F" in signed(**keys)
    with pytest.raises(SettingsError, match=r"^AWS_PROFILE names no profile"):
        signed(aws_profile="no-such-profile")


@pytest.mark.usefixtures("profile")
def test_empty_profile_of_the_environment_is_unset(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("AWS_PROFILE", "")
    assert "k%2F" in signed(aws_access_key_id="k", aws_secret_access_key="s")


def test_session_token_without_keys_is_refused():
    with pytest.raises(
        SettingsError, match="AWS_SECRET_ACCESS_KEY, or neither, and unset AWS_SESS"
    ):
        signed(aws_session_token="t")


def test_renewed_credentials_are_read_after_the_old_ones_expired(
    s3_server: S3Server, bucket: Bucket, profile: Path
):
    def expire_old(_: str, __: str, ask: Callable[[], Answer]) -> Answer:
        old = "of-the-profile" in seen[-1]["authorization"]
        return refusal(400, "ExpiredToken") if old else ask()

    seen: list[dict[str, str]] = []
    bucket.put("a", b"1")
    with answering(expire_old, s3_server.url, seen) as url:
        settings = load_settings(
            Settings, aws_profile="films", aws_endpoint_url_s3=url, s3_bucket_name=bucket.name
        )
        reader = open_bucket(settings)
        with pytest.raises(S3RefusedError, match=r"sign in to AWS_PROFILE again$"):
            reader.get("a")
        profile.write_text(CREDENTIALS.format(key=KEY, secret=SECRET, token=""))
        assert reader.get("a") == bucket.get("a")


def test_role_that_is_refused_is_named(
    s3_server: S3Server, profile: Path, monkeypatch: pytest.MonkeyPatch
):
    (token := profile.with_name("token")).write_text("a web identity")
    monkeypatch.setenv("AWS_WEB_IDENTITY_TOKEN_FILE", str(token))
    monkeypatch.setenv("AWS_ROLE_ARN", "arn:aws:iam::123456789012:role/films")
    body = b"<ErrorResponse><Error><Code>AccessDenied</Code></Error></ErrorResponse>"
    with answering(lambda *_: (403, {}, body), s3_server.url) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL_STS", url)
        bucket = open_bucket(load_settings(Settings, s3_bucket_name="films"))
        with pytest.raises(S3RefusedError, match=r"give a role \(AccessDenied\); .*AWS_ROLE_ARN"):
            bucket.get("a")


def test_large_object_is_copied_from_and_to_a_file(bucket: Bucket, tmp_path: Path):
    raw = os.urandom(2_500_000)  # several pieces
    (tmp_path / "large").write_bytes(raw)
    bucket.create_from("large", tmp_path / "large")
    assert bucket.download("large", tmp_path / "copy", len(raw)) == len(raw)
    assert (tmp_path / "copy").read_bytes() == raw
    with pytest.raises(PreconditionFailedError):
        bucket.create_from("large", tmp_path / "large")


def test_download_stops_at_the_limit(bucket: Bucket, tmp_path: Path):
    bucket.put("large", bytes(2_500_000))
    assert bucket.download("large", tmp_path / "copy", 1_200_000) == 1_200_001


def test_download_of_a_missing_object_writes_nothing(bucket: Bucket, tmp_path: Path):
    assert bucket.download("missing", tmp_path / "copy", 10) is None
    assert not (tmp_path / "copy").exists()
