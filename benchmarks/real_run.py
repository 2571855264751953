"""Train a model on real films, and keep the files of this pipeline run for all benchmarks."""

import argparse
import csv
import logging
import tempfile
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Final

import pandas as pd

from benchmarks.plots import link_kept, with_kept_vectors
from movierating.films.codes import Codes
from movierating.registry.manifest import MANIFEST_NAME
from movierating.settings import Settings, load_settings
from sandbox.state import ROOT
from scripts.dataset.cleaning import extended_codes
from scripts.dataset.table import NEW_COLUMNS, OLD_COLUMNS, films_of, read_cleaned
from scripts.runtime.run_files import RunFiles
from scripts.runtime.storage import atomic_write, write_json

SHARED: Final = ROOT.parent / "shared" / "tmdb" / "movies_to_2022.parquet"
RUN_DATE: Final = date(2023, 1, 1)  # the day after the catalogue's last film


@dataclass(frozen=True)
class RealRun:
    """A pipeline run on real films, which has ended with a trained model.

    Attributes:
        folder: The folder with the run's files.
    """

    folder: Path

    @property
    def files(self) -> RunFiles:
        """The paths of all files that the pipeline run has written."""
        return RunFiles(self.folder, RUN_DATE)

    @property
    def bundle_folder(self) -> Path:
        """The folder with the files of the model version that the run trained."""
        return self.folder / self.files.bundle.name

    def films(self) -> pd.DataFrame:
        """Read the run's training and hold-out films into a data frame, the oldest film first."""
        return read_cleaned(self.files.cleaned)


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the command-line options `--catalogue` and `--run`, which `real_run` needs."""
    parser.add_argument("--catalogue", type=Path, default=SHARED, help="real films in parquet form")
    parser.add_argument(
        "--run",
        type=Path,
        default=Path(tempfile.gettempdir()) / "movie-rating-real-run",
        help="folder of the run; created if missing (default: %(default)s)",
    )


def real_run(arguments: argparse.Namespace) -> RealRun:
    """Return the pipeline run that the command line names, and make it if it does not exist.

    This takes two minutes. The films are read from the parquet file `--catalogue`, not through
    TMDB's API. Then the pipeline's own training step trains the model. The files of the run are in
    the folder `--run`.
    """
    run = RealRun(arguments.run.resolve())
    if not (run.bundle_folder / MANIFEST_NAME).exists():
        # Imported only now, because these imports take seconds.
        from benchmarks.accuracy import read_films
        from scripts.train import train

        logging.basicConfig(level=logging.INFO, format="%(message)s")
        run.folder.mkdir(parents=True, exist_ok=True)
        write_cleaned(run.files, read_films([arguments.catalogue]), arguments.catalogue.stem)
        train(RUN_DATE, load_settings(Settings, data_dir=str(run.folder)))
    return run


def write_cleaned(files: RunFiles, films: pd.DataFrame, source: str) -> None:
    """Write the files that the training step reads.

    In a normal run, the steps before the training would write them.

    Args:
        files: The paths of the run's files.
        films: The cleaned films, a data frame with one row per film.
        source: Where the films come from; this text is copied to the run's reports.
    """
    with_kept_vectors(films)
    link_kept(Path(str(files.folder)))
    faults: dict[str, Any] = {"faults": {}}
    write_json(files.collect_report, {"source": source, "validation": faults})
    write_json(
        files.preprocess_report,
        {"source": source, "collected": len(films), "kept": len(films), "dropped": {}},
    )
    write_json(files.codes, extended_codes(films_of(films), Codes()).to_json())
    with atomic_write(files.cleaned) as partial:
        films[[*OLD_COLUMNS, *NEW_COLUMNS]].to_csv(
            partial, index=False, encoding="utf-8-sig", quoting=csv.QUOTE_NONNUMERIC
        )
