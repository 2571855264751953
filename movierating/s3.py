"""Read and write S3 objects; a write can require that no other process has changed the object.

The message of an error names the setting to change.
"""

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
    """The condition of a conditional read or write is not met, for example the object exists."""


class NotS3Error(RuntimeError):
    """A response lacks the ETag that S3 always sends, so the server is not S3."""


@dataclass(frozen=True)
class Blob:
    """The content of an S3 object, and its ETag, which changes with the content."""

    raw: bytes
    etag: str


@dataclass(frozen=True)
class StoredObject:
    """One S3 object in a listing.

    Attributes:
        key: The S3 key.
        bytes: Size of the content.
        modified: Time of the last write, by S3's clock.
    """

    key: str
    bytes: int
    modified: datetime


class Bucket:
    """One S3 bucket. Every method may raise `S3UnavailableError`."""

    def __init__(self, client: "S3Client", name: str) -> None:
        """Use an existing client; `open_bucket` creates one from the settings."""
        self._client = client
        self.name = name

    def get(self, key: str, unless_etag: str | None = None) -> Blob | None:
        """Read an object; return None if it does not exist.

        Args:
            key: The S3 key.
            unless_etag: The ETag from an earlier read. An unchanged object is not sent again.

        Raises:
            PreconditionFailedError: The object is unchanged: it still has the ETag `unless_etag`.
        """
        condition: dict[str, Any] = {"IfNoneMatch": unless_etag} if unless_etag else {}
        try:
            with translate_errors(self.name):
                answer = self._client.get_object(Bucket=self.name, Key=key, **condition)
                return Blob(answer["Body"].read(), _etag(answer))
        except KeyError:
            return None

    def put(self, key: str, raw: bytes) -> None:
        """Write an object; an existing object with this key is replaced."""
        with translate_errors(self.name):
            _etag(self._client.put_object(Bucket=self.name, Key=key, Body=raw))

    def create(self, key: str, raw: bytes) -> None:
        """Write an object only if no object with this key exists.

        Raises:
            PreconditionFailedError: An object with this key exists.
        """
        with translate_errors(self.name):
            _etag(self._client.put_object(Bucket=self.name, Key=key, Body=raw, IfNoneMatch="*"))

    def replace(self, key: str, raw: bytes, etag: str) -> None:
        """Overwrite an object only if it still has the ETag `etag`.

        Raises:
            PreconditionFailedError: The object has changed or does not exist.
        """
        try:
            with translate_errors(self.name):
                _etag(self._client.put_object(Bucket=self.name, Key=key, Body=raw, IfMatch=etag))
        except KeyError:
            raise PreconditionFailedError(key) from None

    def delete(self, key: str) -> None:
        """Delete an object; deleting a missing object is no error."""
        with translate_errors(self.name):
            self._client.delete_object(Bucket=self.name, Key=key)

    def objects(self, prefix: str) -> list[StoredObject]:
        """List the objects whose keys begin with `prefix`, sorted by key."""
        with translate_errors(self.name):
            pages = self._client.get_paginator("list_objects_v2")
            return [
                StoredObject(item["Key"], item["Size"], item["LastModified"])
                for page in pages.paginate(Bucket=self.name, Prefix=prefix)
                for item in page.get("Contents", [])
            ]

    def keys(self, prefix: str) -> list[str]:
        """List the keys that begin with `prefix`, sorted."""
        return [each.key for each in self.objects(prefix)]


# Another web server or a proxy may also answer with status 200. Without this check, its response
# would be taken for the object's content.
def _etag(answer: Mapping[str, Any]) -> str:
    try:
        return str(answer["ETag"])
    except KeyError:
        raise NotS3Error from None


@contextmanager
def translate_errors(bucket: str) -> Iterator[None]:
    """Translate boto3's errors inside a `with` block into this module's errors.

    The message of each `S3UnavailableError` names the setting to check.

    Raises:
        S3UnavailableError: S3 does not work with the current settings.
        PreconditionFailedError: The condition of a read or write is not met, for example because
            another process has changed the object.
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
        raise  # a missing local file is the caller's error, unlike the OSErrors below
    except (BotoCoreError, Boto3Error, OSError) as error:
        raise S3UnavailableError(
            f"S3 cannot be reached ({type(error).__name__}); "
            "check AWS_ENDPOINT_URL_S3, AWS_DEFAULT_REGION and the AWS keys or role"
        ) from None


def _translated(code: str, bucket: str) -> Exception:
    if code in {"NoSuchKey", "404"}:
        return KeyError(code)
    # S3 sends 304 if a conditional read finds an unchanged object, and ConditionalRequestConflict
    # if two conditional writes run at the same time.
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
    """Open the bucket that the settings name.

    The client uses the AWS keys in the settings; without keys, it uses the machine's AWS role.

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
