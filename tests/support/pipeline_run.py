"""Run the pipeline's steps collect, preprocess and train, and read their results."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

from movierating.registry.manifest import MANIFEST_NAME, Manifest
from movierating.settings import Settings
from sandbox.s3.process import S3Server
from scripts.runtime.run_files import RunFiles
from scripts.runtime.storage import data_folder, local_copy
from tests.support.bundles import RUN_DATE
from tests.support.stand_in import unpaced, unpaced_in_s3

RUN_FILMS: Final = 1000
OF_WANDB: Final = ("wandb", ".ses")  # what W&B's client writes to the temporary folder


@dataclass(frozen=True)
class Run:
    """The settings and results of a finished pipeline run; tests must not change its files.

    Attributes:
        settings: Settings whose working folder is a local copy of the run's folder in S3.
        files: The paths of the run's files in this copy.
        manifest: The manifest of the trained model.
        disk: The only local folder that the steps could write to.
    """

    settings: Settings
    files: RunFiles
    manifest: Manifest
    disk: Path

    @property
    def bundle(self) -> Path:
        """The folder of the trained model's bundle."""
        return Path(self.settings.data_dir) / self.files.bundle.name


def run_pipeline(base_url: str, s3_server: S3Server, folder: Path) -> None:
    """Run the steps collect (from the TMDB stand-in at `base_url`), preprocess and train.

    The working folder of the run is in S3. Its files are copied to `folder` afterwards.
    """
    from scripts.collect import collect
    from scripts.preprocess import preprocess
    from scripts.train import train  # here, because the import takes seconds

    there = unpaced_in_s3(base_url, s3_server, s3_server.new_bucket(), collect_max_films=RUN_FILMS)
    _disk(folder).mkdir()
    with only_disk(_disk(folder)):
        collect(RUN_DATE, there)
        preprocess(RUN_DATE, there)
        train(RUN_DATE, there)
    with local_copy(data_folder(there)) as copy:
        shutil.copytree(copy, _copy(folder))


def run_of(folder: Path) -> Run:
    """Return the run that `run_pipeline` made in `folder`.

    The TMDB stand-in and the S3 server may have stopped since then."""
    copy = _copy(folder)
    settings = unpaced("http://127.0.0.1/3", copy, collect_max_films=RUN_FILMS)
    files = RunFiles(copy, RUN_DATE)
    raw = (copy / files.bundle.name / MANIFEST_NAME).read_bytes()
    return Run(settings, files, Manifest.model_validate_json(raw), _disk(folder))


@contextmanager
def only_disk(folder: Path) -> Iterator[None]:
    """Make `folder` the temporary folder and the current folder during the block."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tempfile, "tempdir", str(folder))
        patch.setenv("TMPDIR", str(folder))
        patch.chdir(folder)
        yield


def left_on(disk: Path) -> list[Path]:
    """List the files on a disk, except those of the W&B client, which cannot write to S3."""
    files = (path.relative_to(disk) for path in disk.rglob("*") if path.is_file())
    return [path for path in files if path.parts[0] not in OF_WANDB]


def _copy(folder: Path) -> Path:
    return folder / "pipeline"


def _disk(folder: Path) -> Path:
    return folder / "disk"
