"""Backtest of the forecast ledger: past years, month by month, with only what was known then.

Each month, a version is trained on the films whose ratings were visible, and the gate decides about
it as in production: the newest of these films are the hold-out set, and on them the version must
beat the baselines and the champion. The version in production then forecasts the films of the
month, before the month begins. Their ratings become visible, and are scored, 90 days after the
release.

Two things differ from production. Votes and ratings are the final ones, since the files do not say
how they grew. And no person decides about rollbacks: a version is rolled back if it did
significantly worse than the version it replaced, on the films forecast since, by the test that the
gate uses.
"""

import argparse
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from datetime import time as time_of_day
from functools import partial
from itertools import groupby
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import numpy as np
import pandas as pd

from benchmarks.accuracy import read_films
from benchmarks.figures import report
from movierating.films.codes import Codes
from movierating.identity import sha256
from movierating.ledger.ledger import ForecastLedger
from movierating.ledger.records import Forecast, Score
from movierating.registry.bundle import Bundle
from movierating.registry.manifest import MANIFEST_NAME
from movierating.s3 import Blob, PreconditionFailedError
from scripts.dataset.metrics import baseline_forecasts
from scripts.dataset.split import Sample, TimeSplit
from scripts.evaluation.gate import (
    MIN_FILMS_TO_COMPARE,
    Verdict,
    compare,
    judge,
    judge_without_champion,
)
from scripts.ledger.forecaster import FilmToForecast, Forecaster
from scripts.ledger.scoring import RatingAtMark, forecasts_to_score, score_films
from scripts.ledger.track_record import figures, month_of
from scripts.parameters import (
    MIN_VOTES_TO_COUNT,
    MIN_VOTES_TO_MEASURE,
    ModelConfig,
)
from scripts.runtime.run_files import RunFiles
from scripts.runtime.storage import write_bytes, write_json
from scripts.training.bundling import assemble, write
from scripts.training.selection import train_candidates

VISIBLE_AFTER: Final = timedelta(days=90)
MIN_MONTH_FILMS: Final = 30  # in smaller months the error is noise
CORES: Final = 2
# One family: all four would take four times as long, and the folds of these files choose this one.
CONFIG: Final = ModelConfig(model_type="lgbm")
_PARSER: Final = argparse.ArgumentParser(prog="python -m benchmarks.replay", description=__doc__)


class MemoryBucket:
    """A bucket in memory, with the methods that the ledger uses."""

    def __init__(self) -> None:
        """Start empty."""
        self.objects: dict[str, bytes] = {}

    def get(self, key: str) -> Blob | None:
        """Read an object; None if it does not exist."""
        raw = self.objects.get(key)
        return None if raw is None else Blob(raw, sha256(raw))

    def put(self, key: str, raw: bytes) -> None:
        """Write an object, replacing an existing one."""
        self.objects[key] = raw

    def create(self, key: str, raw: bytes) -> None:
        """Write a new object.

        Raises:
            PreconditionFailedError: The object exists.
        """
        if key in self.objects:
            raise PreconditionFailedError(key)
        self.objects[key] = raw

    def keys(self, prefix: str) -> list[str]:
        """List the keys with a prefix, in order."""
        return sorted(key for key in self.objects if key.startswith(prefix))


@dataclass(frozen=True)
class Month:
    """A month, as known on the day before it begins.

    Attributes:
        begins: The first day.
        known: The films with visible ratings, a cleaned frame.
        films: The films released in the month.
    """

    begins: date
    known: pd.DataFrame
    films: Sample

    @classmethod
    def of(cls, films: pd.DataFrame, begins: date) -> "Month":
        """Select a month from all films, a cleaned frame."""
        released = films["release_date"]
        visible = released < (begins - VISIBLE_AFTER).isoformat()
        in_month = (released >= begins.isoformat()) & (released < next_month(begins).isoformat())
        return cls(begins, films[visible], Sample(films[in_month]))

    @property
    def day(self) -> date:
        """The day of training and of the forecasts: the one before the month begins."""
        return self.begins - timedelta(1)

    @property
    def split(self) -> TimeSplit:
        """The known films, split into training and hold-out films as in the pipeline."""
        return TimeSplit.of_newest(self.known)

    def forecast(self, bundle: Bundle) -> list[Forecast]:
        """Forecast the films of the month with a version, without baselines."""
        # A fixed time: a second run must write the same bytes.
        noon = datetime.combine(self.day, time_of_day(12), UTC)
        films = [
            FilmToForecast(int(film_id), film, film.release_date or self.begins)
            for film_id, film in zip(self.films.frame["id"], self.films.films, strict=True)
        ]
        return Forecaster.of(bundle).forecast(films, None, noon, self.day)

    def add_baselines(self, forecasts: list[Forecast]) -> list[Forecast]:
        """Add the forecasts of the naive means and the old model, trained on all known films."""
        with_votes = Sample(self.known[self.known["vote_count"] >= MIN_VOTES_TO_COUNT])
        by_name = baseline_forecasts(TimeSplit(with_votes, self.films, self.begins)).items()
        return [
            each.model_copy(
                update={
                    "baselines": {name: round(float(column[at]), 4) for name, column in by_name}
                }
            )
            for at, each in enumerate(forecasts)
        ]


