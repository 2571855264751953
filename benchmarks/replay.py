"""The forecast ledger over past years, month by month as if live.

Each month a version is trained on the films whose ratings could be seen, and the gate that guards
production decides about it: the newest of those films are held out as in the pipeline, and on them
it has to beat the baselines and what is in production. What is in production then forecasts the
films of the month before it begins; their ratings are seen, and scored, 90 days after they opened.
Only the votes and the rating of a film are final ones: how they grew is not in the files.

A person who rolls back is played by the gate's own comparison: a version is taken back once it did
worse, by more than chance, than the one it replaced, on the films that came out under it.
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
from scripts.forecast import Forecaster, Subject
from scripts.ledger.track_record import figures, month_of
from scripts.parameters import (
    MIN_VOTES_TO_COUNT,
    MIN_VOTES_TO_MEASURE,
    ModelConfig,
)
from scripts.runtime.run_files import RunFiles
from scripts.runtime.storage import write_bytes, write_json
from scripts.score import Outcome, forecasts_of, score_films
from scripts.training.bundling import assemble, write
from scripts.training.selection import train_candidates

VISIBLE_AFTER: Final = timedelta(days=90)
FEW_FILMS: Final = 30  # a month of fewer says nothing
CORES: Final = 2
# One family: four would take four times as long, and the folds of these files choose this one.
CONFIG: Final = ModelConfig(model_type="lgbm")
_PARSER: Final = argparse.ArgumentParser(prog="python -m benchmarks.replay", description=__doc__)


class MemoryShelf:
    """A bucket in memory, which refuses to write what is there."""

    def __init__(self) -> None:
        """Begin empty."""
        self.objects: dict[str, bytes] = {}

    def get(self, key: str) -> Blob | None:
        """An object; None where there is none."""
        raw = self.objects.get(key)
        return None if raw is None else Blob(raw, sha256(raw))

    def put(self, key: str, raw: bytes) -> None:
        """Write an object, whatever stood there."""
        self.objects[key] = raw

    def create(self, key: str, raw: bytes) -> None:
        """Write an object that must not exist yet.

        Raises:
            PreconditionFailedError: It exists.
        """
        if key in self.objects:
            raise PreconditionFailedError(key)
        self.objects[key] = raw

    def keys(self, prefix: str) -> list[str]:
        """The keys that begin with a prefix, in order."""
        return sorted(key for key in self.objects if key.startswith(prefix))


@dataclass(frozen=True)
class Month:
    """A month as it looks on the day before it begins.

    Attributes:
        begins: Its first day.
        known: The films whose ratings are visible, a cleaned frame.
        films: Those that open in it.
    """

    begins: date
    known: pd.DataFrame
    films: Sample

    @classmethod
    def of(cls, films: pd.DataFrame, begins: date) -> "Month":
        """A month of a cleaned frame."""
        opened = films["release_date"]
        visible = opened < (begins - VISIBLE_AFTER).isoformat()
        in_it = (opened >= begins.isoformat()) & (opened < following(begins).isoformat())
        return cls(begins, films[visible], Sample(films[in_it]))

    @property
    def day(self) -> date:
        """The day on which its films are forecast, and a version is trained for that."""
        return self.begins - timedelta(1)

    @property
    def split(self) -> TimeSplit:
        """The visible films as the pipeline splits them."""
        return TimeSplit.of_newest(self.known)

    def forecast(self, bundle: Bundle) -> list[Forecast]:
        """What a version says of its films at noon of the day before."""
        noon = datetime.combine(self.day, time_of_day(12), UTC)
        films = zip(self.films.frame["id"], self.films.films, strict=True)
        subjects = [Subject(int(at), film, film.release_date or self.begins) for at, film in films]
        return Forecaster.of(bundle).forecast(subjects, None, noon, self.day)

    def beside_baselines(self, said: list[Forecast]) -> list[Forecast]:
        """Forecasts with what the means and the old model say, taught by all that is visible."""
        counted = Sample(self.known[self.known["vote_count"] >= MIN_VOTES_TO_COUNT])
        columns = baseline_forecasts(TimeSplit(counted, self.films, self.begins)).items()
        return [
            each.model_copy(
                update={"baselines": {name: round(float(told[at]), 4) for name, told in columns}}
            )
            for at, each in enumerate(said)
        ]


@dataclass
class Replay:
    """The state of affairs as months go by.

    Attributes:
        films: All films with their final outcomes, oldest first.
        line: The versions that went into production and were not taken back, the present one last.
        shadow: By film, what the version before that would have said since.
    """

    films: pd.DataFrame
    shelf: MemoryShelf = field(default_factory=MemoryShelf)
    line: list[Bundle] = field(default_factory=list)
    shadow: dict[int, float] = field(default_factory=dict)
    promotions: int = 0
    refusals: int = 0
    rollbacks: int = 0

    @property
    def ledger(self) -> ForecastLedger:
        """The ledger of the replay."""
        return ForecastLedger(self.shelf)

    def live_through(self, begins: date, challenger: Bundle | None) -> list[Forecast]:
        """Reveal what is visible by now, decide about a new version, forecast the month.

        Returns:
            What was said of the month's films.
        """
        month = Month.of(self.films, begins)
        self.reveal(month.day)
        self.take_back()
        if challenger:
            self.decide(challenger, month)
        if not self.line:
            return []
        said = month.beside_baselines(month.forecast(self.line[-1]))
        self.ledger.say(said)
        if len(self.line) > 1:
            self.shadow |= {each.film_id: each.rating for each in month.forecast(self.line[-2])}
        return said

    def reveal(self, day: date) -> None:
        """Score the films whose ratings have become visible by the end of a day."""
        first, opened = self.ledger.first_day, self.films["release_date"]
        if first is None:
            return
        seen = (opened > first.isoformat()) & (opened <= (day - VISIBLE_AFTER).isoformat())
        done = {each.film_id for each in self.ledger.scores()}
        outcomes = map(outcome_of, self.films[seen].to_dict("records"))
        fresh = [each for each in outcomes if each.film_id not in done]
        self.ledger.score(day, score_films(fresh, forecasts_of(fresh, self.ledger)))

    def take_back(self) -> None:
        """Roll back where production did worse than what it replaced on the films since."""
        pairs = [
            (each.error, self.shadow[each.film_id] - each.actual)
            for each in self.scores()
            if each.film_id in self.shadow
        ]
        if len(pairs) < MIN_FILMS_TO_COMPARE:
            return
        ours, theirs = np.asarray(pairs).T
        if compare(ours, theirs).worse:
            self.line.pop()
            self.shadow = {}
            self.rollbacks += 1

    def decide(self, challenger: Bundle, month: Month) -> Verdict:
        """Put a version into production, or refuse it, as `deploy` does."""
        if self.line:
            verdict = judge(challenger, self.line[-1], month.split.holdout)
        else:
            verdict = judge_without_champion(challenger.manifest, "nothing is in production yet")
        print(f"  {challenger.manifest.version}: {verdict.reason}", flush=True)
        if verdict.promote:
            self.line.append(challenger)
            self.shadow = {}
            self.promotions += 1
        else:
            self.refusals += 1
        return verdict

    def scores(self) -> list[Score]:
        """The scores of films that have the votes to be measured, by release date."""
        found = [each for each in self.ledger.scores() if each.votes >= MIN_VOTES_TO_MEASURE]
        return sorted(found, key=lambda each: (each.release_date, each.film_id))


def trained(begins: date, films: Path, folder: Path, config: ModelConfig) -> Path:
    """The folder of the version that the films visible before a month teach; made as in training.

    Args:
        begins: The month.
        films: All films, a pickled frame; months are trained side by side, each in a process.
        folder: Where the run's files go.
        config: Of the model.
    """
    month = Month.of(pd.read_pickle(films), begins)  # noqa: S301 - `replayed` wrote it
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
    """The version in a folder, verified."""
    return Bundle.load(folder, sha256((folder / MANIFEST_NAME).read_bytes()))


def outcome_of(row: dict[Any, Any]) -> Outcome:
    """What became of a film, as it is seen 90 days after it opened."""
    opened = date.fromisoformat(row["release_date"])
    return Outcome(
        film_id=int(row["id"]),
        opened=opened,
        mark="90 days",
        day=opened + VISIBLE_AFTER,
        rating=float(row["vote_average"]),
        votes=int(row["vote_count"]),
    )


def following(month: date) -> date:
    """The first day of the next month."""
    return (month.replace(day=28) + timedelta(4)).replace(day=1)


def months(first: date, until: date) -> Iterator[date]:
    """The first days of the months from one to another, which is left out."""
    month = first.replace(day=1)
    while month < until:
        yield month
        month = following(month)


def summary(replay: Replay) -> tuple[list[str], dict[str, Any]]:
    """The curve as lines of a table, and the figures of all months together."""
    scores = replay.scores()
    whole = figures(scores)
    lines = ["month    films  ours   " + "  ".join(f"{name:>11}" for name in whole.baselines)]
    better = []
    for month, group in groupby(scores, key=month_of):
        one = figures(list(group))
        others = "  ".join(f"{each:11.3f}" for each in one.baselines.values())
        lines.append(
            f"{month}  {one.films:5}  {one.rmse:.3f}  {others}  bias {one.bias:+.3f}  "
            f"coverage {one.coverage:.2f}"
        )
        if one.films >= FEW_FILMS:
            better.append(one.rmse < min(one.baselines.values()))
    said = replay.ledger.said(date.min, date.max)
    return lines, {
        "months_better_share": round(sum(better) / max(len(better), 1), 4),
        "rmse": whole.rmse,
        "mae": whole.mae,
        "bias": whole.bias,
        "coverage80": whole.coverage,
        "baselines": whole.baselines,
        "films": whole.films,
        "late_forecasts": sum(each.day >= each.release_date for each in said),
        "promotions": replay.promotions,
        "refusals": replay.refusals,
        "rollbacks": replay.rollbacks,
    }


def same_bytes_again(first: Replay, begins: date, challenger: Bundle) -> bool:
    """Whether the first month, trained and lived through once more, writes the same objects."""
    again = Replay(first.films)
    again.live_through(begins, challenger)
    return bool(again.shelf.objects) and again.shelf.objects.items() <= first.shelf.objects.items()


def replayed(
    films: pd.DataFrame, arguments: argparse.Namespace, config: ModelConfig, folder: Path
) -> tuple[Replay, bool]:
    """Live through all months, and wait until the last ratings are visible.

    What a month teaches depends on no decision, so versions are trained ahead, one on each core.

    Returns:
        What came of it, and whether the first month came out the same when it was done again.
    """
    lived = list(months(arguments.first, arguments.until))
    replay = Replay(films)
    pickled = folder / "films.pkl"
    films.to_pickle(pickled)
    train = partial(trained, films=pickled, config=config)
    # Not forked: the libraries' threads are running.
    with ProcessPoolExecutor(CORES, get_context("spawn")) as pool:
        versions = pool.map(partial(train, folder=folder), lived[:: arguments.retrain_every])
        again = pool.submit(train, lived[0], folder=folder / "again")
        for at, month in enumerate(lived):
            is_time = at % arguments.retrain_every == 0
            said = replay.live_through(month, loaded(next(versions)) if is_time else None)
            print(f"{month:%Y-%m}: {len(said)} films forecast", flush=True)
        identical = same_bytes_again(replay, lived[0], loaded(again.result()))
    replay.reveal(arguments.until + VISIBLE_AFTER)
    return replay, identical


def main(argv: list[str] | None = None, config: ModelConfig = CONFIG) -> int:
    """Replay from the command line."""
    started = time.perf_counter()
    arguments = _PARSER.parse_args(argv)
    films = read_films(arguments.films)
    with TemporaryDirectory() as folder:
        replay, identical = replayed(films, arguments, config, Path(folder))
    lines, found = summary(replay)
    print("RMSE by month of release; votes are final ones", *lines, sep="\n")
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
_PARSER.add_argument("--json", type=Path, help="where to write the figures, too")

if __name__ == "__main__":
    raise SystemExit(main())
