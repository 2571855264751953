"""Check TMDB's key, the bucket and the working folder before a run starts."""

import argparse
import logging
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from tenacity import Retrying, retry_if_exception_type, stop_after_delay, wait_fixed

from movierating.errors import ExplainedError
from movierating.registry.versions import VERSIONS
from movierating.s3 import Blob, Bucket, open_bucket
from movierating.s3_errors import PreconditionFailedError, S3RefusedError, S3UnavailableError
from movierating.settings import PipelineSettings, pipeline_settings
from scripts.runtime.cli import run
from scripts.runtime.storage import check_writable, data_folder
from scripts.tmdb.client import Tmdb

logger = logging.getLogger(__name__)

_PAUSE_SECONDS: Final = 0.3
_OLD: Final = b"old"
_NEW: Final = b"new"
_OTHER: Final = b"other"


class UnsuitableStoreError(ExplainedError, RuntimeError):
    """The S3 server does not do what the model registry relies on."""


def preflight(settings: PipelineSettings, wait_for_s3: float = 0) -> None:
    """Check that TMDB answers one request, and that the bucket and the working folder are usable.

    Args:
        settings: The settings to check.
        wait_for_s3: For how many seconds to repeat the check of S3, because the S3 server may still
            be starting.

    Raises:
        ExplainedError: A check failed; the message names the setting to change.
    """
    retrying = Retrying(
        retry=retry_if_exception_type(S3UnavailableError),
        stop=stop_after_delay(wait_for_s3),
        wait=wait_fixed(_PAUSE_SECONDS),
        reraise=True,
    )
    retrying(lambda: check_store(open_bucket(settings)))
    check_writable(data_folder(settings))
    with Tmdb(settings, attempts=2) as tmdb:  # few attempts, because a person is waiting
        tmdb.get("/genre/movie/list")
    logger.info("TMDB, the bucket and the working folder are usable")


def check_store(bucket: Bucket) -> None:
    """Check that the bucket's store reads what was written, deletes, and obeys conditions.

    The registry relies on conditional writes: without them, two pipeline runs at the same time
    could overwrite each other's models without a trace. Some stores ignore the conditions.

    Raises:
        UnsuitableStoreError: The store fails a check; the message names the store.
        S3UnavailableError: The bucket cannot be used with these settings.
    """
    # Here the pipeline may write and delete. Housekeeping removes what a killed check leaves.
    key = f"{VERSIONS}preflight-{uuid.uuid4().hex}/probe"
    bucket.put(key, _OLD)
    try:
        first = _read_back(bucket, key, _OLD)
        _check_create(bucket, key)
        _check_replace(bucket, key, first)
    finally:
        bucket.delete(key)
    if bucket.get(key) or bucket.keys(key):
        raise _unsuitable(bucket, "still has an object after its deletion")


def _check_create(bucket: Bucket, key: str) -> None:
    with _explained(bucket, "If-None-Match"):
        try:
            bucket.create(key, _OTHER)
        except PreconditionFailedError:
            _read_back(bucket, key, _OLD)
        else:
            raise _ignores(bucket, "If-None-Match: *")


def _check_replace(bucket: Bucket, key: str, first: Blob) -> None:
    with _explained(bucket, "If-Match"):
        try:
            bucket.replace(key, _NEW, first.etag)
        except PreconditionFailedError:
            raise _unsuitable(
                bucket, "does not replace an unchanged object (If-Match), or changes its ETag"
            ) from None
        _read_back(bucket, key, _NEW)
        try:
            bucket.replace(key, _OTHER, first.etag)
        except PreconditionFailedError:
            _read_back(bucket, key, _NEW)
        else:
            raise _ignores(bucket, "If-Match")


def _read_back(bucket: Bucket, key: str, expected: bytes) -> Blob:
    blob = bucket.get(key)
    if blob is None or blob.raw != expected or key not in bucket.keys(key):
        raise _unsuitable(bucket, "does not return an object as it was just written")
    return blob


@contextmanager
def _explained(bucket: Bucket, condition: str) -> Iterator[None]:
    try:
        yield
    except S3RefusedError as error:
        # It has accepted a write without a condition just before.
        raise _unsuitable(bucket, f"refuses a write with {condition} ({error})") from None


def _ignores(bucket: Bucket, condition: str) -> UnsuitableStoreError:
    return _unsuitable(
        bucket, f"ignores {condition}, so two runs could overwrite each other's models unnoticed"
    )


def _unsuitable(bucket: Bucket, problem: str) -> UnsuitableStoreError:
    return UnsuitableStoreError(
        f"{bucket.store} cannot hold the models, because it {problem}; change "
        "AWS_ENDPOINT_URL_S3 to a store that docs/registry.md names"
    )


def main(argv: list[str] | None = None) -> int:
    """Run the checks from the command line; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--wait-for-s3",
        type=float,
        default=0,
        metavar="SECONDS",
        help="how long S3 may need to become usable, if its server is starting (default: 0)",
    )
    arguments = parser.parse_args(argv)
    return run(lambda: preflight(pipeline_settings(), arguments.wait_for_s3))


if __name__ == "__main__":
    raise SystemExit(main())
