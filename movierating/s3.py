"""Read and write S3 objects; a write can require that no other process has changed the object.

The message of an error names the setting to change.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Final

from boto3.exceptions import Boto3Error
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    CredentialRetrievalError,
    LoginError,
    MetadataRetrievalError,
    NoCredentialsError,
    ParamValidationError,
    PartialCredentialsError,
    ProfileNotFound,
    ProxyConnectionError,
    RefreshWithMFAUnsupportedError,
    SSLError,
    SSOError,
    TokenRetrievalError,
)
from botocore.parsers import ResponseParserError

from movierating.errors import ExplainedError
from movierating.proxies import (
    PASSWORD_WANTED,
    ProxySettingError,
    may_pass_later,
    proxy_at,
    tunnel_status,
)
from movierating.s3_client import RedirectedError, s3_client
from movierating.settings import SharedSettings

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

# The largest object of this project is a file of the plot encoder, with tens of MB. Readers of
# smaller objects give a smaller limit.
MAX_OBJECT_BYTES: Final = 128_000_000

_EXPIRED: Final = frozenset(
    {"ExpiredToken", "ExpiredTokenException", "InvalidToken", "RequestExpired"}
    | {"TokenRefreshRequired"}
)
_REFUSALS: Final[Mapping[frozenset[str], str]] = {
    frozenset({"NoSuchBucket"}): "there is no bucket {bucket!r}; create it or change "
    "S3_BUCKET_NAME",
    frozenset({"InvalidBucketName"}): "{bucket!r} cannot be the name of a bucket; change "
    "S3_BUCKET_NAME",
    frozenset({"401", "403", "AccessDenied", "InvalidAccessKeyId"}): "S3 refuses access to bucket "
    "{bucket!r}; check AWS_ACCESS_KEY_ID and its rights",
    frozenset({"SignatureDoesNotMatch"}): "S3 refuses the signature; check AWS_SECRET_ACCESS_KEY",
    frozenset({"RequestTimeTooSkewed", "RequestInTheFuture"}): "S3 refuses this machine's clock, "
    "which is wrong by more than 15 minutes ({code}); set the clock",
    frozenset(
        {"AuthorizationHeaderMalformed", "IllegalLocationConstraintException", "InvalidRegion"}
        | {"PermanentRedirect", "301"}
    ): "bucket {bucket!r} is in another region ({code}); change AWS_DEFAULT_REGION",
    frozenset(
        {"InvalidArgument", "InvalidDigest", "InvalidRequest", "MissingContentLength"}
        | {"MissingContentMD5", "NotImplemented", "XAmzContentSHA256Mismatch", "XNotImplemented"}
    ): "the store refuses a header of the request ({code}); set AWS_REQUEST_CHECKSUM_CALCULATION "
    "and AWS_RESPONSE_CHECKSUM_VALIDATION to when_required, or use a store that "
    "docs/registry.md names",
}
# HTTP statuses for requests that S3 will refuse the next time too, except the temporary ones.
_CLIENT_ERRORS: Final = range(400, 500)
_TEMPORARY: Final = frozenset({408, 409, 423, 425, 429})
_PIECE_BYTES: Final = 1_000_000  # of a large object, to hold in memory
# If an object does not exist, a store may answer these requests with status 404 and no error text.
# If any other request gets such an answer, the server is probably not an S3 server.
_ABOUT_ONE_OBJECT: Final = frozenset({"DeleteObject", "GetObject", "HeadObject"})
_NO_CREDENTIALS: Final = (
    CredentialRetrievalError,
    LoginError,
    MetadataRetrievalError,
    PartialCredentialsError,
    ProfileNotFound,
    RefreshWithMFAUnsupportedError,
    SSOError,
    TokenRetrievalError,
)


class S3UnavailableError(ExplainedError, RuntimeError):
    """S3 does not work with the current settings; the message names the setting to check."""

    retryable = True


class S3RefusedError(S3UnavailableError):
    """S3 answered and refused the request; a retry does not help."""

    retryable = False


class S3ExpiredError(S3RefusedError):
    """The temporary credentials have expired; new credentials are needed."""


class PreconditionFailedError(RuntimeError):
    """The condition of a conditional read or write is not met, for example the object exists."""


class ObjectTooLargeError(ExplainedError, ValueError):
    """An object has more bytes than its reader accepts."""

    def __init__(self, key: str, max_bytes: int, size: int | None = None) -> None:
        """Write a message with the object's key and the limit.

        Args:
            key: The S3 key.
            max_bytes: The largest size that the reader accepts.
            size: The size of the object, if S3 has announced it.
        """
        found = f"has {size} bytes" if size is not None else "has more bytes than it announces"
        super().__init__(
            f"{key} {found}, and at most {max_bytes} are read; it is damaged or not written by "
            "this project, so restore it or move it away"
        )


class MissingObjectError(LookupError):
    """The object does not exist."""


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


@contextmanager
def translate_errors(bucket: str) -> Iterator[None]:
    """Translate boto3's errors inside a `with` block into this module's errors.

    The message of each `S3UnavailableError` names the setting to check.

    Raises:
        S3UnavailableError: S3 does not work with the current settings.
        PreconditionFailedError: The condition of a read or write is not met, for example because
            another process has changed the object.
        MissingObjectError: The object does not exist.
    """
    try:
        yield
    except ClientError as error:
        raise _translated(error, bucket) from None
    except ParamValidationError as error:
        if "bucket" not in str(error):
            raise _unreachable(error) from None  # of a request for credentials
        raise S3RefusedError(
            f"{bucket!r} cannot be the name of a bucket; change S3_BUCKET_NAME"
        ) from None
    except (NotS3Error, ResponseParserError):
        raise S3UnavailableError(
            "the server does not answer as S3 does; check AWS_ENDPOINT_URL_S3"
        ) from None
    except RedirectedError as error:
        target = error.target or "another address"
        raise S3RefusedError(
            f"the server at AWS_ENDPOINT_URL_S3 redirects to {target}, as S3 never does; change "
            "AWS_ENDPOINT_URL_S3 to the address of S3 itself"
        ) from None
    except FileNotFoundError:
        raise  # a missing local file is the caller's error, unlike the OSErrors below
    except Boto3Error as error:
        # boto3 reports a failed upload with this error, whose context is the cause. The context of
        # an error of another type may be an earlier request whose refusal was expected.
        cause = error.__context__
        raise (
            _translated(cause, bucket) if isinstance(cause, ClientError) else _unreachable(error)
        ) from None
    except (BotoCoreError, OSError) as error:
        raise _unreachable(error) from None


def _translated(error: ClientError, bucket: str) -> Exception:
    code = error.response.get("Error", {}).get("Code", "")
    if code == "NoSuchKey" or (code == "404" and error.operation_name in _ABOUT_ONE_OBJECT):
        return MissingObjectError(code)
    # S3 sends 304 if a conditional read finds an unchanged object, and ConditionalRequestConflict
    # if two conditional writes run at the same time.
    if code in {"PreconditionFailed", "412", "304", "ConditionalRequestConflict"}:
        return PreconditionFailedError(code)
    if error.operation_name.startswith("AssumeRole"):
        return S3RefusedError(
            f"AWS refuses to give a role ({code}); check AWS_PROFILE, AWS_ROLE_ARN and the role"
        )
    metadata = error.response.get("ResponseMetadata")
    status = metadata.get("HTTPStatusCode", 0) if metadata else 0
    return _refusal(code, status, bucket) or S3UnavailableError(
        f"S3 answered {code or 'an error'}; try again later"
    )


def _refusal(code: str, status: int, bucket: str) -> S3RefusedError | None:
    """Return the error for a refusal; None if the same request may succeed later."""
    if code in _EXPIRED:
        return S3ExpiredError(
            f"S3 refuses the session token ({code}); renew AWS_ACCESS_KEY_ID, "
            "AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN together, or sign in to AWS_PROFILE again"
        )
    if status == PASSWORD_WANTED:
        return S3RefusedError(
            "the proxy for S3 refuses the user name or password (407); write them into HTTP_PROXY "
            "or ALL_PROXY as http://USER:PASSWORD@HOST:PORT"
        )
    for codes, sentence in _REFUSALS.items():
        if code in codes:
            return S3RefusedError(sentence.format(bucket=bucket, code=code))
    if status in _CLIENT_ERRORS and status not in _TEMPORARY:
        return S3RefusedError(
            f"S3 refuses the request ({code or status}); check AWS_ENDPOINT_URL_S3, "
            "AWS_DEFAULT_REGION and the AWS keys or role"
        )
    return None


def _unreachable(error: Exception) -> S3UnavailableError:
    name = type(error).__name__
    if isinstance(error, NoCredentialsError):
        return S3UnavailableError(
            "there are no AWS credentials; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or "
            "AWS_PROFILE, or give the machine a role"
        )
    if isinstance(error, _NO_CREDENTIALS):
        return S3UnavailableError(
            f"AWS gives no credentials ({name}); sign in again (`aws sso login`), or check "
            "AWS_PROFILE and the role"
        )
    if isinstance(error, SSLError):
        return S3UnavailableError(
            "the certificate of the S3 server is not trusted; check AWS_ENDPOINT_URL_S3, or set "
            "AWS_CA_BUNDLE to the file of your own certificate authority"
        )
    cause = error.kwargs.get("error") if isinstance(error, BotoCoreError) else None
    if isinstance(cause, ProxySettingError):
        return S3RefusedError(str(cause))
    if isinstance(error, ProxyConnectionError):
        return _stopped_by_proxy(error.kwargs["proxy_url"], tunnel_status(str(cause)))
    return S3UnavailableError(
        f"S3 cannot be reached ({name}); "
        "check AWS_ENDPOINT_URL_S3, AWS_DEFAULT_REGION and the AWS keys or role"
    )


def _stopped_by_proxy(proxy_url: str, status: int | None) -> S3UnavailableError:
    proxy = proxy_at(proxy_url)
    problem = proxy.problem(status) if proxy else "the proxy to S3 cannot be reached"
    return S3UnavailableError(problem) if may_pass_later(status) else S3RefusedError(problem)


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
