"""A whole run of the pipeline up to its bundle."""

from dataclasses import dataclass
from pathlib import Path

from movierating.registry.manifest import Manifest
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


def run_pipeline(base_url: str, folder: Path) -> Run:
    """Collect over HTTP, preprocess and train in a folder."""
    from scripts.collect import collect
    from scripts.preprocess import preprocess
    from scripts.train import train  # some seconds

    settings = unpaced(base_url, folder, collect_max_films=1500)
    collect(RUN_DATE, settings)
    preprocess(RUN_DATE, settings)
    return Run(settings, RunFiles(folder, RUN_DATE), train(RUN_DATE, settings))
