"""Backtest the forecast ledger: repeat past months with only the facts that were known then.

On the last day before each month, the backtest takes these steps:

1. Score earlier forecasts whose ratings are visible by now. In this backtest, a rating becomes
   visible 90 days after the release.
2. Train a new model version on the films with visible ratings, without the newest of them.
3. Let the gate decide as in production: on these newest films, the new version must beat the
   baselines and the version in production. Otherwise it is refused.
4. Forecast the films of the coming month with the version that is then in production.

Two things differ from production. The ratings are the final ones, because the files do not contain
earlier ones. And an automatic rule replaces the person who decides about rollbacks: a version is
rolled back if its errors are significantly larger than those of the version before it. Both have
forecast the same films, and the significance test is that of the gate.
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
MIN_MONTH_FILMS: Final = 30  # with fewer films, the error of a month is mostly chance
CORES: Final = 2
# Only one model family, because training all four would take four times as long. On these films,
# the selection on the folds chooses this one.
CONFIG: Final = ModelConfig(model_type="lgbm")
_PARSER: Final = argparse.ArgumentParser(prog="python -m benchmarks.replay", description=__doc__)


class MemoryBucket:
    """An imitation of an S3 bucket in memory, with the methods that the forecast ledger uses."""

    def __init__(self) -> None:
        """Create an empty bucket."""
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
    """A month of the backtest, with the facts that are known on the day before it begins.

    Attributes:
        begins: The first day of the month.
        known: The films whose ratings are visible by then, a cleaned frame.
        films: The films to forecast: those released in the month.
    """

    begins: date
    known: pd.DataFrame
    films: Sample

    @classmethod
    def of(cls, films: pd.DataFrame, begins: date) -> "Month":
        """Select the films for the month that starts on `begins`; `films` is a cleaned frame."""
        released = films["release_date"]
        visible = released < (begins - VISIBLE_AFTER).isoformat()
        in_month = (released >= begins.isoformat()) & (released < next_month(begins).isoformat())
        return cls(begins, films[visible], Sample(films[in_month]))

    @property
    def day(self) -> date:
        """The day on which the model is trained and forecasts are made: one before the month."""
        return self.begins - timedelta(1)

    @property
    def split(self) -> TimeSplit:
        """The films with visible ratings, split into training and hold-out films as in a run."""
        return TimeSplit.of_newest(self.known)

    def forecast(self, bundle: Bundle) -> list[Forecast]:
        """Forecast the month's films with a model version; `add_baselines` adds the baselines."""
        # At a fixed time of day, because a second run must write the same bytes.
        noon = datetime.combine(self.day, time_of_day(12), UTC)
        films = [
            FilmToForecast(int(film_id), film, film.release_date or self.begins)
            for film_id, film in zip(self.films.frame["id"], self.films.films, strict=True)
        ]
        return Forecaster.of(bundle).forecast(films, None, noon, self.day)

    def add_baselines(self, forecasts: list[Forecast]) -> list[Forecast]:
        """Add the forecasts by the naive means and the old model to those of the model.

        They are computed from all films with visible ratings and enough votes.
        """
        with_votes = Sample(self.known[self.known["vote_count"] >= MIN_VOTES_TO_COUNT])
        by_name = baseline_forecasts(TimeSplit(with_votes, self.films, self.begins)).items()
        return [
            each.model_copy(
                # Rounded, as all numbers in the ledger.
                update={
                    "baselines": {name: round(float(column[at]), 4) for name, column in by_name}
                }
            )
            for at, each in enumerate(forecasts)
        ]


