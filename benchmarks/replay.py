"""The forecast ledger over past years, month by month as if live.

Each month a model learns from what could be known, forecasts the films of the month before it
begins, and is scored when their ratings become visible, 90 days after they opened. Only the number
of votes and the rating of a film are final ones: how they grew is not in the files.

A month's model goes into service if it forecast the newest of its rehearsed years better than the
means of its films would have. It is taken back if, on three months of films that came out since,
such models did worse by more than chance than the ones they replaced.
"""

import argparse
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from datetime import time as time_of_day
from itertools import chain, groupby
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd

from benchmarks.accuracy import read_films
from benchmarks.figures import report
from movierating.forecasts import Forecast, ForecastLedger, Score
from movierating.manifest import sha256
from movierating.s3 import Blob, PreconditionFailedError
from scripts.evaluation import baseline_forecasts, rmse
from scripts.forecast import Forecaster, Subject
from scripts.gate import compare
from scripts.learning import learn
from scripts.package import as_served
from scripts.parameters import (
    MIN_VOTES_TO_COUNT,
    MIN_VOTES_TO_MEASURE,
    ModelConfig,
)
from scripts.samples import Ratings, Sample, TimeSplit
from scripts.score import Outcome, forecasts_of, score_films
from scripts.scoreboard import figures, month_of

VISIBLE_AFTER: Final = timedelta(days=90)
FEW_FILMS: Final = 30  # a month of fewer says nothing
JUDGED_MONTHS: Final = 3
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
        known: The films whose ratings are visible.
        films: Those that open in it.
    """

    begins: date
    known: Sample
    films: Sample

    @classmethod
    def of(cls, films: pd.DataFrame, begins: date) -> "Month":
        """A month of a cleaned frame."""
        opened = films["release_date"]
        visible = opened < (begins - VISIBLE_AFTER).isoformat()
        in_it = (opened >= begins.isoformat()) & (opened < following(begins).isoformat())
        return cls(
            begins,
            Sample(films[visible & (films["vote_count"] >= MIN_VOTES_TO_COUNT)]),
            Sample(films[in_it]),
        )

    @property
    def day(self) -> date:
        """The day on which its films are forecast."""
        return self.begins - timedelta(1)

    @property
    def split(self) -> TimeSplit:
        """All that is visible teaches; the month's own films, hidden by then, are held out."""
        measured = self.films.votes >= MIN_VOTES_TO_MEASURE
        return TimeSplit(self.known, Sample(self.films.frame[measured]), self.begins)

    def subjects(self) -> list[Subject]:
        """Its films, to be forecast."""
        films = zip(self.films.frame["id"], self.films.films, strict=True)
        return [Subject(int(at), film, film.release_date or self.begins) for at, film in films]


@dataclass
class Replay:
    """The state of affairs as months go by.

    Attributes:
        films: All films with their final outcomes, oldest first.
        line: The versions that went into service and were not taken back, the present one last.
        trials: By month, what the version in service and the one it replaced said of its films.
    """

    films: pd.DataFrame
    config: ModelConfig = CONFIG
    shelf: MemoryShelf = field(default_factory=MemoryShelf)
    line: list[Forecaster] = field(default_factory=list)
    trials: dict[date, tuple[list[Forecast], list[Forecast]]] = field(default_factory=dict)
    promotions: int = 0
    rollbacks: int = 0

    @property
    def ledger(self) -> ForecastLedger:
        """The ledger of the replay."""
        return ForecastLedger(self.shelf)

    def live_through(self, begins: date, train: bool) -> list[Forecast]:
        """Reveal what is visible by now, train if it is time to, forecast the month.

        Returns:
            What was said of the month's films.
        """
        month = Month.of(self.films, begins)
        self.reveal(month.day)
        self.take_back(month.day)
        if train or not self.line:
            self._try(*trained(month, self.config))
        said = with_baselines(said_of(month, self.line[-1]), month)
        self.ledger.say(said)
        if len(self.line) > 1:
            self.trials[begins] = said, said_of(month, self.line[-2])
        return said

    def reveal(self, day: date) -> None:
        """Score the films whose ratings have become visible by the end of a day."""
        done = {each.film_id for each in self.ledger.scores()}
        opened = self.films["release_date"] <= (day - VISIBLE_AFTER).isoformat()
        outcomes = [outcome_of(row) for row in self.films[opened].to_dict("records")]
        fresh = [each for each in outcomes if each.film_id not in done]
        self.ledger.score(day, score_films(fresh, forecasts_of(fresh, self.ledger)))

    def take_back(self, day: date) -> None:
        """Roll back if the newer versions were worse on the months that were revealed since."""
        revealed = [begins for begins in self.trials if following(begins) + VISIBLE_AFTER <= day]
        if len(revealed) < JUDGED_MONTHS:
            return
        now, before = zip(*(self.trials.pop(begins) for begins in revealed), strict=True)
        actual = {each.film_id: each.actual for each in self.scores()}
        if len(self.line) > 1 and compare(_errors(now, actual), _errors(before, actual)).worse:
            self.line.pop()
            self.rollbacks += 1

    def scores(self) -> list[Score]:
        """The scores of films that have the votes to be measured, by release date."""
        found = [each for each in self.ledger.scores() if each.votes >= MIN_VOTES_TO_MEASURE]
        return sorted(found, key=lambda each: (each.release_date, each.film_id))

    def _try(self, challenger: Forecaster, earns_it: bool) -> None:
        if earns_it or not self.line:
            self.line.append(challenger)
            self.promotions += 1


