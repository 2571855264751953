"""A whole run of the pipeline up to its bundle."""

from dataclasses import dataclass
from pathlib import Path

from movierating.registry.manifest import MANIFEST_NAME, Manifest
from movierating.settings import Settings
from scripts.runtime.run_files import RunFiles
from tests.support.bundles import RUN_DATE
from tests.support.stand_in import unpaced


@dataclass(frozen=True)
class Run:
    """What a run left behind. Not to be altered."""

    settings: Settings
    files: RunFiles
    manifest: Manifest

    @property
    def bundle(self) -> Path:
        """The folder of the bundle."""
        return Path(self.settings.data_dir) / self.files.bundle.name


def run_pipeline(base_url: str, folder: Path) -> None:
    """Collect over HTTP, preprocess and train in a folder."""
    from scripts.collect import collect
    from scripts.preprocess import preprocess
    from scripts.train import train  # some seconds

    settings = _settings(base_url, folder)
    collect(RUN_DATE, settings)
    preprocess(RUN_DATE, settings)
    train(RUN_DATE, settings)


def run_of(folder: Path) -> Run:
    """Return the run that is in a folder; its TMDB may be gone."""
    settings, files = _settings("http://127.0.0.1/3", folder), RunFiles(folder, RUN_DATE)
    raw = (folder / files.bundle.name / MANIFEST_NAME).read_bytes()
    return Run(settings, files, Manifest.model_validate_json(raw))


def _settings(base_url: str, folder: Path) -> Settings:
    return unpaced(base_url, folder, collect_max_films=1500)
