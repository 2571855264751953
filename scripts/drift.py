"""Have films or errors changed since the model learned? What passes a limit is an alert.

Films are compared by the population stability index (PSI), the summed difference of shares times
the logarithm of their ratio. Where nothing has changed, it is distributed as (1/n + 1/m) times
chi-squared (Yurdakul, Statistical Properties of Population Stability Index, 2018): an index below
what luck gives is no alert, however large.
"""

import logging
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from scipy.stats import chi2

from movierating.ledger.ledger import ForecastLedger
from movierating.ledger.records import DriftReport, Retraining, Score
from movierating.registry.manifest import Manifest
from movierating.registry.registry import Registry
from movierating.s3 import open_bucket
from movierating.settings import PipelineSettings, pipeline_settings
from scripts.ledger.track_record import figures, newest, show
from scripts.parameters import DRIFT, MIN_VOTES_TO_MEASURE, DriftLimits
from scripts.runtime.cli import run, step_parser
from scripts.runtime.clock import now, past_or_today, today
from scripts.store.film_store import FilmStore, film_store
from scripts.store.parsing import main_genre
from scripts.store.schema import SCHEMA

logger = logging.getLogger(__name__)

MISSING: Final = "missing"
_REFERENCE: Final = timedelta(days=3 * 365)  # before the split: the newest films that taught
_BINS: Final = 10
_FREQUENT: Final = 10  # genres and languages with a bin of their own
_COLUMNS: Final = (
    "release_date",
    "vote_count",
    "runtime",
    "budget",
    "overview",
    "genres",
    "original_language",
)
_NO_FILMS: Final = SCHEMA.empty_table().select(_COLUMNS)


@dataclass(frozen=True)
class Shift:
    """How far the shares of a fact have moved.

    Attributes:
        psi: The index.
        luck: What it stays below in 999 of 1,000 cases where nothing has changed.
    """

    psi: float
    luck: float


def check(
    run_date: date, settings: PipelineSettings, limits: DriftLimits = DRIFT
) -> DriftReport | None:
    """Compare the films and errors of late with those the model in production was made with.

    The report is kept in the ledger, its alerts are logged and stand on the track record; doing it
    again adds nothing.

    Returns:
        The report; None where nothing is in production.

    Raises:
        BundleError: The manifest in production is not readable.
        S3UnavailableError: S3 cannot be used as it is set up.
    """
    bucket = open_bucket(settings)
    registry, ledger = Registry(bucket), ForecastLedger(bucket)
    current = registry.production()
    if current is None:
        return None
    manifest = registry.manifest(current.pointer)
    taught, late = films_of(film_store(settings), manifest.split.split_date, run_date, limits)
    shifts = dict(input_shifts(taught, late)) if enough(taught, late, limits) else {}
    known = ledger.scores()
    scores = recent(known, run_date, settings.forecast_min_votes, limits)
    report = DriftReport(
        day=run_date,
        made_at=now(),
        version=manifest.version,
        figures=_figures(shifts, scores, late.num_rows),
        alerts=(*input_alerts(shifts, limits), *residual_alerts(scores, manifest, limits)),
    )
    ledger.report_drift(report)
    show(ledger, known, run_date, settings.forecast_min_votes)
    for alert in report.alerts:
        logger.warning("%s: %s", report.version, alert)
    return report


def claim_retraining(run_date: date, run_id: str, settings: PipelineSettings) -> Retraining | None:
    """Claim the one retraining of a day, in writing, where the day's report calls for it.

    Returns:
        What was claimed; None where nothing drifted, the model in production has learned from the
        films of the day already, or another run has claimed the day.
    """
    bucket = open_bucket(settings)
    ledger, current = ForecastLedger(bucket), Registry(bucket).production()
    report = ledger.newest_drift()
    if report is None or report.day != run_date or not report.alerts:
        return None
    if current and current.pointer.run_date >= run_date:
        logger.info("no retraining: %s has learned from today's films", current.pointer.version)
        return None
    claim = Retraining(day=run_date, run_id=run_id, reason="; ".join(report.alerts))
    return claim if ledger.may_retrain(claim) else None


def films_of(
    store: FilmStore, split_date: date, day: date, limits: DriftLimits
) -> tuple[pa.Table, pa.Table]:
    """Films with the votes to count: the newest that taught, and those that opened of late."""
    opened, votes = pc.field("release_date"), pc.field("vote_count")
    counted = votes >= MIN_VOTES_TO_MEASURE
    before = counted & (opened >= split_date - _REFERENCE) & (opened < split_date)
    since = counted & (opened > day - timedelta(limits.film_days)) & (opened <= day)
    parts = [
        (films.filter(before).select(_COLUMNS), films.filter(since).select(_COLUMNS))
        for films in store.as_of(day)
    ]
    if not parts:
        return _NO_FILMS, _NO_FILMS
    taught, late = zip(*parts, strict=True)
    return pa.concat_tables(taught), pa.concat_tables(late)


