"""A day of the forecast ledger with thousands of films to come: its seconds and its memory.

The model is the one that the catalogue's films teach; the films to come are copies of its newest,
without votes. Forecasting is measured in a process of its own, as a worker of Airflow runs it; then
once more on the same day, and scoring after it.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Hashable, Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any, Final

import pandas as pd
import pyarrow as pa

from benchmarks.figures import report
from benchmarks.memory import Ran
from benchmarks.production import in_production
from benchmarks.real_run import RealRun, add_options, real_run
from benchmarks.services import api_environment
from movierating.films.film import Film
from movierating.ledger.ledger import MADE_PREFIX, ForecastLedger
from movierating.s3 import open_bucket
from movierating.settings import Settings
from sandbox.state import ROOT
from scripts.dataset.table import films_of
from scripts.ledger.upcoming import DAYS_AHEAD
from scripts.runtime.clock import today
from scripts.store.film_store import film_store
from scripts.store.schema import FIELD_TYPES, NEVER_NULL, PARTS, film_record
from scripts.tmdb.validation import ValidationReport, validate_records

RATED: Final = 20_000  # films of the store that have opened
NEW_IDS: Final = 1_000_000_000  # that no other film has
BATCH: Final = 1_000
# The least that TMDB sends of a film; of an unknown field `null`, where TMDB ever sends that.
EMPTY_FILM: Final[dict[str, Any]] = {
    **{name: None if name not in NEVER_NULL else kinds[0]() for name, kinds in FIELD_TYPES.items()},
    **{part: {inner: []} for part, inner in PARTS.items()},
}
PARSER: Final = argparse.ArgumentParser(prog="make bench-ledger", description=__doc__)
PARSER.add_argument("--films", type=int, default=5_000, help="to come (default: %(default)s)")
add_options(PARSER)


def main(argv: list[str] | None = None) -> int:
    """Run the benchmark."""
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
        said = sum(1 for _ in ledger.read(today(), today()))
        objects = open_bucket(settings).keys(MADE_PREFIX)
    report(
        films=said,
        objects=len(objects),
        seconds=first.seconds,
        peak_mb=first.peak_mb,
        again_seconds=again.seconds,
        again_peak_mb=again.peak_mb,
        score_seconds=scored.seconds,
        score_peak_mb=scored.peak_mb,
    )
    return 0


def fill(settings: Settings, run: RealRun, to_come: int) -> None:
    """Put rated films into the store, and after them some that open in the next half year."""
    frame, store, day = run.films(), film_store(settings), today()
    for films in batches(frame.tail(RATED)):
        store.add(columns(*map(stored, films_of(films), films.to_dict("records")), day=day))
    for batch, films in enumerate(batches(frame.tail(to_come))):
        upcoming = [
            stored(film, {"id": NEW_IDS + batch * BATCH + at, "vote_count": 0, "vote_average": 0.0})
            | {"release_date": f"{day + timedelta(1 + at % DAYS_AHEAD)}", "status": "Planned"}
            for at, film in enumerate(films_of(films))
        ]
        store.add(columns(*upcoming, day=day))
    store.merge_written()


def stored(film: Film, outcome: Mapping[Hashable, Any]) -> dict[str, Any]:
    """A film as TMDB would send it."""
    crew = [{"name": name, "job": "Director"} for name in film.directors]
    crew += [{"name": name, "department": "Writing"} for name in film.writers]
    return {
        "id": outcome["id"],
        "vote_count": outcome["vote_count"],
        "vote_average": outcome["vote_average"],
        "title": film.title or "",
        "release_date": f"{film.release_date}",
        "original_language": film.original_language,
        "runtime": int(film.runtime_minutes or 0),
        "budget": int(film.budget_usd or 0),
        "overview": film.plot.text if film.plot and film.plot.text else "",
        "genres": [{"name": name} for name in film.genres],
        "production_companies": [{"name": name} for name in film.companies],
        "production_countries": [{"iso_3166_1": name} for name in film.countries],
        "belongs_to_collection": {"name": film.franchise} if film.franchise else None,
        "credits": {"cast": [{"name": name} for name in film.cast], "crew": crew},
        "keywords": {"keywords": [{"name": name} for name in film.keywords]},
    }


def columns(*films: dict[str, Any], day: date) -> pa.Table:
    """Films as TMDB sends them, as rows of the store, fetched at noon of a day."""
    noon = datetime.combine(day, time(12), UTC)
    return validate_records(
        [film_record(EMPTY_FILM | film, noon, None) for film in films], day, ValidationReport()
    )


def batches(frame: pd.DataFrame) -> Iterator[pd.DataFrame]:
    """A frame in parts of some films."""
    for start in range(0, len(frame), BATCH):
        yield frame.iloc[start : start + BATCH]


def step(name: str, settings: Settings) -> Ran:
    """A step as a task's process runs it, ended.

    Raises:
        RuntimeError: It failed.
    """
    environment = os.environ | api_environment(settings) | {"DATA_DIR": settings.data_dir}
    environment |= {"ARROW_DEFAULT_MEMORY_POOL": "system"}  # as in the containers
    command = [sys.executable, "-m", f"scripts.{name}"]
    return Ran.watch(subprocess.Popen(command, cwd=ROOT, env=environment))


if __name__ == "__main__":
    raise SystemExit(main())