def trained(month: Month, config: ModelConfig) -> tuple[Forecaster, bool]:
    """The version that the visible films teach, and whether it beat the mean of its newest fold."""
    learned = learn(month.split, config)
    fold = learned.best.folds[0]
    ratings = fold.films.ratings
    model, graphs = as_served(learned)
    digest = sha256(b"".join(graphs[name] for name in sorted(graphs)))[:12]
    version = Forecaster(f"{month.day}-{digest}", learned.films.features, learned.effects, model)
    return version, rmse(fold.errors) < rmse(ratings - ratings.mean())


def said_of(month: Month, forecaster: Forecaster) -> list[Forecast]:
    """What a version says of a month's films at noon of the day before."""
    noon = datetime.combine(month.day, time_of_day(12), UTC)
    return forecaster.forecast(month.subjects(), None, noon, month.day)


def with_baselines(said: list[Forecast], month: Month) -> list[Forecast]:
    """Forecasts beside what the means and the old model say, taught by the same films."""
    split = TimeSplit(month.known, month.films, month.begins)
    columns = {name: each.tolist() for name, each in baseline_forecasts(split).items()}
    return [
        each.model_copy(
            update={"baselines": {name: round(column[at], 4) for name, column in columns.items()}}
        )
        for at, each in enumerate(said)
    ]


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
    late = [
        each for each in replay.ledger.said(date.min, date.max) if each.day >= each.release_date
    ]
    return lines, {
        "months_better_share": round(sum(better) / max(len(better), 1), 4),
        "rmse": whole.rmse,
        "mae": whole.mae,
        "bias": whole.bias,
        "coverage80": whole.coverage,
        "baselines": whole.baselines,
        "films": whole.films,
        "late_forecasts": len(late),
        "promotions": replay.promotions,
        "rollbacks": replay.rollbacks,
    }


def same_bytes_again(first: Replay, begins: date) -> bool:
    """Whether the first month, lived through once more, writes the same objects."""
    again = Replay(first.films, first.config)
    again.live_through(begins, train=True)
    return again.shelf.objects.items() <= first.shelf.objects.items()


def replayed(films: pd.DataFrame, arguments: argparse.Namespace, config: ModelConfig) -> Replay:
    """Live through all months, and wait until the last ratings are visible."""
    replay = Replay(films, config)
    for at, month in enumerate(months(arguments.first, arguments.until)):
        said = replay.live_through(month, train=at % arguments.retrain_every == 0)
        print(f"{month:%Y-%m}: {len(said)} films by {replay.line[-1].version}", flush=True)
        if scores := replay.scores():
            so_far = figures(scores)
            print(f"  {so_far.films} scored, RMSE {so_far.rmse:.3f}", so_far.baselines, flush=True)
    replay.reveal(arguments.until + VISIBLE_AFTER)
    return replay


def main(argv: list[str] | None = None, config: ModelConfig = CONFIG) -> int:
    """Replay from the command line."""
    started = time.perf_counter()
    arguments = _PARSER.parse_args(argv)
    films = read_films(arguments.films)
    replay = replayed(films, arguments, config)
    lines, found = summary(replay)
    print("RMSE by month of release; votes are final ones", *lines, sep="\n")
    report(
        arguments.json,
        months=len(list(months(arguments.first, arguments.until))),
        rerun_identical=same_bytes_again(replay, arguments.first.replace(day=1)),
        seconds=round(time.perf_counter() - started),
        **found,
    )
    return 0


def _errors(said: Sequence[list[Forecast]], actual: Mapping[int, float]) -> Ratings:
    """Of the films that have the votes to be measured."""
    return np.asarray(
        [
            each.rating - actual[each.film_id]
            for each in chain.from_iterable(said)
            if each.film_id in actual
        ]
    )


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
