"""Measure the memory and the time that the training of a model needs, for some numbers of films."""

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, Final

import pandas as pd

from benchmarks.accuracy import read_films
from benchmarks.figures import report
from benchmarks.memory import Ran
from benchmarks.real_run import RUN_DATE, SHARED, write_cleaned
from sandbox.state import ROOT
from scripts.runtime.run_files import RunFiles

PARSER: Final = argparse.ArgumentParser(prog="make bench-training", description=__doc__)
PARSER.add_argument("--catalogue", type=Path, default=SHARED, help="real films in parquet form")
PARSER.add_argument(
    "--films",
    type=int,
    nargs="+",
    default=[10_000, 20_000, 40_000],
    help="numbers of films; the newest are used",
)


def trained(films: pd.DataFrame) -> dict[str, Any]:
    """Train a model in a separate process, as an Airflow task does.

    Args:
        films: The cleaned films, a data frame with one row per film.

    Returns:
        The number of films, the training's peak memory in MB, and its seconds.
    """
    with tempfile.TemporaryDirectory() as folder:
        write_cleaned(RunFiles(Path(folder), RUN_DATE), films, "benchmark")
        ran = Ran.watch(
            subprocess.Popen(
                [sys.executable, "-m", "scripts.train", "--date", RUN_DATE.isoformat()],
                cwd=ROOT,
                env=os.environ | {"DATA_DIR": folder, "MALLOC_ARENA_MAX": "2"},  # as in the image
            )
        )
    return {"films": len(films), "megabytes": ran.peak_mb, "seconds": ran.seconds}


def main() -> None:
    """Run the benchmark with the command-line options, and print the measured values."""
    options = PARSER.parse_args()
    every = read_films([options.catalogue])
    report(trainings=[trained(every.tail(films)) for films in options.films])


if __name__ == "__main__":
    main()
