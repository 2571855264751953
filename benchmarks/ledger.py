"""Measure the daily work for the forecast ledger, the record of all forecasts and their scores.

The work is to forecast thousands of upcoming films. The benchmark measures its duration and memory:

1. Train a model on the films in a catalogue (a parquet file). Fill the film store with these films,
   and with copies of the newest ones as upcoming films without votes.
2. Run `scripts.forecast`, then run it again for the same day.
3. Run `scripts.score`.

Each step 2 and 3 runs in a separate process, as an Airflow task does.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Hashable, Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import pandas as pd

from benchmarks.figures import report
from benchmarks.memory import Ran
from benchmarks.production import in_production
from benchmarks.real_run import RealRun, add_options, real_run
from benchmarks.services import api_environment
from benchmarks.stored import columns
from movierating.films.film import Film, Named
from movierating.films.tmdb import to_json
from movierating.ledger.ledger import MADE_PREFIX, ForecastLedger
from movierating.s3 import open_bucket
from movierating.settings import Settings
from sandbox.state import ROOT
from scripts.dataset.table import films_of
from scripts.ledger.upcoming import DAYS_AHEAD
from scripts.runtime.clock import today
from scripts.store.film_store import film_store

RELEASED_FILMS: Final = 20_000  # in the film store
FIRST_UPCOMING_ID: Final = 1_000_000_000  # above all ids of TMDB
BATCH: Final = 1_000  # films per write to the store
PARSER: Final = argparse.ArgumentParser(prog="make bench-ledger", description=__doc__)
PARSER.add_argument(
    "--films", type=int, default=5_000, help="number of upcoming films (default: %(default)s)"
)
add_options(PARSER)


def main(argv: list[str] | None = None) -> int:
    """Run the benchmark with the command-line options, and print the measured values."""
    arguments = PARSER.parse_args(argv)
    run = real_run(arguments)
    with (
        tempfile.TemporaryDirectory() as folder,
        in_production(run.bundle_folder, Path(folder)) as bucket,
    ):
        settings = bucket.model_copy(update={"data_dir": folder})
        fill(settings, run, arguments.films)
        first, again = (step("forecast", settings) for _ in range(2))
        scored = step("score", settings)
        ledger = ForecastLedger(open_bucket(settings))
        forecasts = sum(1 for _ in ledger.read(today(), today()))
        objects = open_bucket(settings).keys(MADE_PREFIX)
    report(
        films=forecasts,
        objects=len(objects),
        seconds=first.seconds,
        peak_mb=first.peak_mb,
        again_seconds=again.seconds,
        again_peak_mb=again.peak_mb,
        score_seconds=scored.seconds,
        score_peak_mb=scored.peak_mb,
    )
    return 0


def fill(settings: Settings, run: RealRun, upcoming_films: int) -> None:
    """Fill the film store with released films, and with films to be released within half a year.

    Args:
        settings: The pipeline's settings, with the folder of the film store.
        run: A pipeline run on real films; its films are stored.
        upcoming_films: How many films without a release are added. They are copies of the run's
            newest films.
    """
    frame, store, day = run.films(), film_store(settings, run.files.source()), today()
    for films in batches(frame.tail(RELEASED_FILMS)):
        store.add(columns(*map(as_sent, films_of(films), films.to_dict("records")), day=day))
    for batch, films in enumerate(batches(frame.tail(upcoming_films))):
        upcoming = [
            as_sent(
                film,
                {
                    "id": FIRST_UPCOMING_ID + batch * BATCH + at,
                    "vote_count": 0,
                    "vote_average": 0.0,
                },
            )
            # Release dates are spread evenly over all days that are forecast in advance.
            | {"release_date": f"{day + timedelta(1 + at % DAYS_AHEAD)}", "status": "Planned"}
            for at, film in enumerate(films_of(films))
        ]
        store.add(columns(*upcoming, day=day))
    store.merge_written()  # as the collect step does, which leaves few large files


def as_sent(film: Film, row: Mapping[Hashable, Any]) -> dict[str, Any]:
    """Convert a film to the JSON fields that TMDB would send for it.

    Args:
        film: The facts about the film.
        row: The film's `id`, `vote_count` and `vote_average`.
    """
    crew = [_object(person) | {"job": "Director"} for person in film.directors]
    crew += [_object(person) | {"department": "Writing"} for person in film.writers]
    return {
        "id": row["id"],
        "vote_count": row["vote_count"],
        "vote_average": row["vote_average"],
        "title": film.title or "",
        "release_date": f"{film.release_date}",
        "original_language": film.original_language,
        "runtime": int(film.runtime_minutes or 0),
        "budget": int(film.budget_usd or 0),
        "overview": film.plot.text if film.plot and film.plot.text else "",
        "genres": [{"name": name} for name in film.genres],
        "production_companies": list(map(_object, film.companies)),
        "production_countries": [{"iso_3166_1": name} for name in film.countries],
        "belongs_to_collection": _object(film.franchise) if film.franchise else None,
        "credits": {"cast": list(map(_object, film.cast)), "crew": crew},
        "keywords": {"keywords": list(map(_object, film.keywords))},
    }


def _object(named: Named) -> dict[str, Any]:
    found = to_json(named)
    return found if isinstance(found, dict) else {"name": found}


def batches(frame: pd.DataFrame) -> Iterator[pd.DataFrame]:
    """Split a data frame of films into parts of `BATCH` rows.

    The film store gets one part after the other, which needs less memory than all films together.
    """
    for start in range(0, len(frame), BATCH):
        yield frame.iloc[start : start + BATCH]


def step(name: str, settings: Settings) -> Ran:
    """Run a step of the pipeline, such as `forecast`, in a separate process, and wait for its end.

    Returns:
        The step's duration and peak memory.

    Raises:
        RuntimeError: The step failed.
    """
    environment = os.environ | api_environment(settings) | {"DATA_DIR": settings.data_dir}
    environment |= {"ARROW_DEFAULT_MEMORY_POOL": "system"}  # as in the containers
    command = [sys.executable, "-m", f"scripts.{name}"]
    return Ran.watch(subprocess.Popen(command, cwd=ROOT, env=environment))


if __name__ == "__main__":
    raise SystemExit(main())
