"""The files of one run, and how they are written: whole or not at all.

They lie in a folder on this machine, or in S3, where the workers of a run share nothing else.
"""

import atexit
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory, gettempdir, mkdtemp
from typing import Any, TypeAlias
from urllib.parse import urlparse

from boto3.session import Session
from cloudpathlib import S3Client, S3Path

from movierating.errors import ExplainedError
from movierating.s3 import translate_errors
from movierating.settings import Settings

DataPath: TypeAlias = Path | S3Path


class DataFileError(ExplainedError, OSError):
    """A file of the run is missing or cannot be written."""


def data_folder(settings: Settings) -> DataPath:
    """The working folder of the pipeline, DATA_DIR."""
    if "://" not in settings.data_dir:
        return Path(settings.data_dir)
    return S3Path(settings.data_dir.rstrip("/"), client=_s3_client(settings))


def local_folder(settings: Settings) -> Path:
    """The working folder; where that is in S3, a temporary one on this machine."""
    folder = data_folder(settings)
    return folder if isinstance(folder, Path) else Path(gettempdir())


def source_of(settings: Settings) -> str:
    """What films are collected from: TMDB's host, or the catalogue that plays it.

    Films of different sources never meet in a store.
    """
    if settings.tmdb_catalogue:
        return Path(settings.tmdb_catalogue).stem
    return urlparse(settings.tmdb_base_url).hostname or "unknown"


@dataclass(frozen=True)
class RunFiles:
    """Where the steps of one run meet. The dated names are the run's own."""

    folder: DataPath
    run_date: date

    @property
    def raw(self) -> DataPath:
        """The films that the run brought in."""
        return self.folder / f"movies_{self.run_date}.csv"

    @property
    def source(self) -> DataPath:
        """What `raw` was asked from, and what was wrong with the answers."""
        return self.folder / f"movies_{self.run_date}.json"

    @property
    def cleaned(self) -> DataPath:
        """The films to learn from."""
        return self.folder / f"movies_cleaned_{self.run_date}.csv"

    @property
    def report(self) -> DataPath:
        """What preprocessing dropped, and why."""
        return self.folder / f"preprocess_{self.run_date}.json"

    @property
    def codes(self) -> DataPath:
        """The code tables of this run."""
        return self.folder / f"codes_{self.run_date}.json"

    @property
    def bundle(self) -> DataPath:
        """The folder of the model with its manifest."""
        return self.folder / f"bundle_{self.run_date}"

    @property
    def page(self) -> DataPath:
        """How good the model is, for people."""
        return self.folder / f"report_{self.run_date}.html"

    @property
    def model(self) -> DataPath:
        """The dated backup of the old consumers' model."""
        return self.folder / f"model_{self.run_date}.pkl"

    @property
    def tuned(self) -> DataPath:
        """The best parameters that a search found on this run's films."""
        return self.folder / f"tuned_{self.run_date}.json"

    def need(self, path: DataPath, step: str) -> DataPath:
        """A file that an earlier step must have written.

        Raises:
            DataFileError: It is not there.
        """
        if not path.exists():
            raise DataFileError(f"{path} is missing; run {step} for {self.run_date} first")
        return path


@contextmanager
def replacing(path: DataPath) -> Iterator[Path]:
    """A temporary file on this machine that takes the place of `path` when the block ends well.

    Raises:
        DataFileError: The folder cannot be written.
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
            _flush_to_disk(partial)
            partial.replace(path)
            _flush_to_disk(path.parent)
        finally:
            partial.unlink(missing_ok=True)


@contextmanager
def filling(folder: DataPath) -> Iterator[Path]:
    """A folder on this machine whose files end up in `folder` when the block ends well.

    Raises:
        DataFileError: The folder cannot be written.
    """
    with writing(folder):
        if isinstance(folder, S3Path):
            with TemporaryDirectory() as here:
                yield Path(here)
                folder.upload_from(here, force_overwrite_to_cloud=True)
        else:
            yield folder


@contextmanager
def at_hand(folder: DataPath) -> Iterator[Path]:
    """A folder on this machine with the files of `folder`."""
    if isinstance(folder, S3Path):
        with TemporaryDirectory() as here:
            yield folder.download_to(here)
    else:
        yield folder


@contextmanager
def reading(path: DataPath) -> Iterator[None]:
    """Tell of a place in S3 that cannot be read in one sentence.

    Raises:
        FileNotFoundError: There is no such file, also if it vanishes meanwhile.
        S3UnavailableError: S3 cannot be used as it is set up.
    """
    if not isinstance(path, S3Path):
        yield
        return
    try:
        with translate_errors(path.bucket):
            yield
    except KeyError:
        raise FileNotFoundError(str(path)) from None


@contextmanager
def writing(folder: DataPath) -> Iterator[None]:
    """Tell of a folder that cannot be written in one sentence.

    Raises:
        DataFileError: It cannot.
        S3UnavailableError: It is in S3, which cannot be used as it is set up.
    """
    try:
        with translate_errors(folder.bucket) if isinstance(folder, S3Path) else nullcontext():
            yield
    except DataFileError:
        raise
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise DataFileError(
            f"{folder} cannot be written ({reason}); change DATA_DIR or free the disk"
        ) from None


def check_writable(folder: DataPath) -> None:
    """Find out before the work whether its outcome can be written.

    Raises:
        DataFileError: The folder cannot be written.
        S3UnavailableError: It is in S3, which cannot be used as it is set up.
    """
    probe = folder / f".writable.{os.getpid()}"
    write_bytes(probe, b"")
    with writing(folder):
        probe.unlink(missing_ok=True)


def write_bytes(path: DataPath, raw: bytes) -> None:
    """Write a file whole or not at all."""
    with replacing(path) as partial:
        partial.write_bytes(raw)


def write_json(path: DataPath, content: Any) -> None:
    """Write JSON whole or not at all."""
    write_bytes(path, json.dumps(content, indent=2, ensure_ascii=False).encode())


def read_json(path: DataPath) -> Any:
    """Read JSON."""
    return json.loads(path.read_bytes())


def _flush_to_disk(path: Path) -> None:
    """Outlive a power failure: a file before it gets its name, then the folder with the name."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@lru_cache
def _s3_client(settings: Settings) -> S3Client:
    key, secret = settings.aws_access_key_id, settings.aws_secret_access_key
    session = Session(
        aws_access_key_id=key.get_secret_value() if key else None,
        aws_secret_access_key=secret.get_secret_value() if secret else None,
        region_name=settings.aws_default_region,
    )
    # Objects pass through a folder of this process, which each of them leaves when it is closed.
    passage = mkdtemp(prefix="movierating-")
    atexit.register(shutil.rmtree, passage, ignore_errors=True)
    return S3Client(
        boto3_session=session,
        endpoint_url=settings.aws_endpoint_url_s3,
        local_cache_dir=passage,
        file_cache_mode="close_file",
    )
