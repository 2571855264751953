"""The gate: decide whether a new model (challenger) may replace the one in production (champion).

Both models, as they were measured before their refit on all films, forecast films that neither has
learned from. A paired bootstrap, which resamples these films, gives a confidence interval for the
difference of their errors (RMSE). What the challenger has to show depends on its recipe
(`scripts.training.recipe`):

- If its recipe is the champion's, its only advantage are newer films. A month of films changes the
  RMSE by a tenth of what chance does. So a proof that it is better would almost never succeed, and
  production would grow old. Instead the gate excludes a regression: the upper end of the interval
  must be below `MARGIN`.
- If its recipe is new, its RMSE must be smaller, too.

In no subgroup that matters may the challenger be worse by more than chance.
"""

import logging
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Final

import numpy as np
import numpy.typing as npt

from movierating.films.source import describe, is_invented
from movierating.registry.bundle import Bundle
from movierating.registry.manifest import Manifest
from movierating.registry.pointer import Pointer
from scripts.dataset.baselines import NAIVE_BASELINES
from scripts.dataset.split import Ratings, Sample
from scripts.parameters import MIN_VOTES_TO_MEASURE, SEED

logger = logging.getLogger(__name__)

MIN_FILMS_TO_COMPARE: Final = 30  # with fewer films, a difference of two RMSEs is noise
CONFIDENCE: Final = 0.95
MARGIN: Final = 0.02  # in rating points; a model is not accepted if it may be worse by this much
_EVERYTHING: Final = "all_films"
FEW_VOTES: Final = 2 * MIN_VOTES_TO_MEASURE
_NEWEST: Final = timedelta(days=365)
_RESAMPLES: Final = 2_000
_BATCH: Final = 100  # resamples that are in memory at the same time


@dataclass(frozen=True)
class Verdict:
    """Whether a model version may go into production, the reason, and the measured values."""

    promote: bool
    reason: str
    figures: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Difference:
    """RMSE of two models on the same films, and the difference of both RMSEs, in rating points.

    Attributes:
        films: Number of films.
        challenger: RMSE of the challenger, the new model.
        champion: RMSE of the champion, the model in production.
        low: Lower bound of the confidence interval of the difference, challenger minus champion.
        high: Upper bound of this interval.
    """

    films: int
    challenger: float
    champion: float
    low: float
    high: float

    @property
    def within_margin(self) -> bool:
        """Whether a regression of the challenger by `MARGIN` or more is excluded."""
        return self.high < MARGIN

    @property
    def worse(self) -> bool:
        """Whether the challenger's RMSE is significantly larger."""
        return self.low > 0

    def __str__(self) -> str:
        """Both RMSEs and the confidence interval as one sentence, for reasons and logs."""
        return (
            f"RMSE {self.challenger:.3f} to {self.champion:.3f} on {self.films} films, "
            f"{self.low:+.3f} to {self.high:+.3f} with {CONFIDENCE:.0%} confidence"
        )

    def figures(self, name: str) -> dict[str, float]:
        """Return the values by key; each key begins with `name`, the subgroup of the films."""
        return {
            f"{name}_films": self.films,
            f"{name}_rmse": self.challenger,
            f"{name}_champion_rmse": self.champion,
            f"{name}_difference_low": self.low,
            f"{name}_difference_high": self.high,
        }


def refused_by_date(challenger: Manifest, pointer: Pointer) -> str | None:
    """Return why the challenger's run date forbids its promotion; None if the date allows it.

    Args:
        challenger: The manifest of the new version.
        pointer: The version in production, and the newest run date that was ever in production.
    """
    if challenger.run_date < pointer.run_date:
        return (
            f"its run date is {challenger.run_date}, production's is {pointer.run_date}; "
            "production never moves backwards"
        )
    if pointer.rolled_back_from and challenger.run_date == pointer.run_date:
        return (
            f"production was rolled back from {pointer.rolled_back_from}; only a run of a date "
            f"after {pointer.run_date} or a manual promote may replace it"
        )
    return None