def enough(taught: pa.Table, late: pa.Table, limits: DriftLimits) -> bool:
    """Whether both sides have films enough to be compared."""
    return bool(min(taught.num_rows, late.num_rows) >= limits.min_films)


def input_shifts(taught: pa.Table, late: pa.Table) -> Iterator[tuple[str, Shift]]:
    """How far each fact has moved, by its name."""
    for name, labels in _labels(taught, late).items():
        yield name, shift(*labels)


def shift(before: Sequence[str], now: Sequence[str]) -> Shift:
    """How far the shares of labels have moved; half a film is added to each, so none is empty."""
    labels = sorted({*before, *now})
    shares = []
    for side in (before, now):
        counts = np.asarray([side.count(label) for label in labels]) + 0.5
        shares.append(counts / counts.sum())
    old, new = shares
    freedom = max(len(labels) - 1, 1)
    return Shift(
        psi=float(np.sum((new - old) * np.log(new / old))),
        luck=float(chi2.ppf(0.999, freedom) * (1 / len(before) + 1 / len(now))),
    )


def recent(scores: Iterable[Score], day: date, min_votes: int, limits: DriftLimits) -> list[Score]:
    """The scores of late by enough votes, one a film; none where they are too few."""
    first = day - timedelta(limits.score_days)
    found = newest(each for each in scores if each.votes >= min_votes and each.day > first)
    return found if len(found) >= limits.min_scores else []


def input_alerts(shifts: dict[str, Shift], limits: DriftLimits) -> Iterator[str]:
    """A sentence for each fact whose shares have moved too far, and by more than luck."""
    for name, each in shifts.items():
        if each.psi > max(limits.psi, each.luck):
            yield (
                f"{name} of films is not what the model learned from "
                f"(PSI {each.psi:.2f}, the limit is {max(limits.psi, each.luck):.2f})"
            )


def residual_alerts(
    scores: Sequence[Score], manifest: Manifest, limits: DriftLimits
) -> Iterator[str]:
    """A sentence for each way in which forecasts of late are worse than they should be."""
    if not scores:
        return
    found, told = figures(scores), f"of the last {len(scores)} films scored"
    luck = 3 * found.rmse / len(scores) ** 0.5
    expected = manifest.metrics["holdout"].rmse
    if abs(found.bias) > max(limits.bias, luck):
        yield f"forecasts {told} are off by {found.bias:+.2f} on average"
    if found.rmse > limits.rmse_ratio * expected:
        yield f"RMSE {told} is {found.rmse:.2f}, where training measured {expected:.2f}"
    lowest, highest = limits.coverage
    if not lowest <= found.coverage <= highest:
        yield f"80 % intervals {told} hold {found.coverage:.0%}"


def _figures(shifts: dict[str, Shift], scores: Sequence[Score], films: int) -> dict[str, float]:
    found: dict[str, float] = {"films": films, "scores": len(scores)}
    found |= {f"psi_{name}": round(each.psi, 4) for name, each in shifts.items()}
    if scores:
        late = figures(scores)
        found |= {"rmse": late.rmse, "bias": late.bias, "coverage": late.coverage}
    return found


def _labels(*sides: pa.Table) -> dict[str, list[list[str]]]:
    """Of each fact the labels of both sides' films; bins and names are those of the first side."""
    numbers = {
        "running time": [_numbers(side["runtime"]) for side in sides],
        "length of the plot": [_numbers(pc.utf8_length(side["overview"])) for side in sides],
        "budget": [_numbers(side["budget"]) for side in sides],
    }
    names = {
        "main genre": [[main_genre(each) for each in side["genres"].to_pylist()] for side in sides],
        "language": [side["original_language"].to_pylist() for side in sides],
    }
    labels = {name: _binned(*each) for name, each in numbers.items()}
    return labels | {name: _frequent(*each) for name, each in names.items()}


def _numbers(column: Any) -> np.ndarray[Any, np.dtype[np.float64]]:
    """A column as numbers; zero is unknown."""
    values = column.cast(pa.float64()).fill_null(0).to_numpy()
    return np.where(values > 0, values, np.nan)


def _binned(*sides: np.ndarray[Any, np.dtype[np.float64]]) -> list[list[str]]:
    known = sides[0][~np.isnan(sides[0])]
    inner = np.linspace(0, 1, _BINS + 1)[1:-1]
    edges = np.unique(np.quantile(known, inner)) if len(known) else known
    return [
        [MISSING if np.isnan(each) else str(np.searchsorted(edges, each)) for each in side]
        for side in sides
    ]


def _frequent(*sides: list[str | None]) -> list[list[str]]:
    counted = sorted(set(filter(None, sides[0])), key=lambda name: (-sides[0].count(name), name))
    kept = set(counted[:_FREQUENT])
    return [
        [MISSING if not each else each if each in kept else "other" for each in side]
        for side in sides
    ]


def main(argv: list[str] | None = None) -> int:
    """Check for drift from the command line."""
    arguments = step_parser(__doc__).parse_args(argv)
    return run(lambda: check(past_or_today(arguments.date or today()), pipeline_settings()))


if __name__ == "__main__":
    raise SystemExit(main())
