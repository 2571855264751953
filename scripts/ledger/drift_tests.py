"""Tests for drift: changes in films or in forecast errors since the model was trained.

Recent films are compared with training films fact by fact, for example by language. The measure is
the population stability index (PSI). For each value of the fact, take the fraction of the recent
films and the fraction of the training films that have it: (recent - training) * log(recent /
training). The PSI is the sum of this term over all values.

Small samples differ by chance, too. If nothing has changed, the PSI of two samples of n and m films
is distributed as (1/n + 1/m) times chi-squared (Yurdakul, Statistical Properties of Population
Stability Index, 2018). Only a PSI that is too large for chance leads to an alert.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from movierating.ledger.records import Score
from movierating.registry.manifest import Manifest
from scripts.dataset.eligibility import is_eligible
from scripts.ledger.track_record import figures, newest_per_film
from scripts.parameters import MIN_VOTES_TO_MEASURE, DriftLimits
from scripts.store.film_store import FilmStore
from scripts.store.parsing import main_genre
from scripts.store.schema import SCHEMA

MISSING: Final = "missing"
OTHER: Final = "other"
_REFERENCE_PERIOD: Final = timedelta(days=3 * 365)  # the newest training films, before the split
_BINS: Final = 10  # for a number, such as the budget
_FREQUENT_NAMES: Final = 10  # this many genres and languages get a bin of their own
_CHANCE_QUANTILE: Final = 0.999
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
    """How much one fact of recent films, such as their language, differs from the training films.

    Attributes:
        psi: Population stability index; 0 means that each value is equally frequent in both groups.
        by_chance: The largest PSI to expect from chance: if nothing has changed, 999 of 1,000
            comparisons give a smaller PSI.
    """

    psi: float
    by_chance: float


def films_to_compare(
    store: FilmStore, split_date: date, day: date, limits: DriftLimits
) -> tuple[pa.Table, pa.Table]:
    """Select the films that the drift check compares: the newest training films and recent films.

    Only eligible films (films that the model is for) with enough votes are selected. Most films
    never get any votes, and such films differ from training films. With them, the check would
    always find drift.

    Args:
        store: The film store.
        split_date: The model's split date; its training films were released before it.
        day: The day of the check.
        limits: The limits of the drift check, which include the largest age of recent films.

    Returns:
        The training films from the last three years before the split date, and the recent films.
    """
    released, votes = pc.field("release_date"), pc.field("vote_count")
    has_votes = (votes >= MIN_VOTES_TO_MEASURE) & is_eligible()
    is_training = has_votes & (released >= split_date - _REFERENCE_PERIOD) & (released < split_date)
    is_recent = has_votes & (released > day - timedelta(limits.film_days)) & (released <= day)
    selected = [
        (films.filter(is_training).select(_COLUMNS), films.filter(is_recent).select(_COLUMNS))
        for films in store.as_of(day)
    ]
    # An empty store has no tables to concatenate.
    if not selected:
        return _NO_FILMS, _NO_FILMS
    training, recent = zip(*selected, strict=True)
    return pa.concat_tables(training), pa.concat_tables(recent)


def input_shifts(training: pa.Table, recent: pa.Table, limits: DriftLimits) -> dict[str, Shift]:
    """Measure by how much each fact of recent films differs from the training films.

    Returns:
        The shift of each fact, by the fact's name. Empty if there are too few films to compare.
    """
    if min(training.num_rows, recent.num_rows) < limits.min_films:
        return {}
    return {name: shift(*labels) for name, labels in _labels(training, recent).items()}


def shift(before: Sequence[str], after: Sequence[str]) -> Shift:
    """Measure how differently the labels are distributed in two groups of films.

    Args:
        before: One label per training film: the value or the bin of one fact.
        after: One label per recent film, of the same fact.
    """
    from scipy.stats import (
        chi2,  # here: a slow import, and without recent films nothing is compared
    )

    labels = sorted({*before, *after})
    shares = []
    for side in (before, after):
        # Add half a film to each label, because the logarithm needs shares above zero.
        counts = np.asarray([side.count(label) for label in labels]) + 0.5
        shares.append(counts / counts.sum())
    old, new = shares
    degrees_of_freedom = max(len(labels) - 1, 1)
    return Shift(
        psi=float(np.sum((new - old) * np.log(new / old))),
        by_chance=float(
            chi2.ppf(_CHANCE_QUANTILE, degrees_of_freedom) * (1 / len(before) + 1 / len(after))
        ),
    )


def recent_scores(
    scores: Iterable[Score], day: date, min_votes: int, limits: DriftLimits
) -> list[Score]:
    """Select the recent scores with enough votes, one per film; none if there are too few of them.

    Args:
        scores: All scores in the ledger.
        day: The day of the check.
        min_votes: Scores whose rating has fewer votes are left out, because such a rating is too
            noisy to judge a forecast by.
        limits: The limits of the drift check, which include the largest age and the smallest number
            of scores.
    """
    first = day - timedelta(limits.score_days)
    found = newest_per_film(each for each in scores if each.votes >= min_votes and each.day > first)
    return found if len(found) >= limits.min_scores else []


def input_alerts(shifts: Mapping[str, Shift], limits: DriftLimits) -> Iterator[str]:
    """Yield one alert (a sentence) for each fact whose PSI is above its limit and above chance."""
    for name, each in shifts.items():
        limit = max(limits.psi, each.by_chance)
        if each.psi > limit:
            yield (
                f"{name} of recent films differs from the training films "
                f"(PSI {each.psi:.2f}, limit {limit:.2f})"
            )


def residual_alerts(
    scores: Sequence[Score], manifest: Manifest, limits: DriftLimits
) -> Iterator[str]:
    """Yield one alert (a sentence) for each error measure of recent forecasts outside its limits.

    Args:
        scores: The recent scores, one per film. If there are none, there is no alert.
        manifest: The manifest of the model in production. Its RMSE on the hold-out films is the
            expected RMSE.
        limits: The limits of bias, RMSE and coverage.
    """
    if not scores:
        return
    found, which = figures(scores), f"of the last {len(scores)} scored films"
    # Three standard errors of the mean error: a smaller bias may be due to chance.
    bias_by_chance = 3 * found.rmse / len(scores) ** 0.5
    expected_rmse = manifest.metrics["holdout"].rmse
    if abs(found.bias) > max(limits.bias, bias_by_chance):
        yield f"forecasts {which} are off by {found.bias:+.2f} on average"
    if found.rmse > limits.rmse_ratio * expected_rmse:
        yield (
            f"RMSE {which} is {found.rmse:.2f}; the measured model had {expected_rmse:.2f} on the "
            "hold-out films"
        )
    lowest, highest = limits.coverage
    if not lowest <= found.coverage <= highest:
        yield f"80 % intervals {which} contain {found.coverage:.0%} of the ratings"


def age_alerts(manifest: Manifest, day: date, limits: DriftLimits) -> Iterator[str]:
    """Yield an alert if the model in production is from a run too long ago.

    Args:
        manifest: The manifest of the model in production.
        day: The day of the check.
        limits: The limits of the drift check, which include the largest age.
    """
    age = (day - manifest.run_date).days
    if age > limits.production_days:
        yield (
            f"the model in production is {age} days old, and the limit is "
            f"{limits.production_days}; the decisions of the registry say why no newer model was "
            "promoted"
        )


def drift_figures(
    shifts: Mapping[str, Shift], scores: Sequence[Score], films: int
) -> dict[str, float]:
    """Collect the measured values of a drift check, by name, for its report.

    Args:
        shifts: The shift of each fact, by the fact's name.
        scores: The recent scores, one per film.
        films: The number of recent films.
    """
    values: dict[str, float] = {"films": films, "scores": len(scores)}
    values |= {f"psi_{name}": round(each.psi, 4) for name, each in shifts.items()}
    if scores:
        errors = figures(scores)
        values |= {"rmse": errors.rmse, "bias": errors.bias, "coverage": errors.coverage}
    return values


def _labels(*sides: pa.Table) -> dict[str, list[list[str]]]:
    """Give each film one label per fact: a bin for a number, a name for a genre or a language.

    Args:
        *sides: The training films and the recent films. The training films define the bins, and
            which names get a label of their own.

    Returns:
        By fact: the labels of the training films, then the labels of the recent films.
    """
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
    return labels | {name: _named(*each) for name, each in names.items()}


def _numbers(column: Any) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Convert a column of the film store to floats; TMDB's 0 means unknown and becomes NaN."""
    values = column.cast(pa.float64()).fill_null(0).to_numpy()
    return np.where(values > 0, values, np.nan)


def _binned(*sides: np.ndarray[Any, np.dtype[np.float64]]) -> list[list[str]]:
    """Give each number the label of its bin; the deciles of the first side are the bounds.

    The first side has the numbers of the training films.
    """
    known = sides[0][~np.isnan(sides[0])]
    inner = np.linspace(0, 1, _BINS + 1)[1:-1]
    # A frequent value can be equal to several deciles; such a bound is used once.
    edges = np.unique(np.quantile(known, inner)) if len(known) else known
    return [
        [MISSING if np.isnan(each) else str(np.searchsorted(edges, each)) for each in side]
        for side in sides
    ]


def _named(*sides: list[str | None]) -> list[list[str]]:
    """Label each film with its genre or language, or `OTHER` if this is rare on the first side."""
    by_count = sorted(set(filter(None, sides[0])), key=lambda name: (-sides[0].count(name), name))
    kept = set(by_count[:_FREQUENT_NAMES])
    return [
        [MISSING if not each else each if each in kept else OTHER for each in side]
        for side in sides
    ]
