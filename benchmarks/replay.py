"""Backtest the pipeline: repeat past months with only the facts that were known then.

The backtest repeats these steps for the day before each month:

1. Score earlier forecasts: compare them with the films' ratings, if these are visible on that day.
   In this backtest, a film's rating becomes visible 90 days after its release.
2. Train a new model on the films with visible ratings, without the newest of these films. Then
   train it again on all of them (refit).
3. Check the new version with the gate, the check that each new version must pass in production too.
   It compares the models from before the refit.
   On the newest films with visible ratings, its errors must be smaller than those of the baselines,
   and not larger than those of the version in production by a margin or more. Otherwise the gate
   refuses it.
4. Forecast the films of the coming month with the version that is then in production.

The backtest differs from production in two ways. First, it uses each film's latest rating, because
the input files do not contain earlier ratings. Second, a rule decides about rollbacks, not a
person. The rule compares the version in production with the version before it, on films that both
have forecast. If the errors of the version in production are significantly larger, it is rolled
back. The gate uses the same significance test.
"""

import argparse
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from datetime import date
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
from benchmarks.months import VISIBLE_AFTER, Month, months, rating_at_mark
from benchmarks.plots import link_kept, with_kept_vectors
from movierating.films.codes import Codes
from movierating.identity import sha256
from movierating.ledger.ledger import ForecastLedger
from movierating.ledger.records import Forecast, Score
from movierating.registry.bundle import Bundle
from movierating.registry.manifest import MANIFEST_NAME
from movierating.s3 import Blob
from movierating.s3_errors import PreconditionFailedError
from scripts.dataset.table import NEW_COLUMNS, OLD_COLUMNS
from scripts.evaluation.gate import (
    MIN_FILMS_TO_COMPARE,
    Verdict,
    compare,
    judge,
    judge_without_champion,
)
from scripts.ledger.scoring import forecasts_to_score, score_films
from scripts.ledger.track_record import figures, month_of
from scripts.parameters import (
    MIN_VOTES_TO_MEASURE,
    ModelConfig,
)
from scripts.runtime.run_files import RunFiles
from scripts.runtime.storage import write_bytes, write_json
from scripts.training.bundling import assemble, write
from scripts.training.selection import train_candidates

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
        """Return the object stored under a key; None if there is none."""
        raw = self.objects.get(key)
        return None if raw is None else Blob(raw, sha256(raw))

    def put(self, key: str, raw: bytes) -> None:
        """Store an object under a key. An object already stored under this key is replaced."""
        self.objects[key] = raw

    def create(self, key: str, raw: bytes) -> None:
        """Store a new object under a key.

        Raises:
            PreconditionFailedError: An object is already stored under this key.
        """
        if key in self.objects:
            raise PreconditionFailedError(key)
        self.objects[key] = raw

    def keys(self, prefix: str) -> list[str]:
        """List all object keys that start with `prefix`, sorted."""
        return sorted(key for key in self.objects if key.startswith(prefix))


