"""Run `make up` twice in a copy of this checkout, and measure its time and memory.

Each line that `make up` prints gets the seconds since its start, which show what it waits for. The
time depends on what else the machine does, so the benchmark also reports the load before the run
(the mean number of processes that wanted a processor in the last minute), and the processor time
that the sandbox itself has used.

Before the first run, no Python virtual environments exist, and the download cache is empty (a cold
start). The second run uses the virtual environments of the first run. But no films are collected
yet, and no model is published (a warm start). The benchmark also reports the errors of the model
that `make up` has trained.
"""

import argparse
import os
import shutil
import subprocess
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import requests

from benchmarks.figures import report
from benchmarks.memory import Peak, by_program
from sandbox.checkout import Checkout, copied

PARSER = argparse.ArgumentParser(prog="make bench-up", description=__doc__)
PARSER.add_argument("--films", default="1500", help="COLLECT_MAX_FILMS (default: %(default)s)")
PARSER.add_argument("--catalogue", type=Path, help="TMDB_CATALOGUE: real films in parquet form")
PARSER.add_argument(
    "--warm", action="store_true", help="only the warm run, with this checkout's .venv"
)


def main(argv: list[str] | None = None) -> int:
    """Run the benchmark with the command-line options, and print the measured values."""
    arguments = PARSER.parse_args(argv)
    settings = {"COLLECT_MAX_FILMS": arguments.films}
    if arguments.catalogue:
        settings["TMDB_CATALOGUE"] = str(arguments.catalogue.resolve())
    with (
        tempfile.TemporaryDirectory() as folder,
        copied(Path(folder) / "checkout", with_environments=arguments.warm) as checkout,
    ):
        cold_seconds = None
        if not arguments.warm:
            # An empty cache and none for pip: every package is downloaded, as on a new machine.
            cache = str(Path(folder) / "cache")
            cold_seconds = up(checkout, settings | {"UV_CACHE_DIR": cache, "PIP_NO_CACHE_DIR": "1"})
            forget(checkout)
        load = os.getloadavg()[0]
        with Peak(checkout.folder) as peak:
            warm_seconds = up(checkout, settings)
        processor_seconds = used_by_programs(checkout.folder)
        figures = answered(checkout)
        idle = by_program(checkout.folder)
        checkout.sandbox("down")
    report(
        cold_seconds=cold_seconds,
        warm_seconds=warm_seconds,
        load_before_warm=round(load, 1),
        processor_seconds=processor_seconds,
        idle_mb=idle,
        peak_mb=peak.megabytes,
        peak_total_mb=peak.total,
        **figures,
    )
    return 0


def up(checkout: Checkout, settings: dict[str, str]) -> float:
    """Run `make up` in a copy of the checkout, and return the seconds it took.

    Args:
        checkout: The copy.
        settings: Environment variables for `make up`.

    Raises:
        RuntimeError: `make up` failed.
    """
    started = time.monotonic()
    with subprocess.Popen(
        ["make", "up"],
        cwd=checkout.folder,
        env=checkout.environment | settings,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        assert process.stdout is not None  # noqa: S101 - for the type checker
        for line in process.stdout:
            print(f"{time.monotonic() - started:6.1f}  {line}", end="", flush=True)
    if process.returncode:
        raise RuntimeError("make up failed")
    return round(time.monotonic() - started, 1)


def used_by_programs(folder: Path) -> float:
    """Return the processor time in seconds of all programs that `make up` has started.

    Processes that have ended are included, such as Airflow's tasks.
    """
    supervisor = psutil.Process(int((folder / ".sandbox" / "supervisord.pid").read_text()))
    seconds = 0.0
    for process in (supervisor, *supervisor.children(recursive=True)):
        with suppress(psutil.NoSuchProcess):
            seconds += sum(process.cpu_times()[:4])  # its own, and that of its ended children
    return round(seconds, 1)


def forget(checkout: Checkout) -> None:
    """Stop what `make up` has started, and delete its films, its models and its S3 bucket.

    The Python virtual environments are kept.
    """
    checkout.run("make", "clean")
    for path in (checkout.folder / "data-prepare", checkout.folder / "app" / "model"):
        shutil.rmtree(path, ignore_errors=True)


def answered(checkout: Checkout) -> dict[str, Any]:
    """Ask the API for a description of the model in service.

    Returns:
        The number of films, the model family such as `lgbm`, and the errors of the model and of
        the baselines.
    """
    version = requests.get(f"{checkout.url('API_PORT')}/version", timeout=10).json()
    return {
        "films": version["data"]["films"],
        "train_films": version["split"]["train_films"],
        "model": version["model_type"],
        "holdout": version["metrics"]["holdout"],
        "form": version["metrics"]["form"],
        "baselines_rmse": {name: each["rmse"] for name, each in version["baselines"].items()},
        "interval_coverage": version["interval_coverage"],
    }


if __name__ == "__main__":
    raise SystemExit(main())
