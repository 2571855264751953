"""Measure how the pipeline collects films, with TMDB's limit of 40 requests per second.

The films come from the TMDB stand-in (a local imitation of TMDB). The benchmark has four steps:

1. Run a backfill (which collects all films) in one process. Then run the daily collection and the
   preprocessing.
2. With the newest films only, start backfills, kill each at a random moment, and run it again.
3. With the same films, run a backfill while the TMDB stand-in makes errors. Each kind of error
   occurs in 10 % of its answers.
4. Run the daily collection on a film store with a million films, to measure the memory it needs.

The backfills of steps 2 and 3 must collect the same films as an undisturbed backfill.
"""

import argparse
import os
import random
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pyarrow as pa
import requests

from benchmarks.figures import report
from benchmarks.memory import Ran
from movierating.settings import Settings, load_settings
from sandbox.tmdb.process import ROOT, RunningStandIn, running
from scripts.store.film_store import FilmStore, film_store

LIMIT: Final = 40  # requests per second
KEY: Final = "0123456789abcdef0123456789abcdef"
FAULTS: Final = (
    "429", "429_retry_after", "500", "503", "slow", "cut", "truncated", "not_json",
    "missing_field", "wrong_type",
)  # fmt: skip
KILLS: Final = 3
MILLION: Final = 1_000_000
SHARED: Final = ROOT.parent / "shared" / "tmdb" / "movies_to_2022.parquet"

PARSER = argparse.ArgumentParser(prog="make bench-collect", description=__doc__)
PARSER.add_argument(
    "--catalogue", type=Path, default=SHARED, help="real films in parquet form (default: shared)"
)
PARSER.add_argument(
    "--first", default="1874-01-01", help="oldest release date of the complete backfill"
)
PARSER.add_argument("--part", default="2022-07-01", help="oldest release date of the newest films")


@dataclass(frozen=True)
class Bench:
    """The TMDB stand-in and the folder that all measurements in this benchmark use.

    Attributes:
        stand_in: The running TMDB stand-in (a local imitation of TMDB).
        folder: The parent folder. It contains one working folder of the pipeline per measurement.
    """

    stand_in: RunningStandIn
    folder: Path

    def settings(self, name: str) -> Settings:
        """Create the pipeline's settings for one measurement.

        With these settings, the pipeline reads films from the TMDB stand-in. It writes its files to
        the working folder `name`.
        """
        return load_settings(
            Settings,
            None,
            tmdb_base_url=self.stand_in.base_url,
            tmdb_api_key=KEY,
            data_dir=str(self.folder / name),
        )

    def store(self, name: str) -> FilmStore:
        """Open the film store (the parquet files with all films) in the working folder `name`."""
        return film_store(self.settings(name), self.stand_in.source)

    def start(self, name: str, step: str, *arguments: str) -> "subprocess.Popen[bytes]":
        """Start a step of the pipeline, such as `backfill`, as a separate process.

        The step writes its files to the working folder `name`.
        """
        environment = os.environ | {
            "TMDB_BASE_URL": self.stand_in.base_url,
            "TMDB_API_KEY": KEY,
            "DATA_DIR": str(self.folder / name),
            # Both are set in the containers too, and change how much memory a step needs.
            "MALLOC_ARENA_MAX": "2",
            "ARROW_DEFAULT_MEMORY_POOL": "system",
        }
        command = [sys.executable, "-m", f"scripts.{step}", *arguments]
        return subprocess.Popen(command, cwd=ROOT, env=environment)

    def run(self, name: str, step: str, *arguments: str) -> Ran:
        """Run a step of the pipeline to its end, and return its duration and peak memory.

        The step writes its files to the working folder `name`.

        Raises:
            RuntimeError: The step failed.
        """
        return Ran.watch(self.start(name, step, *arguments))

    def listed(self, first: str) -> int:
        """Return how many films of the TMDB stand-in were released on `first` or later."""
        query = {"api_key": KEY, "primary_release_date.gte": first}
        answer = requests.get(f"{self.stand_in.base_url}/discover/movie", params=query, timeout=30)
        total: int = answer.json()["total_results"]
        return total

    def served(self) -> int:
        """Return how many requests the TMDB stand-in has answered with HTTP status 200."""
        answers: dict[str, int] = self.stand_in.stats()["by_status"]
        return answers.get("200", 0)