@dataclass
class Replay:
    """The state of the backtest between two months.

    Attributes:
        films: All films with their final ratings, a cleaned frame, oldest first.
        bucket: The bucket that contains the forecast ledger.
        promoted: The versions promoted and not rolled back; the last one is in production.
        previous_ratings: What the version before the present one would have forecast, by film id,
            since it was replaced. The automatic rollback compares the two versions on these films.
        promotions: How many versions the gate has promoted.
        refusals: How many versions the gate has refused.
        rollbacks: How many versions were rolled back.
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
        """Repeat one month: score films, decide about rollback and promotion, forecast the month.

        Args:
            begins: The first day of the month.
            challenger: The newly trained version; None if none was trained for this month.

        Returns:
            The forecasts for the month's films; empty if no version is in production.
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
        # The version before forecasts the same films, so that a later rollback can be decided.
        if len(self.promoted) > 1:
            previous = month.forecast(self.promoted[-2])
            self.previous_ratings |= {each.film_id: each.rating for each in previous}
        return forecasts

    def score_until(self, day: date) -> None:
        """Score the forecasts for all films whose ratings have become visible by a day."""
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
        """Roll back if the version in production is significantly worse than the one before it."""
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
            # The collected forecasts belong to a version that is now in production itself.
            self.previous_ratings = {}
            self.rollbacks += 1

    def decide(self, challenger: Bundle, month: Month) -> Verdict:
        """Promote or refuse a new version with the gate, as `scripts.deploy` does in production.

        Args:
            challenger: The new version.
            month: The month whose hold-out films decide.
        """
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
        """Return the scores of films with enough votes to be measured, by release date."""
        found = [each for each in self.ledger.scores() if each.votes >= MIN_VOTES_TO_MEASURE]
        return sorted(found, key=lambda each: (each.release_date, each.film_id))


def trained(begins: date, films: Path, folder: Path, config: ModelConfig) -> Path:
    """Train a model version for a month, with the pipeline's own functions.

    Args:
        begins: The first day of the month.
        films: The path of a pickled cleaned frame with all films. A path, because each month is
            trained in a separate process.
        folder: The folder for the run's files.
        config: The model's configuration.

    Returns:
        The folder of the trained bundle.
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
    """Return a film's final rating as if it were its rating 90 days after the release."""
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
    """Return the first day of the month after `month`."""
    # Day 28 exists in every month, and four days later is always in the next one.
    return (month.replace(day=28) + timedelta(4)).replace(day=1)


def months(first: date, until: date) -> Iterator[date]:
    """Yield the first day of each month, from the month of `first` until before `until`."""
    month = first.replace(day=1)
    while month < until:
        yield month
        month = next_month(month)


def summary(replay: Replay) -> tuple[list[str], dict[str, Any]]:
    """Summarise the scores of a finished backtest.

    Returns:
        The lines of a table with one row per month, and measured values over all months.
    """
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
        # Months with few films are left out, because chance decides whether they beat a baseline.
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
        # A forecast made on the release date or later would know too much; there must be none.
        "late_forecasts": sum(each.day >= each.release_date for each in forecasts),
        "promotions": replay.promotions,
        "refusals": replay.refusals,
        "rollbacks": replay.rollbacks,
    }


def same_bytes_again(first: Replay, begins: date, challenger: Bundle) -> bool:
    """Repeat the first month, and return whether the ledger's stored bytes are the same again.

    Args:
        first: The finished backtest.
        begins: The first day of the first month.
        challenger: The first month's version, trained a second time.
    """
    again = Replay(first.films)
    again.run_month(begins, challenger)
    objects = again.bucket.objects
    return bool(objects) and objects.items() <= first.bucket.objects.items()


def backtest(
    films: pd.DataFrame, arguments: argparse.Namespace, config: ModelConfig, folder: Path
) -> tuple[Replay, bool]:
    """Run the backtest over all months, then score the films of the last months.

    Args:
        films: All films, a cleaned frame.
        arguments: The command-line options.
        config: The model's configuration.
        folder: A temporary folder.

    Returns:
        The final state, and whether a second run of the first month wrote the same bytes.
    """
    # No training depends on the gate's decisions, so versions are trained ahead, one on each core.
    begins = list(months(arguments.first, arguments.until))
    replay = Replay(films)
    pickled = folder / "films.pkl"
    films.to_pickle(pickled)
    train = partial(trained, films=pickled, config=config)
    # "spawn", because a forked process can hang if libraries had threads running at the fork.
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
