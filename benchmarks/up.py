"""Run `make up` twice in a copy of this checkout, and measure its time and memory.

Before the first run, no Python virtual environments exist, and the download cache is empty (a cold
start). The second run uses the virtual environments of the first run. But no films are collected
yet, and no model is published (a warm start). The benchmark also reports the errors of the model
that `make up` has trained.
"""

import argparse
import shutil
import tempfile
import time
from pathlib import Path
from typing import Any

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
        with Peak(checkout.folder) as peak:
            warm_seconds = up(checkout, settings)
        figures = answered(checkout)
        idle = by_program(checkout.folder)
        checkout.sandbox("down")
    report(
        cold_seconds=cold_seconds,
        warm_seconds=warm_seconds,
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
    result = checkout.run("make", "up", **settings)
    seconds = round(time.monotonic() - started, 1)
    print(result.stdout)
    if result.returncode:
        raise RuntimeError("make up failed")
    return seconds


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
