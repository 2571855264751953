"""Read and write the pipeline's files, in a local folder or in S3.

With several Airflow workers the folder must be in S3, because the workers share no disk.
"""

import atexit
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory, gettempdir, mkdtemp
from typing import Any, TypeAlias

from botocore.exceptions import ClientError
from cloudpathlib import S3Client, S3Path

from movierating.errors import ExplainedError
from movierating.s3_client import s3_session, setup_errors
from movierating.s3_errors import MissingObjectError, NotS3Error, S3RefusedError, translate_errors
from movierating.settings import PipelineSettings

DataPath: TypeAlias = Path | S3Path


class DataFileError(ExplainedError, OSError):
    """A file of a pipeline run is missing or cannot be written."""


def data_folder(settings: PipelineSettings) -> DataPath:
    """Return the pipeline's working folder DATA_DIR, which is a local folder or one in S3."""
    if "://" not in settings.data_dir:
        return Path(settings.data_dir)
    # zuban does not know that pydantic can hash frozen settings.
    client = _s3_client(settings)  # type: ignore[arg-type]
    return S3Path(settings.data_dir.rstrip("/"), client=client)


def local_folder(settings: PipelineSettings) -> Path:
    """Return a local folder for libraries that cannot write to S3, such as W&B.

    It is the working folder if that is local, otherwise this machine's temporary folder.
    """
    folder = data_folder(settings)
    return folder if isinstance(folder, Path) else Path(gettempdir())


@contextmanager
def atomic_write(path: DataPath) -> Iterator[Path]:
    """Yield the path of a temporary file; this file replaces `path` when the block succeeds.

    Readers see the old file or the complete new one. If the block fails, `path` is unchanged.

    Raises:
        DataFileError: The folder cannot be written.
        S3UnavailableError: The folder is in S3, and S3 cannot be used with these settings.
    """
    with writing(path.parent):
        if isinstance(path, S3Path):
            with TemporaryDirectory() as folder:
                partial = Path(folder) / path.name
                yield partial
                path.upload_from(partial, force_overwrite_to_cloud=True)
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
        try:
            yield partial
            # Flush the content to disk before the rename, and the folder's entry after it.
            # Otherwise a power failure could leave an empty file under the new name.
            _flush_to_disk(partial)
            partial.replace(path)
            _flush_to_disk(path.parent)
        finally:
            partial.unlink(missing_ok=True)


@contextmanager
def staged_folder(folder: DataPath) -> Iterator[Path]:
    """Yield a local folder to write files into; the files are in `folder` after the block succeeds.

    If `folder` is local, it is yielded itself. If it is in S3, a temporary folder is yielded and
    uploaded at the end.

    Raises:
        DataFileError: The folder cannot be written.
        S3UnavailableError: The folder is in S3, and S3 cannot be used with these settings.
    """
    with writing(folder):
        if isinstance(folder, S3Path):
            with TemporaryDirectory() as here:
                yield Path(here)
                folder.upload_from(here, force_overwrite_to_cloud=True)
        else:
            yield folder


@contextmanager
def local_copy(folder: DataPath) -> Iterator[Path]:
    """Yield a local folder to read the files of `folder` from.

    If `folder` is in S3, a temporary copy of it is yielded. Otherwise `folder` itself is yielded.
    """
    if isinstance(folder, S3Path):
        with TemporaryDirectory() as here:
            yield folder.download_to(here)
    else:
        yield folder


@contextmanager
def reading(path: DataPath) -> Iterator[None]:
    """Turn S3's errors while the block reads from a path into the errors below.

    Errors of a local disk are not changed.

    Raises:
        FileNotFoundError: The file does not exist, or was deleted while it was read.
        S3UnavailableError: S3 cannot be used with these settings.
    """
    if not isinstance(path, S3Path):
        yield
        return
    try:
        with translate_errors(path.bucket):
            yield
    except MissingObjectError:
        raise FileNotFoundError(str(path)) from None


@contextmanager
def writing(folder: DataPath) -> Iterator[None]:
    """Turn errors while the block writes to a folder into errors that name the setting to change.

    Raises:
        DataFileError: The folder cannot be written.
        S3UnavailableError: The folder is in S3, and S3 cannot be used with these settings.
    """
    try:
        with translate_errors(folder.bucket) if isinstance(folder, S3Path) else nullcontext():
            yield
    except DataFileError:
        raise
    except MissingObjectError:
        raise DataFileError(
            f"{folder} cannot be written (another program deletes files in it); change DATA_DIR"
        ) from None
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise DataFileError(
            f"{folder} cannot be written ({reason}); change DATA_DIR or free the disk"
        ) from None


