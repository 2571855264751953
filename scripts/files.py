"""The files of one run, and how they are written: whole or not at all."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from movierating.errors import ExplainedError


class DataFileError(ExplainedError, OSError):
    """A file of the run is missing or cannot be written."""


@dataclass(frozen=True)
class RunFiles:
    """Where the steps of one run meet. The dated names are the run's own."""

    folder: Path
    run_date: date

    @property
    def raw(self) -> Path:
        """The films as TMDB gave them."""
        return self.folder / f"movies_{self.run_date}.csv"

    @property
    def source(self) -> Path:
        """What `raw` was asked from."""
        return self.folder / f"movies_{self.run_date}.json"

    @property
    def cleaned(self) -> Path:
        """The films to learn from."""
        return self.folder / f"movies_cleaned_{self.run_date}.csv"

    @property
    def report(self) -> Path:
        """What preprocessing dropped, and why."""
        return self.folder / f"preprocess_{self.run_date}.json"

    @property
    def codes(self) -> Path:
        """The code tables of this run."""
        return self.folder / f"codes_{self.run_date}.json"

    @property
    def bundle(self) -> Path:
        """The folder of the model with its manifest."""
        return self.folder / f"bundle_{self.run_date}"

    @property
    def model(self) -> Path:
        """The dated backup of the old consumers' model."""
        return self.folder / f"model_{self.run_date}.pkl"

    def need(self, path: Path, step: str) -> Path:
        """A file that an earlier step must have written.

        Raises:
            DataFileError: It is not there.
        """
        if not path.exists():
            raise DataFileError(f"{path} is missing; run {step} for {self.run_date} first")
        return path


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A temporary file beside `path` that takes its place when the block ends well.

    Raises:
        DataFileError: The folder cannot be written.
    """
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    with writing(path.parent):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            yield partial
            partial.replace(path)
        finally:
            partial.unlink(missing_ok=True)


@contextmanager
def writing(folder: Path) -> Iterator[None]:
    """Tell of a folder that cannot be written in one sentence.

    Raises:
        DataFileError: It cannot.
    """
    try:
        yield
    except DataFileError:
        raise
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise DataFileError(
            f"{folder} cannot be written ({reason}); change DATA_DIR or free the disk"
        ) from None


def check_writable(folder: Path) -> None:
    """Find out before the work whether its outcome can be written.

    Raises:
        DataFileError: The folder cannot be written.
    """
    probe = folder / ".writable"
    write_bytes(probe, b"")
    probe.unlink()


def write_bytes(path: Path, raw: bytes) -> None:
    """Write a file whole or not at all."""
    with replacing(path) as partial:
        partial.write_bytes(raw)


def write_json(path: Path, content: Any) -> None:
    """Write JSON whole or not at all."""
    write_bytes(path, json.dumps(content, indent=2, ensure_ascii=False).encode())


def read_json(path: Path) -> Any:
    """Read JSON."""
    return json.loads(path.read_bytes())
