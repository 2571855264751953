"""Run the pipeline's steps collect, preprocess and train, and read their results."""

from dataclasses import dataclass
from pathlib import Path

from movierating.registry.manifest import MANIFEST_NAME, Manifest
from movierating.settings import Settings
from scripts.runtime.run_files import RunFiles
from tests.support.bundles import RUN_DATE
from tests.support.stand_in import unpaced


@dataclass(frozen=True)
class Run:
    """The settings and results of a finished pipeline run; tests must not change its files."""

    settings: Settings
    files: RunFiles
    manifest: Manifest

    @property
    def bundle(self) -> Path:
        """The folder of the trained model's bundle."""
        return Path(self.settings.data_dir) / self.files.bundle.name


def run_pipeline(base_url: str, folder: Path) -> None:
    """Run the steps collect (from the TMDB stand-in at `base_url`), preprocess and train.

    All files are in `folder`."""
    from scripts.collect import collect
    from scripts.preprocess import preprocess
    from scripts.train import train  # here, because the import takes seconds

    settings = _settings(base_url, folder)
    collect(RUN_DATE, settings)
    preprocess(RUN_DATE, settings)
    train(RUN_DATE, settings)


def run_of(folder: Path) -> Run:
    """Return the run that `run_pipeline` made in `folder`.

    The TMDB stand-in may have stopped since then."""
    settings, files = _settings("http://127.0.0.1/3", folder), RunFiles(folder, RUN_DATE)
    raw = (folder / files.bundle.name / MANIFEST_NAME).read_bytes()
    return Run(settings, files, Manifest.model_validate_json(raw))


def _settings(base_url: str, folder: Path) -> Settings:
    return unpaced(base_url, folder, collect_max_films=1000)