@dataclass
class Replay:
    """The state of the backtest.

    Attributes:
        films: All films with their final ratings, oldest first.
        bucket: Holds the ledger.
        promoted: The versions promoted and not rolled back; the last one is in production.
        previous_ratings: By film id, the forecasts of the version before, made since its successor
            was promoted. A rollback is decided by them.
    """

    films: pd.DataFrame
    bucket: MemoryBucket = field(default_factory=MemoryBucket)
    promoted: list[Bundle] = field(default_factory=list)
    previous_ratings: dict[int, float] = field(default_factory=dict)
    promotions: int = 0
    refusals: int = 0
    rollbacks: int = 0

    @property
    def ledger(self) -> ForecastLedger:
        """The forecast ledger of the backtest."""
        return ForecastLedger(self.bucket)

    def run_month(self, begins: date, challenger: Bundle | None) -> list[Forecast]:
        """Score the films that became visible, decide about a new version, forecast the month.

        Args:
            begins: The first day of the month.
            challenger: The new version; None if none was trained for this month.

        Returns:
            The forecasts of the month's films.
        """
        month = Month.of(self.films, begins)
        self.score_until(month.day)
        self.roll_back_if_worse()
        if challenger:
            self.decide(challenger, month)
        if not self.promoted:
            return []
        forecasts = month.add_baselines(month.forecast(self.promoted[-1]))
        self.ledger.append(forecasts)
        # The predecessor forecasts the same films, so that the two can be compared later.
        if len(self.promoted) > 1:
            previous = month.forecast(self.promoted[-2])
            self.previous_ratings |= {each.film_id: each.rating for each in previous}
        return forecasts

    def score_until(self, day: date) -> None:
        """Score the films whose ratings have become visible until a day."""
        first, released = self.ledger.first_day, self.films["release_date"]
        if first is None:
            return
        last = day - VISIBLE_AFTER
        visible = (released > first.isoformat()) & (released <= last.isoformat())
        scored = {each.film_id for each in self.ledger.scores()}
        ratings = map(rating_at_mark, self.films[visible].to_dict("records"))
        new = [each for each in ratings if each.film_id not in scored]
        self.ledger.append_scores(day, score_films(new, forecasts_to_score(new, self.ledger)))

    def roll_back_if_worse(self) -> None:
        """Roll back if production did worse, beyond chance, than the version it replaced."""
        pairs = [
            (each.error, self.previous_ratings[each.film_id] - each.actual)
            for each in self.scores()
            if each.film_id in self.previous_ratings
        ]
        if len(pairs) < MIN_FILMS_TO_COMPARE:
            return
        ours, theirs = np.asarray(pairs).T
        if compare(ours, theirs).worse:
            self.promoted.pop()
            self.previous_ratings = {}
            self.rollbacks += 1

    def decide(self, challenger: Bundle, month: Month) -> Verdict:
        """Promote or refuse a version, by the rules of `deploy`."""
        if self.promoted:
            verdict = judge(challenger, self.promoted[-1], month.split.holdout)
        else:
            verdict = judge_without_champion(challenger.manifest, "nothing is in production yet")
        print(f"  {challenger.manifest.version}: {verdict.reason}", flush=True)
        if verdict.promote:
            self.promoted.append(challenger)
            self.previous_ratings = {}
            self.promotions += 1
        else:
            self.refusals += 1
        return verdict

    def scores(self) -> list[Score]:
        """The scores of films with enough votes, by release date."""
        found = [each for each in self.ledger.scores() if each.votes >= MIN_VOTES_TO_MEASURE]
        return sorted(found, key=lambda each: (each.release_date, each.film_id))


def trained(begins: date, films: Path, folder: Path, config: ModelConfig) -> Path:
    """Train a version for a month, with the functions of the pipeline.

    Args:
        begins: The first day of the month.
        films: All films, a pickled frame: each month is trained in a process of its own.
        folder: For the files of the run.
        config: The model's configuration.

    Returns:
        The folder of the bundle.
    """
    month = Month.of(pd.read_pickle(films), begins)  # noqa: S301 - `backtest` wrote it
    files = RunFiles(folder, month.day)
    write_bytes(files.cleaned, month.known.to_csv(index=False).encode())
    write_json(files.codes, Codes().to_json())
    write_json(files.preprocess_report, {"collected": len(month.known)})
    write_json(files.collect_report, {"source": "replay", "validation": {"faults": {}}})
    split = month.split
    learned = train_candidates(split, config)
    parameters = config.parameters[learned.best.family]
    manifest, _, contents = assemble(learned, parameters, split, files)
    write(manifest, contents, files)
    return folder / files.bundle.name


def loaded(folder: Path) -> Bundle:
    """Load and verify the bundle in a folder."""
    return Bundle.load(folder, sha256((folder / MANIFEST_NAME).read_bytes()))