@dataclass
class Replay:
    """A backtest: its films, and everything that it has decided and recorded so far.

    Attributes:
        films: All films with their latest ratings, a data frame with the oldest film first.
        bucket: The bucket that contains the forecast ledger.
        promoted: The newest model versions that were promoted and not rolled back, three at most.
            The last one is in production.
        previous_ratings: Ratings by film id: what the version before the present one forecasts for
            films that the present version has forecast. The rule for rollbacks compares both.
        promotions: How many new model versions were put into production.
        refusals: How many new model versions were refused, because their errors were too large.
        rollbacks: How many model versions were rolled back.
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
        """The forecast ledger, which records the forecasts of the backtest and their scores."""
        return ForecastLedger(self.bucket)

    def run_month(self, begins: date, challenger: Bundle | None) -> list[Forecast]:
        """Backtest one month: score, decide about a rollback and a promotion, then forecast.

        Args:
            begins: The first day of the month.
            challenger: The newly trained model version; None if none was trained for this month.

        Returns:
            The forecasts for the month's films; empty if no model version is in production.
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
        """Score the forecasts for all films whose ratings are visible on the given day.

        To score a forecast means to compare it with the film's rating. A rating becomes visible 90
        days after the film's release.
        """
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
        """Put the model version before the present one into production again, if it was better.

        It was better if the errors of the version in production are significantly larger.
        """
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
        """Put a new model version into production if it passes the gate; otherwise refuse it.

        The gate is the check that `scripts.deploy` uses in production.

        Args:
            challenger: The new model version.
            month: The month of the backtest. The gate compares the errors on its hold-out films.
        """
        if self.promoted:
            verdict = judge(challenger, self.promoted[-1], month.split.holdout)
        else:
            verdict = judge_without_champion(challenger.manifest, "nothing is in production yet")
        print(f"  {challenger.manifest.version}: {verdict.reason}", flush=True)
        if verdict.promote:
            # Older versions are not needed, and all of them would fill the memory.
            self.promoted = [*self.promoted[-2:], challenger]
            self.previous_ratings = {}
            self.promotions += 1
        else:
            self.refusals += 1
        return verdict

    def scores(self) -> list[Score]:
        """Return the scores of all films with enough votes, sorted by release date."""
        found = [each for each in self.ledger.scores() if each.votes >= MIN_VOTES_TO_MEASURE]
        return sorted(found, key=lambda each: (each.release_date, each.film_id))


def trained(begins: date, films: Path, folder: Path, config: ModelConfig) -> Path:
    """Train a model version for one month, with the pipeline's own functions.

    Args:
        begins: The first day of the month.
        films: The path of a pickle file with all films (a data frame). A path, because each
            training runs in a separate process.
        folder: The folder for the files of this training.
        config: The model's configuration.

    Returns:
        The folder with the files of the new model version.
    """
    month = Month.of(pd.read_pickle(films), begins)  # noqa: S301 - `backtest` wrote it
    files = RunFiles(folder, month.day)
    columns = [*OLD_COLUMNS, *NEW_COLUMNS]
    write_bytes(files.cleaned, month.known[columns].to_csv(index=False).encode())
    link_kept(folder)
    write_json(files.codes, Codes().to_json())
    write_json(files.preprocess_report, {"source": "replay", "collected": len(month.known)})
    write_json(files.collect_report, {"source": "replay", "validation": {"faults": {}}})
    split = month.split
    learned = train_candidates(split, config)
    manifest, _, contents = assemble(learned, config, split, files)
    write(manifest, contents, files)
    return folder / files.bundle.name


def loaded(folder: Path) -> Bundle:
    """Load a model version from the folder with its files, and verify their checksums."""
    return Bundle.load(folder, sha256((folder / MANIFEST_NAME).read_bytes()), with_twin=True)


def summary(replay: Replay) -> tuple[list[str], dict[str, Any]]:
    """Summarise how well a finished backtest has forecast.

    Returns:
        The lines of a table with the errors of each month, and the measured values (errors and
        decisions) over all months.
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
    """Backtest the first month a second time, and check that the forecasts are identical.

    Args:
        first: The finished backtest.
        begins: The first day of the first month.
        challenger: The first month's model version, trained a second time.

    Returns:
        Whether the second backtest has written the same bytes to its forecast ledger.
    """
    again = Replay(first.films)
    again.run_month(begins, challenger)
    objects = again.bucket.objects
    return bool(objects) and objects.items() <= first.bucket.objects.items()


def backtest(
    films: pd.DataFrame, arguments: argparse.Namespace, config: ModelConfig, folder: Path
) -> tuple[Replay, bool]:
    """Backtest all months from `arguments.first` until before `arguments.until`.

    When all months are done, films released shortly before `arguments.until` have no scores yet.
    They are scored at the end, as on the day 90 days after `arguments.until`.

    Args:
        films: All films, a data frame with one row per film.
        arguments: The command-line options.
        config: The model's configuration.
        folder: A temporary folder.

    Returns:
        The finished backtest with all scores and decisions, and whether a second backtest of the
        first month wrote the same bytes to the forecast ledger.
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
    films = with_kept_vectors(read_films(arguments.films))
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
