"""May a challenger take the champion's place? Only if it is better on films that neither knew.

What counts are films that opened after both had learned. Each is forecast by both, and the
differences are resampled by film (paired bootstrap), so that luck with a few films is not taken for
progress.
"""

import logging
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.stats import bootstrap

from movierating.registry.bundle import Bundle
from movierating.registry.manifest import Manifest
from movierating.registry.registry import Pointer
from scripts.dataset.baselines import NAIVE_BASELINES
from scripts.dataset.split import Ratings, Sample
from scripts.parameters import MIN_VOTES_TO_MEASURE, SEED

logger = logging.getLogger(__name__)

MIN_FILMS_TO_COMPARE: Final = 30  # fewer say nothing, of all films or of a slice
CONFIDENCE: Final = 0.95
FEW_VOTES: Final = 2 * MIN_VOTES_TO_MEASURE
_NEWEST: Final = timedelta(days=365)
_RESAMPLES: Final = 2_000
_BATCH: Final = 100  # resamples at a time: memory grows with this, not with all of them


@dataclass(frozen=True)
class Verdict:
    """Whether a version may go into production, why, and what was measured."""

    promote: bool
    reason: str
    figures: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Difference:
    """RMSE of two models on the same films, and how far apart they are, in rating points.

    Attributes:
        low: Of the confidence interval of challenger minus champion.
        high: Of the same.
    """

    films: int
    challenger: float
    champion: float
    low: float
    high: float

    @property
    def better(self) -> bool:
        """The challenger's errors are smaller by more than chance."""
        return self.high < 0

    @property
    def worse(self) -> bool:
        """The challenger's errors are larger by more than chance."""
        return self.low > 0

    def __str__(self) -> str:
        """As a person reads it."""
        return (
            f"RMSE {self.challenger:.3f} to {self.champion:.3f} on {self.films} films, "
            f"{self.low:+.3f} to {self.high:+.3f} with {CONFIDENCE:.0%} confidence"
        )

    def figures(self, name: str) -> dict[str, float]:
        """The same by name."""
        return {
            f"{name}_films": self.films,
            f"{name}_rmse": self.challenger,
            f"{name}_champion_rmse": self.champion,
            f"{name}_difference_low": self.low,
            f"{name}_difference_high": self.high,
        }


def refused_by_date(challenger: Manifest, pointer: Pointer) -> str | None:
    """Why a version of this date must not follow what is in production; None when it may."""
    if challenger.run_date < pointer.run_date:
        return (
            f"its data is of {challenger.run_date}, production's of {pointer.run_date}; "
            "production never moves backwards"
        )
    if pointer.rolled_back_from and challenger.run_date == pointer.run_date:
        return (
            f"production was rolled back from {pointer.rolled_back_from}; only a run of a date "
            f"after {pointer.run_date} may follow, or a person's promote"
        )
    return None


def judge_without_champion(challenger: Manifest, why: str) -> Verdict:
    """The verdict where there is no champion to measure: it has to beat what needs no model."""
    if unbeaten := _unbeaten(challenger, NAIVE_BASELINES):
        return unbeaten
    return Verdict(promote=True, reason=f"{why}; {_standing(challenger)}", figures=_own(challenger))


def judge(challenger: Bundle, champion: Bundle, holdout: Sample) -> Verdict:
    """The verdict on a challenger, measured beside the champion on held-out films.

    Args:
        challenger: The new version.
        champion: The one in production.
        holdout: The films that were held out when the challenger was trained.
    """
    if unbeaten := _unbeaten(challenger.manifest, challenger.manifest.baselines):
        return unbeaten
    unseen = unseen_by_both(challenger, champion, holdout)
    if len(unseen) < MIN_FILMS_TO_COMPARE:
        reason = (
            f"only {len(unseen)} films opened after both models had learned, and to tell them "
            f"apart takes {MIN_FILMS_TO_COMPARE}; what is in production stays"
        )
        return Verdict(promote=False, reason=reason, figures=_own(challenger.manifest))
    differences = dict(_differences(challenger, champion, unseen))
    figures = _own(challenger.manifest)
    for name, each in differences.items():
        logger.info("%s: %s", name.replace("_", " "), each)
        figures |= each.figures(name)
    return _weigh(differences, champion.manifest, figures)