def judge_without_champion(challenger: Manifest, why: str) -> Verdict:
    """Judge a challenger without comparing it with a champion: it must beat the naive baselines.

    Args:
        challenger: The manifest of the new version.
        why: Why there is no champion to compare with; becomes part of the verdict's reason.
    """
    if unbeaten := _unbeaten(challenger, NAIVE_BASELINES):
        return unbeaten
    return Verdict(
        promote=True,
        reason=f"{why}; {_holdout_summary(challenger)}",
        figures=_holdout_figures(challenger),
    )


def judge_other_source(challenger: Manifest, champion: str, source: str | None) -> Verdict | None:
    """Judge a challenger whose films come from another source than the champion's.

    The two models cannot be compared, because no film is in both sources. So the challenger
    replaces the champion at once, with two exceptions: invented films never replace real ones, and
    a model of real films must beat the naive baselines to replace another model of real films.

    Args:
        challenger: The manifest of the new version.
        champion: The name of the version in production.
        source: The name of the source of the champion's films; None if it is not known.

    Returns:
        The verdict; None if the sources are the same, or if the champion's source is not known and
        the challenger's films are real.
    """
    ours = challenger.data.source
    if is_invented(ours) and not (source and is_invented(source)):
        real = describe(source) if source else "films that cannot be determined"
        reason = (
            f"it was trained on {describe(ours)}, and {champion} on {real}; invented films never "
            "replace real ones, so production stays as it is"
        )
        return Verdict(promote=False, reason=reason, figures=_holdout_figures(challenger))
    if source is None or source == ours:
        return None
    why = (
        f"it was trained on {describe(ours)}, and {champion} on {describe(source)}, so it replaces "
        f"{champion} without a comparison"
    )
    verdict = judge_without_champion(challenger, why)
    if verdict.promote or not ends_invented_films(challenger, source):
        return verdict
    # A poor model of real films is better than any model of invented ones.
    return Verdict(
        promote=True, reason=f"{why}, although {verdict.reason}", figures=verdict.figures
    )


def ends_invented_films(challenger: Manifest, source: str | None) -> bool:
    """Return whether the champion's films are invented, and the challenger's are real.

    Args:
        challenger: The manifest of the new version.
        source: The name of the source of the champion's films; None if it is not known.
    """
    return source is not None and is_invented(source) and not is_invented(challenger.data.source)


def judge(challenger: Bundle, champion: Bundle, holdout: Sample) -> Verdict:
    """Judge whether a challenger may replace the champion.

    It must beat all baselines on its hold-out films. On films that neither model has learned from,
    its error must not exceed the champion's by `MARGIN`, and no subgroup may have a significantly
    larger error. If its recipe is new, its error must be smaller than the champion's.

    Args:
        challenger: The bundle of the new version.
        champion: The bundle of the version in production.
        holdout: The hold-out films of the challenger.
    """
    if unbeaten := _unbeaten(challenger.manifest, challenger.manifest.baselines):
        return unbeaten
    unseen = unseen_by_both(challenger, champion, holdout)
    if len(unseen) < MIN_FILMS_TO_COMPARE:
        reason = (
            f"only {len(unseen)} films are new to both models, and a comparison needs "
            f"{MIN_FILMS_TO_COMPARE}; production stays as it is"
        )
        return Verdict(promote=False, reason=reason, figures=_holdout_figures(challenger.manifest))
    differences = dict(_differences(challenger, champion, unseen))
    figures = _holdout_figures(challenger.manifest)
    for name, each in differences.items():
        logger.info("%s: %s", name.replace("_", " "), each)
        figures |= each.figures(name)
    return _verdict(differences, challenger.manifest, champion.manifest, figures)


def unseen_by_both(challenger: Bundle, champion: Bundle, holdout: Sample) -> Sample:
    """Select the hold-out films that neither model has learned from in any way.

    These films were released on or after the later of the two split dates. If TMDB has changed a
    film's release date, a model may still have learned from the film. So each bundle lists all its
    training films, also those with so few votes that they were used for effects only.
    """
    after = max(challenger.manifest.split.split_date, champion.manifest.split.split_date)
    frame = holdout.frame
    released_after = frame["release_date"] >= after.isoformat()
    ids = frame["id"].to_numpy()
    known = challenger.training_films.contain(ids) | champion.training_films.contain(ids)
    return Sample(frame[released_after & ~known])