def rating_at_mark(row: dict[Any, Any]) -> RatingAtMark:
    """The rating of a film 90 days after its release."""
    release_date = date.fromisoformat(row["release_date"])
    return RatingAtMark(
        film_id=int(row["id"]),
        release_date=release_date,
        mark="90 days",
        day=release_date + VISIBLE_AFTER,
        rating=float(row["vote_average"]),
        votes=int(row["vote_count"]),
    )


def next_month(month: date) -> date:
    """The first day of the next month."""
    return (month.replace(day=28) + timedelta(4)).replace(day=1)


def months(first: date, until: date) -> Iterator[date]:
    """List the first days of the months from `first` to `until`, without `until` itself."""
    month = first.replace(day=1)
    while month < until:
        yield month
        month = next_month(month)


def summary(replay: Replay) -> tuple[list[str], dict[str, Any]]:
    """Summarise the scores as the lines of a table by month, and as figures over all months."""
    scores = replay.scores()
    whole = figures(scores)
    lines = ["month    films  ours   " + "  ".join(f"{name:>11}" for name in whole.baselines)]
    is_better = []
    for month, group in groupby(scores, key=month_of):
        one = figures(list(group))
        others = "  ".join(f"{each:11.3f}" for each in one.baselines.values())
        lines.append(
            f"{month}  {one.films:5}  {one.rmse:.3f}  {others}  bias {one.bias:+.3f}  "
            f"coverage {one.coverage:.2f}"
        )
        if one.films >= MIN_MONTH_FILMS:
            is_better.append(one.rmse < min(one.baselines.values()))
    forecasts = replay.ledger.read(date.min, date.max)
    return lines, {
        "months_better_share": round(sum(is_better) / max(len(is_better), 1), 4),
        "rmse": whole.rmse,
        "mae": whole.mae,
        "bias": whole.bias,
        "coverage80": whole.coverage,
        "baselines": whole.baselines,
        "films": whole.films,
        "late_forecasts": sum(each.day >= each.release_date for each in forecasts),
        "promotions": replay.promotions,
        "refusals": replay.refusals,
        "rollbacks": replay.rollbacks,
    }


def same_bytes_again(first: Replay, begins: date, challenger: Bundle) -> bool:
    """Run the first month again with a version trained again; are the stored bytes the same?"""
    again = Replay(first.films)
    again.run_month(begins, challenger)
    objects = again.bucket.objects
    return bool(objects) and objects.items() <= first.bucket.objects.items()


def backtest(
    films: pd.DataFrame, arguments: argparse.Namespace, config: ModelConfig, folder: Path
) -> tuple[Replay, bool]:
    """Run all months, then score the films of the last ones.

    Training depends on no decision of the gate. So versions are trained in advance, one per core.

    Returns:
        The final state, and whether a second run of the first month wrote the same bytes.
    """
    begins = list(months(arguments.first, arguments.until))
    replay = Replay(films)
    pickled = folder / "films.pkl"
    films.to_pickle(pickled)
    train = partial(trained, films=pickled, config=config)
    # Spawned: a fork while threads of the libraries are running can hang.
    with ProcessPoolExecutor(CORES, get_context("spawn")) as pool:
        versions = pool.map(partial(train, folder=folder), begins[:: arguments.retrain_every])
        again = pool.submit(train, begins[0], folder=folder / "again")
        for at, month in enumerate(begins):
            is_due = at % arguments.retrain_every == 0
            forecasts = replay.run_month(month, loaded(next(versions)) if is_due else None)
            print(f"{month:%Y-%m}: {len(forecasts)} films forecast", flush=True)
        identical = same_bytes_again(replay, begins[0], loaded(again.result()))
    replay.score_until(arguments.until + VISIBLE_AFTER)
    return replay, identical


def main(argv: list[str] | None = None, config: ModelConfig = CONFIG) -> int:
    """Run the backtest from the command line."""
    started = time.perf_counter()
    arguments = _PARSER.parse_args(argv)
    films = read_films(arguments.films)
    with TemporaryDirectory() as folder:
        replay, identical = backtest(films, arguments, config, Path(folder))
    lines, found = summary(replay)
    print("RMSE by month of release, with the final votes", *lines, sep="\n")
    report(
        arguments.json,
        months=len(list(months(arguments.first, arguments.until))),
        rerun_identical=identical,
        seconds=round(time.perf_counter() - started),
        **found,
    )
    return 0


_PARSER.add_argument("--films", type=Path, nargs="+", required=True, help="parquet files")
_PARSER.add_argument(
    "--from",
    dest="first",
    type=date.fromisoformat,
    default=date(2019, 1, 1),
    help="the first month (default: %(default)s)",
)
_PARSER.add_argument(
    "--until",
    type=date.fromisoformat,
    default=date(2023, 1, 1),
    help="the month after the last one (default: %(default)s)",
)
_PARSER.add_argument(
    "--retrain-every", type=int, default=1, help="months between trainings (default: 1)"
)
_PARSER.add_argument("--json", type=Path, help="file to write the figures to")

if __name__ == "__main__":
    raise SystemExit(main())