def check_writable(folder: DataPath) -> None:
    """Check that a folder can be written, by writing and deleting a small file.

    A long step calls this first, so that it does not fail after hours of work.

    Raises:
        DataFileError: The folder cannot be written.
        S3UnavailableError: The folder is in S3, and S3 cannot be used with these settings.
    """
    # The process id is in the name, because several steps may check the same folder simultaneously.
    probe = folder / f".writable.{os.getpid()}"
    write_bytes(probe, b"")
    with writing(folder):
        probe.unlink(missing_ok=True)


def write_bytes(path: DataPath, raw: bytes) -> None:
    """Write a file atomically. Raises the errors of `atomic_write`."""
    with atomic_write(path) as partial:
        partial.write_bytes(raw)


def write_json(path: DataPath, content: Any) -> None:
    """Write a JSON file atomically. Raises the errors of `atomic_write`."""
    write_bytes(path, json.dumps(content, indent=2, ensure_ascii=False).encode())


def read_json(path: DataPath) -> Any:
    """Read and parse a JSON file. Raises the errors of `reading`."""
    with reading(path):
        return json.loads(path.read_bytes())


class _ExplainingClient(S3Client):
    """Reports S3's errors as `translate_errors` does, also if nobody expects them.

    For cloudpathlib, an object is missing if S3 refuses to say whether it exists.
    """

    def _s3_file_query(self, cloud_path: S3Path) -> str | None:
        bucket, key = cloud_path.bucket, cloud_path.key.rstrip("/")
        with suppress(MissingObjectError), self._translate_head_errors(cloud_path):
            if "ETag" not in self.client.head_object(Bucket=bucket, Key=key):
                raise NotS3Error
            return "file"
        return "dir" if self._has_objects(bucket, f"{key}/") else None

    @contextmanager
    def _translate_head_errors(self, cloud_path: S3Path) -> Iterator[None]:
        try:
            with translate_errors(cloud_path.bucket):
                yield
        except S3RefusedError:
            # The response to a HEAD request has no text. That to a list says why S3 refuses.
            self._has_objects(cloud_path.bucket, cloud_path.key)
            raise

    def _has_objects(self, bucket: str, prefix: str) -> bool:
        with translate_errors(bucket):
            listed = self.client.list_objects_v2(Bucket=bucket, Prefix=prefix, MaxKeys=1)
        return bool(listed.get("Contents"))

    def _list_dir(self, cloud_path: S3Path, recursive: bool = False) -> Any:
        with translate_errors(cloud_path.bucket):
            yield from super()._list_dir(cloud_path, recursive)

    def _download_file(self, cloud_path: S3Path, local_path: Any) -> Path:
        with translate_errors(cloud_path.bucket):
            return super()._download_file(cloud_path, local_path)

    def _upload_file(self, local_path: Any, cloud_path: S3Path) -> S3Path:
        with translate_errors(cloud_path.bucket):
            return super()._upload_file(local_path, cloud_path)

    def _remove(self, cloud_path: S3Path, missing_ok: bool = True) -> None:
        with translate_errors(cloud_path.bucket):
            super()._remove(cloud_path, missing_ok)

    def _get_metadata(self, cloud_path: S3Path) -> Any:
        try:
            return super()._get_metadata(cloud_path)
        except ClientError as error:
            with suppress(MissingObjectError), self._translate_head_errors(cloud_path):
                raise
            raise error from None  # cloudpathlib expects this error for a missing object


def _flush_to_disk(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@lru_cache
def _s3_client(settings: PipelineSettings) -> S3Client:
    # cloudpathlib downloads each object into a cache before opening it. Each process has its own
    # cache, so it never reads another process's old copy. Files leave the cache when they are
    # closed, so the cache stays small.
    cache = mkdtemp(prefix="movierating-")
    atexit.register(shutil.rmtree, cache, ignore_errors=True)
    with setup_errors():
        return _ExplainingClient(
            boto3_session=s3_session(settings),
            endpoint_url=settings.aws_endpoint_url_s3,
            local_cache_dir=cache,
            file_cache_mode="close_file",
        )
