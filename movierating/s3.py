"""S3 with conditional writes; errors become sentences that name the setting to change."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

import boto3
from boto3.exceptions import Boto3Error
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, ParamValidationError
from botocore.parsers import ResponseParserError

from movierating.errors import ExplainedError
from movierating.settings import SettingsError, SharedSettings

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

# boto3's defaults wait a minute per attempt. An unreachable S3 should be reported sooner, and a
# short outage should not fail a step.
_CONFIG: Final = Config(
    connect_timeout=5,
    read_timeout=20,
    retries={"mode": "standard", "total_max_attempts": 4},
)
_DENIED: Final = frozenset({"401", "403", "AccessDenied", "InvalidAccessKeyId"})
_BAD_SECRET: Final = frozenset({"SignatureDoesNotMatch"})


class S3UnavailableError(ExplainedError, RuntimeError):
    """S3 does not work with the current settings; the message names the setting to check."""

    retryable = True


class S3RefusedError(S3UnavailableError):
    """S3 answered and refused the request; a retry does not help."""

    retryable = False


class PreconditionFailedError(RuntimeError):
    """The object does not have the state that the read or write requires."""


class NotS3Error(RuntimeError):
    """A response lacks the ETag that S3 always sends, so another server listens there."""


@dataclass(frozen=True)
class Blob:
    """The content of an object and its ETag, which identifies this content."""

    raw: bytes
    etag: str


@dataclass(frozen=True)
class StoredObject:
    """An object in a listing; `modified` is the time of the last write by the clock of S3."""

    key: str
    bytes: int
    modified: datetime


class Bucket:
    """One bucket. Keys are plain S3 keys; every method may raise `S3UnavailableError`."""

    def __init__(self, client: "S3Client", name: str) -> None:
        """Use an existing client; `open_bucket` creates one from the settings."""
        self._client = client
        self.name = name

    def get(self, key: str, unless_etag: str | None = None) -> Blob | None:
        """Read an object; return None if it does not exist.

        Raises:
            PreconditionFailedError: The object still has the ETag `unless_etag`.
        """
        condition: dict[str, Any] = {"IfNoneMatch": unless_etag} if unless_etag else {}
        try:
            with translate_errors(self.name):
                answer = self._client.get_object(Bucket=self.name, Key=key, **condition)
                return Blob(answer["Body"].read(), _etag(answer))
        except KeyError:
            return None

    def put(self, key: str, raw: bytes) -> None:
        """Write an object and replace an existing one."""
        with translate_errors(self.name):
            _etag(self._client.put_object(Bucket=self.name, Key=key, Body=raw))

    def create(self, key: str, raw: bytes) -> None:
        """Write an object that must not exist yet.

        Raises:
            PreconditionFailedError: The object exists.
        """
        with translate_errors(self.name):
            _etag(self._client.put_object(Bucket=self.name, Key=key, Body=raw, IfNoneMatch="*"))

    def replace(self, key: str, raw: bytes, etag: str) -> None:
        """Write an object that must still have the ETag `etag`.

        Raises:
            PreconditionFailedError: The object has changed or does not exist.
        """
        try:
            with translate_errors(self.name):
                _etag(self._client.put_object(Bucket=self.name, Key=key, Body=raw, IfMatch=etag))
        except KeyError:
            raise PreconditionFailedError(key) from None

    def delete(self, key: str) -> None:
        """Delete an object; a second call changes nothing."""
        with translate_errors(self.name):
            self._client.delete_object(Bucket=self.name, Key=key)

    def objects(self, prefix: str) -> list[StoredObject]:
        """Return the objects under a prefix, sorted by key."""
        with translate_errors(self.name):
            pages = self._client.get_paginator("list_objects_v2")
            return [
                StoredObject(item["Key"], item["Size"], item["LastModified"])
                for page in pages.paginate(Bucket=self.name, Prefix=prefix)
                for item in page.get("Contents", [])
            ]

    def keys(self, prefix: str) -> list[str]:
        """Return the keys under a prefix, sorted."""
        return [each.key for each in self.objects(prefix)]


# Another web server or a proxy may answer with 200 as well. Its response must not count as data.
def _etag(answer: Mapping[str, Any]) -> str:
    try:
        return str(answer["ETag"])
    except KeyError:
        raise NotS3Error from None


@contextmanager
def translate_errors(bucket: str) -> Iterator[None]:
    """Translate errors of boto3 inside the block into sentences that name the setting to check.

    Raises:
        S3UnavailableError: S3 does not work with the current settings.
        PreconditionFailedError: The object does not have the required state.
        KeyError: The object does not exist.
    """
    try:
        yield
    except ClientError as error:
        raise _translated(error.response["Error"].get("Code", ""), bucket) from None
    except ParamValidationError:
        raise S3RefusedError(
            f"{bucket!r} cannot be the name of a bucket; change S3_BUCKET_NAME"
        ) from None
    except (NotS3Error, ResponseParserError):
        raise S3UnavailableError(
            "the server does not answer as S3 does; check AWS_ENDPOINT_URL_S3"
        ) from None
    except FileNotFoundError:
        raise  # a local file of the caller; as an OSError it would count as S3's below
    except (BotoCoreError, Boto3Error, OSError) as error:
        raise S3UnavailableError(
            f"S3 cannot be reached ({type(error).__name__}); "
            "check AWS_ENDPOINT_URL_S3, AWS_DEFAULT_REGION and the AWS keys or role"
        ) from None


def _translated(code: str, bucket: str) -> Exception:
    if code in {"NoSuchKey", "404"}:
        return KeyError(code)
    # 304 answers a conditional read; the conflict means that two conditional writes met.
    if code in {"PreconditionFailed", "412", "304", "ConditionalRequestConflict"}:
        return PreconditionFailedError(code)
    if code == "NoSuchBucket":
        return S3RefusedError(f"there is no bucket {bucket!r}; create it or change S3_BUCKET_NAME")
    if code in _DENIED:
        return S3RefusedError(
            f"S3 refuses access to bucket {bucket!r}; check AWS_ACCESS_KEY_ID and its rights"
        )
    if code in _BAD_SECRET:
        return S3RefusedError("S3 refuses the signature; check AWS_SECRET_ACCESS_KEY")
    return S3UnavailableError(f"S3 answered {code or 'an error'}; try again later")


def open_bucket(settings: SharedSettings) -> Bucket:
    """Open the bucket in the settings, with their keys or else with the machine's role.

    Raises:
        SettingsError: S3_BUCKET_NAME is not set, only one of the two AWS keys is set, or the
            address or region is invalid.
    """
    name = settings.require("s3_bucket_name")
    key, secret = settings.aws_access_key_id, settings.aws_secret_access_key
    if (key is None) != (secret is None):
        raise SettingsError("set both AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or neither")
    try:
        client = boto3.client(
            "s3",
            endpoint_url=settings.aws_endpoint_url_s3,
            region_name=settings.aws_default_region,
            aws_access_key_id=key.get_secret_value() if key else None,
            aws_secret_access_key=secret.get_secret_value() if secret else None,
            config=_CONFIG,
        )
    except ValueError:
        raise SettingsError(
            "AWS_ENDPOINT_URL_S3 is not an address or AWS_DEFAULT_REGION is not a region; change it"
        ) from None
    return Bucket(client, name)
