"""Read and write S3 objects; a write can require that no other process has changed the object.

The message of an error names the setting to change.
"""

from collections.abc import Callable, Mapping
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Final

from movierating.s3_client import s3_client
from movierating.s3_errors import (
    MissingObjectError,
    NotS3Error,
    ObjectTooLargeError,
    PreconditionFailedError,
    S3ExpiredError,
    translate_errors,
)
from movierating.settings import SharedSettings

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

# The largest object of this project is a file of the plot encoder, with tens of MB. Readers of
# smaller objects give a smaller limit.
MAX_OBJECT_BYTES: Final = 128_000_000
_PIECE_BYTES: Final = 1_000_000  # of a large object, to hold in memory


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

    def __init__(
        self, client: "S3Client", name: str, reopen: Callable[[], "S3Client"] | None = None
    ) -> None:
        """Use an existing client; `open_bucket` creates one from the settings.

        Args:
            client: A client of boto3.
            name: Name of the bucket.
            reopen: Creates a new client if the credentials have expired. Another program may have
                renewed them in their file, which a client reads only once.
        """
        self._client = client
        self._reopen = reopen
        self._server = "the S3 server"
        self.name = name

    @property
    def store(self) -> str:
        """What the S3 server calls itself, and its address, for messages."""
        return f"{self._server} at {self._client.meta.endpoint_url}"

    def get(
        self, key: str, unless_etag: str | None = None, max_bytes: int = MAX_OBJECT_BYTES
    ) -> Blob | None:
        """Read an object; return None if it does not exist.

        Args:
            key: The S3 key.
            unless_etag: The ETag from an earlier read. An unchanged object is not sent again.
            max_bytes: The largest size that is read, so that no object can fill the memory.

        Raises:
            PreconditionFailedError: The object is unchanged: it still has the ETag `unless_etag`.
            ObjectTooLargeError: The object is larger than `max_bytes`.
        """
        condition: dict[str, Any] = {"IfNoneMatch": unless_etag} if unless_etag else {}
        try:
            answer = self._call("get_object", Key=key, **condition)
        except MissingObjectError:
            return None
        # Closing a body that was not read to its end closes the connection.
        with translate_errors(self.name), closing(answer["Body"]):
            if _etag(answer) == unless_etag:  # some stores ignore the condition
                raise PreconditionFailedError(key)
            return Blob(_read_body(answer, key, max_bytes), _etag(answer))

    def download(self, key: str, path: Path, max_bytes: int) -> int | None:
        """Copy an object to a local file piece by piece, so that large objects fit into memory.

        Args:
            key: The S3 key.
            path: The file to write.
            max_bytes: Stop after this number of bytes; a longer object is cut off by one byte more.

        Returns:
            The number of bytes written; None if the object does not exist.
        """
        try:
            body = self._call("get_object", Key=key)["Body"]
        except MissingObjectError:
            return None
        written = 0
        with translate_errors(self.name), closing(body), path.open("wb") as stream:
            while piece := body.read(min(_PIECE_BYTES, max_bytes + 1 - written)):
                written += stream.write(piece)
        return written

    def put(self, key: str, raw: bytes) -> None:
        """Write an object; an existing object with this key is replaced."""
        self._put(key, raw)

    def create(self, key: str, raw: bytes) -> None:
        """Write an object only if no object with this key exists.

        Raises:
            PreconditionFailedError: An object with this key exists.
        """
        self._put(key, raw, IfNoneMatch="*")

    def create_from(self, key: str, path: Path) -> None:
        """Write an object from a local file, only if no object with this key exists.

        The file is sent piece by piece, so it may be larger than the memory.

        Raises:
            PreconditionFailedError: An object with this key exists.
        """
        with path.open("rb") as stream:
            self._put(key, stream, IfNoneMatch="*")

    def replace(self, key: str, raw: bytes, etag: str) -> None:
        """Overwrite an object only if it still has the ETag `etag`.

        Raises:
            PreconditionFailedError: The object has changed or does not exist.
        """
        self._put(key, raw, IfMatch=etag)

    def delete(self, key: str) -> None:
        """Delete an object; deleting a missing object is no error."""
        with suppress(MissingObjectError):  # some stores report a missing object
            self._call("delete_object", Key=key)

    def objects(self, prefix: str) -> list[StoredObject]:
        """List the objects whose keys begin with `prefix`, sorted by key."""
        found: list[StoredObject] = []
        rest: dict[str, Any] = {}
        while True:
            page = self._call("list_objects_v2", Prefix=prefix, **rest)
            found += [
                StoredObject(item["Key"], item["Size"], item["LastModified"])
                for item in page.get("Contents", [])
            ]
            if not page.get("IsTruncated"):
                return found
            rest = {"ContinuationToken": page["NextContinuationToken"]}

    def keys(self, prefix: str) -> list[str]:
        """List the keys that begin with `prefix`, sorted."""
        return [each.key for each in self.objects(prefix)]

    def _put(self, key: str, raw: "bytes | BinaryIO", **condition: str) -> None:
        try:
            answer = self._call("put_object", Key=key, Body=raw, **condition)
        except MissingObjectError:  # how S3 refuses to replace a missing object
            raise PreconditionFailedError(key) from None
        with translate_errors(self.name):
            _etag(answer)

    def _call(self, operation: str, **parameters: Any) -> Any:
        try:
            return self._call_once(operation, parameters)
        except S3ExpiredError:
            if self._reopen is None:
                raise
        self._client = self._reopen()
        return self._call_once(operation, parameters)

    def _call_once(self, operation: str, parameters: dict[str, Any]) -> Any:
        with translate_errors(self.name):
            answer = getattr(self._client, operation)(Bucket=self.name, **parameters)
        self._server = answer["ResponseMetadata"]["HTTPHeaders"].get("server", self._server)
        return answer


def _read_body(answer: Mapping[str, Any], key: str, max_bytes: int) -> bytes:
    size: int | None = answer.get("ContentLength")
    if size is not None and size > max_bytes:
        raise ObjectTooLargeError(key, max_bytes, size)
    raw: bytes = answer["Body"].read(max_bytes + 1)
    if len(raw) > max_bytes:
        raise ObjectTooLargeError(key, max_bytes)
    return raw


# Another web server or a proxy may also answer with status 200. Without this check, its response
# would be taken for the object's content.
def _etag(answer: Mapping[str, Any]) -> str:
    try:
        return str(answer["ETag"])
    except KeyError:
        raise NotS3Error from None


def open_bucket(settings: SharedSettings) -> Bucket:
    """Open the bucket that the settings name.

    The client uses the AWS keys in the settings; without keys, boto3 finds credentials itself.

    Raises:
        SettingsError: S3_BUCKET_NAME is not set, only one of the two AWS keys is set, or another
            setting for S3 is invalid.
    """
    name = settings.require("s3_bucket_name")
    reopen = partial(s3_client, settings)
    # Keys in the settings cannot change, so a new client would not help.
    return Bucket(reopen(), name, None if settings.aws_access_key_id else reopen)