def unseen_by_both(challenger: Bundle, champion: Bundle, holdout: Sample) -> Sample:
    """The held-out films that neither model has learned from.

    They opened after the later of the two splits. A film whose release date has moved since then is
    found among the films that the champion's bundle names.
    """
    after = max(challenger.manifest.split.split_date, champion.manifest.split.split_date)
    taught = [film.id for film in champion.similar_films.films]
    frame = holdout.frame
    late = frame["release_date"] >= after.isoformat()
    return Sample(frame[late & ~frame["id"].isin(taught)])


def compare(challenger: Ratings, champion: Ratings) -> Difference:
    """Compare two models by their errors on the same films; both of shape (films,)."""
    squares = (challenger**2, champion**2)

    def difference(ours: Ratings, theirs: Ratings, axis: int = -1) -> npt.NDArray[np.float64]:
        apart: npt.NDArray[np.float64] = np.sqrt(ours.mean(axis)) - np.sqrt(theirs.mean(axis))
        return apart

    interval = bootstrap(
        squares,
        difference,
        paired=True,
        vectorized=True,
        n_resamples=_RESAMPLES,
        batch=_BATCH,
        confidence_level=CONFIDENCE,
        method="percentile",
        rng=np.random.default_rng(SEED),
    ).confidence_interval
    ours, theirs = (float(np.sqrt(each.mean())) for each in squares)
    low, high = float(interval.low), float(interval.high)
    return Difference(len(challenger), *(round(each, 6) for each in (ours, theirs, low, high)))


def _differences(
    challenger: Bundle, champion: Bundle, unseen: Sample
) -> Iterator[tuple[str, Difference]]:
    errors = [bundle.forecast(unseen.films) - unseen.ratings for bundle in (challenger, champion)]
    for name, rows in _subgroups(unseen, challenger.manifest.run_date):
        if rows.sum() >= MIN_FILMS_TO_COMPARE:
            yield name, compare(errors[0][rows], errors[1][rows])


def _subgroups(unseen: Sample, run_date: date) -> Iterator[tuple[str, npt.NDArray[np.bool_]]]:
    """All films, then those that matter most to the users, by name."""
    yield "all_films", np.ones(len(unseen), np.bool_)
    yield "korean_films", (unseen.frame["original_language"] == "ko").to_numpy()
    yield "few_votes", unseen.votes < FEW_VOTES
    yield "newest_year", unseen.opened > np.datetime64(run_date - _NEWEST)


def _weigh(
    differences: dict[str, Difference], champion: Manifest, figures: dict[str, float]
) -> Verdict:
    overall = differences["all_films"]
    worse = [
        f"{name.replace('_', ' ')} ({each})" for name, each in differences.items() if each.worse
    ]
    if worse:
        reason = f"it is worse than {champion.version} for {'; '.join(worse)}"
    elif not overall.better:
        reason = f"it is not better than {champion.version} by more than chance: {overall}"
    else:
        reason = f"it is better than {champion.version}: {overall}"
        return Verdict(promote=True, reason=reason, figures=figures)
    return Verdict(promote=False, reason=reason, figures=figures)


def _unbeaten(challenger: Manifest, names: Iterable[str]) -> Verdict | None:
    rmse = challenger.metrics["holdout"].rmse
    floors = {name: challenger.baselines[name].rmse for name in names}
    unbeaten = [f"{name} ({floor:.3f})" for name, floor in floors.items() if rmse >= floor]
    if not unbeaten:
        return None
    reason = f"its held-out RMSE of {rmse:.3f} does not beat {' and '.join(unbeaten)}"
    return Verdict(promote=False, reason=reason, figures=_own(challenger))


def _own(challenger: Manifest) -> dict[str, float]:
    """The challenger's own figures, on all films that were held out when it was trained."""
    holdout = challenger.metrics["holdout"]
    return {"holdout_films": holdout.n, "holdout_rmse": holdout.rmse} | {
        f"baseline_{name}_rmse": each.rmse for name, each in challenger.baselines.items()
    }


def _standing(challenger: Manifest) -> str:
    floors = ", ".join(f"{name} {each.rmse:.3f}" for name, each in challenger.baselines.items())
    return f"held-out RMSE {challenger.metrics['holdout'].rmse:.3f} (baselines: {floors})"
