"""Translate the errors of boto3 into sentences that name the setting to change."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Final

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
from movierating.s3_client import RedirectedError

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