def compare(challenger: Ratings, champion: Ratings) -> Difference:
    """Compare two models by their errors (forecast minus rating) on the same films.

    Args:
        challenger: Errors of the challenger, shape (films,).
        champion: Errors of the champion on the same films in the same order, shape (films,).
    """
    from scipy.stats import bootstrap  # slow, and not always needed

    squares = (challenger**2, champion**2)

    def difference(ours: Ratings, theirs: Ratings, axis: int = -1) -> npt.NDArray[np.float64]:
        distance: npt.NDArray[np.float64] = np.sqrt(ours.mean(axis)) - np.sqrt(theirs.mean(axis))
        return distance

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
    errors = [
        bundle.measured.ratings(unseen.films) - unseen.ratings for bundle in (challenger, champion)
    ]
    for name, rows in _subgroups(unseen, challenger.manifest.run_date):
        if rows.sum() >= MIN_FILMS_TO_COMPARE:
            yield name, compare(errors[0][rows], errors[1][rows])


def _subgroups(unseen: Sample, run_date: date) -> Iterator[tuple[str, npt.NDArray[np.bool_]]]:
    """Yield the name and row mask of each group to compare: all films, then three subgroups."""
    yield _EVERYTHING, np.ones(len(unseen), np.bool_)
    yield "korean_films", (unseen.frame["original_language"] == "ko").to_numpy()
    yield "few_votes", unseen.votes < FEW_VOTES
    yield "newest_year", unseen.opened > np.datetime64(run_date - _NEWEST)


def _verdict(
    differences: dict[str, Difference],
    challenger: Manifest,
    champion: Manifest,
    figures: dict[str, float],
) -> Verdict:
    overall, other = differences[_EVERYTHING], champion.version
    is_new = challenger.recipe is None or challenger.recipe != champion.recipe
    recipe = "its recipe is new" if is_new else "its recipe is unchanged"
    is_better = overall.challenger < overall.champion
    if worse := [
        f"{name.replace('_', ' ')} ({each})"
        for name, each in differences.items()
        # For all films together, a difference within the margin is accepted.
        if each.worse and not (name == _EVERYTHING and each.within_margin)
    ]:
        reason = f"it is worse than {other} for {'; '.join(worse)}"
    elif not overall.within_margin:
        reason = f"it may be worse than {other} by the margin of {MARGIN:.2f} or more: {overall}"
    elif is_new and not is_better:
        reason = f"{recipe}, and it is not better than {other}: {overall}"
    else:
        comparison = "better than" if is_better else f"less than {MARGIN:.2f} worse than"
        reason = f"{recipe}, and it is {comparison} {other}: {overall}"
        return Verdict(promote=True, reason=reason, figures=figures)
    return Verdict(promote=False, reason=reason, figures=figures)


def _unbeaten(challenger: Manifest, names: Iterable[str]) -> Verdict | None:
    rmse = challenger.metrics["holdout"].rmse
    floors = {name: challenger.baselines[name].rmse for name in names}
    unbeaten = [f"{name} ({floor:.3f})" for name, floor in floors.items() if rmse >= floor]
    if not unbeaten:
        return None
    reason = f"its hold-out RMSE of {rmse:.3f} does not beat {' and '.join(unbeaten)}"
    return Verdict(promote=False, reason=reason, figures=_holdout_figures(challenger))


def _holdout_figures(challenger: Manifest) -> dict[str, float]:
    """Return the challenger's hold-out RMSE, the number of films, and the RMSE of the baselines."""
    holdout = challenger.metrics["holdout"]
    return {"holdout_films": holdout.n, "holdout_rmse": holdout.rmse} | {
        f"baseline_{name}_rmse": each.rmse for name, each in challenger.baselines.items()
    }


def _holdout_summary(challenger: Manifest) -> str:
    floors = ", ".join(f"{name} {each.rmse:.3f}" for name, each in challenger.baselines.items())
    return f"hold-out RMSE {challenger.metrics['holdout'].rmse:.3f} (baselines: {floors})"