def main(argv: list[str] | None = None) -> int:
    """Run the benchmark with the command-line options, and print the measured values."""
    arguments = PARSER.parse_args(argv)
    catalogue = ["--catalogue", str(arguments.catalogue)] if arguments.catalogue.exists() else []
    with (
        tempfile.TemporaryDirectory() as folder,
        running(*catalogue, "--requests-per-second", str(LIMIT)) as stand_in,
    ):
        bench = Bench(stand_in, Path(folder))
        figures = whole(bench, arguments.first)
        figures |= killed(bench, arguments.part)
        figures |= faulty(bench, arguments.part)
        figures |= million(bench)
    report(limit_per_second=LIMIT, **figures)
    return 0


def whole(bench: Bench, first: str) -> dict[str, float]:
    """Collect all films by a backfill, then run the daily collection and the preprocessing.

    Returns:
        The duration and the peak memory of each of these steps, and the number of films, of
        duplicates, of missing films and of requests.
    """
    bench.stand_in.forget()
    filled = bench.run("whole", "backfill", "--first", first)
    stats, served = bench.stand_in.stats(), bench.served()
    # Before the daily run, which may add films.
    ids = [film for table in bench.store("whole").films() for film in table["id"].to_pylist()]
    daily = bench.run("whole", "collect")
    preprocessed = bench.run("whole", "preprocess")
    return {
        "films": len(ids),
        "missing": bench.listed(first) - len(set(ids)),
        "duplicates": len(ids) - len(set(ids)),
        "requests": served,
        "refused": stats["by_status"].get("429", 0),
        "requests_per_second": round(served / filled.seconds, 2),
        "backfill_seconds": filled.seconds,
        "peak_mb": filled.peak_mb,
        "store_mb": round(_size(bench.folder / "whole" / "films") / 1e6, 1),
        "daily_seconds": daily.seconds,
        "daily_peak_mb": daily.peak_mb,
        "preprocess_seconds": preprocessed.seconds,
        "preprocess_peak_mb": preprocessed.peak_mb,
    }


def killed(bench: Bench, first: str) -> dict[str, float]:
    """Kill each of several backfills at a random moment, then run it again to its end.

    Returns:
        Three values by name. `kills` is the number of killed backfills. `same_when_killed` says
        whether each of them collected the same films as an undisturbed backfill.
        `resume_lost_seconds` is the time lost in the worst case: the number of repeated requests,
        divided by the allowed requests per second.
    """
    bench.stand_in.forget()
    bench.run("undisturbed", "backfill", "--first", first)
    needed, expected = bench.served(), bench.store("undisturbed").digest()
    moments = random.Random(7)  # noqa: S311 - repeatable
    again, same = [], True
    for name in map(str, range(KILLS)):  # each backfill fills its own store
        bench.stand_in.forget()
        process = bench.start(name, "backfill", "--first", first)
        time.sleep(moments.uniform(5, 20))
        process.kill()
        if process.wait() == 0:
            raise RuntimeError("the backfill ended before it was killed; use more films")
        bench.run(name, "backfill", "--first", first)
        again.append(bench.served() - needed)
        same &= bench.store(name).digest() == expected
    return {
        "kills": KILLS,
        "resume_lost_seconds": round(max(again) / LIMIT, 2),
        "same_when_killed": same,
    }


def faulty(bench: Bench, first: str) -> dict[str, float]:
    """Collect the newest films while the TMDB stand-in makes errors.

    Each kind of error occurs in 10 % of its answers.

    Returns:
        The number of errors, and whether the collected films are the same as without errors.
    """
    faults = [{"kind": kind, "share": 0.1, "seconds": 1} for kind in FAULTS]
    with bench.stand_in.faults(*faults, seed=7):
        bench.run("faulty", "backfill", "--first", first)
        struck = sum(bench.stand_in.stats()["faults"].values())
    same = bench.store("faulty").digest() == bench.store("undisturbed").digest()
    return {"faults": struck, "same_with_faults": same}


def million(bench: Bench) -> dict[str, float]:
    """Measure the daily collection with a million films in the store (TMDB has about as many).

    Returns:
        The duration in seconds and the peak memory in MB.
    """
    store = bench.store("million")
    some = pa.concat_tables(bench.store("whole").films()).slice(0, 2_500)
    for first in range(1 << 40, (1 << 40) + MILLION, len(some)):  # above all real ids
        ids = pa.array(range(first, first + len(some)), pa.int64())
        # A new object for each part, because a single one would also merge the files it wrote.
        FilmStore(store.folder).add(some.set_column(0, "id", ids))
    daily = bench.run("million", "collect")
    return {"million_daily_peak_mb": daily.peak_mb, "million_daily_seconds": daily.seconds}


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


if __name__ == "__main__":
    raise SystemExit(main())
