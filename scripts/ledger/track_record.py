"""Compute the track record: the errors of all scored forecasts, in total and by subgroup."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date
from itertools import pairwise
from typing import Final

import numpy as np

from movierating.ledger.ledger import TRACK_RECORD_KEY, ForecastLedger
from movierating.ledger.records import (
    CalibrationBin,
    Figures,
    Score,
    SubgroupFigures,
    TrackRecord,
)
from movierating.model.distribution_scores import DistributionScores
from scripts.dataset.metrics import rmse
from scripts.parameters import VOTE_BANDS

LISTED_FILMS: Final = 10  # in the list of the best forecasts, and in that of the worst
MIN_SUBGROUP: Final = 10  # films of a genre or language; with fewer the mean errors are noise
_MAX_SUBGROUPS: Final = 12  # at most 12 genres and 12 languages are shown
_CALIBRATION_BINS: Final = 10


def track_record(scores: Sequence[Score], day: date, min_votes: int) -> TrackRecord:
    """Summarise the scores: errors in total and by subgroup, calibration, best and worst films.

    Each film is counted once, with its newest score that has enough votes. Only the comparison of
    the scoring marks (such as 30 days after the release) uses all scores.

    Args:
        scores: All scores in the ledger.
        day: The date to put on the summary.
        min_votes: Scores whose rating has fewer votes are left out.
    """
    with_votes = [each for each in scores if each.votes >= min_votes]
    films = newest_per_film(with_votes)
    by_error = sorted(films, key=lambda each: (abs(each.error), each.film_id))
    return TrackRecord(
        as_of=day,
        min_votes=min_votes,
        figures=figures(films) if films else None,
        parts=tuple(_subgroups(films, with_votes)),
        calibration=tuple(_calibration(films)),
        worst=tuple(by_error[::-1][:LISTED_FILMS]),
        best=tuple(by_error[:LISTED_FILMS]),
        distribution=distribution_scores(films),
    )


def write_track_record(
    ledger: ForecastLedger, scores: Sequence[Score], day: date, min_votes: int
) -> None:
    """Write the track record, with the alerts of the newest drift report, as a view in the ledger.

    Args:
        ledger: The forecast ledger, opened for the source of the films in production.
        scores: All scores in the ledger of films from this source.
        day: The date to put on the view.
        min_votes: Scores whose rating has fewer votes are left out.
    """
    drift = ledger.newest_drift_report()
    alerts = drift.alerts if drift else ()
    others = {"alerts": alerts, "source": ledger.source}
    record = track_record(scores, day, min_votes).model_copy(update=others)
    ledger.write_view(TRACK_RECORD_KEY, record)


def newest_per_film(scores: Iterable[Score]) -> list[Score]:
    """Select each film's newest score; return them in the order of the release dates."""
    newest: dict[int, Score] = {}
    for each in sorted(scores, key=lambda each: (each.day, each.mark)):
        newest[each.film_id] = each
    return sorted(newest.values(), key=lambda each: (each.release_date, each.film_id))


def figures(scores: Sequence[Score]) -> Figures:
    """Compute the mean errors of scored forecasts, for the model and for each naive baseline.

    Args:
        scores: One or more scores. A baseline that is missing in one of them is left out.
    """
    errors = np.asarray([each.error for each in scores])
    # Baselines are compared with each other, so all must cover the same films.
    in_all: set[str] = set.intersection(*(set(each.baselines) for each in scores))
    return Figures(
        films=len(scores),
        rmse=_rounded(rmse(errors)),
        mae=_rounded(np.abs(errors).mean()),
        bias=_rounded(errors.mean()),
        coverage=_rounded(np.mean([each.inside for each in scores])),
        baselines={
            name: _rounded(
                rmse(np.asarray([each.baselines[name] - each.actual for each in scores]))
            )
            for name in sorted(in_all)
        },
    )


def distribution_scores(scores: Sequence[Score]) -> DistributionScores | None:
    """Score the predicted distributions of those forecasts that have one; None if none has."""
    known = [
        (each.at_least, each.crps, each.actual)
        for each in scores
        if each.at_least and each.crps is not None
    ]
    if not known:
        return None
    chances, errors, ratings = zip(*known, strict=True)
    in_all: set[float] = set.intersection(*(set(each) for each in chances))
    return DistributionScores.of(
        {rating: [each[rating] for each in chances] for rating in in_all}, errors, ratings
    )


def month_of(score: Score) -> str:
    """Return the month of the film's release, as YYYY-MM."""
    return score.release_date.isoformat()[:7]


def _subgroups(films: Sequence[Score], with_votes: Sequence[Score]) -> Iterator[SubgroupFigures]:
    yield from _grouped("month", films, month_of)
    for kind, name_of in (("genre", lambda each: each.genre), ("language", _language)):
        sizes = Counter(filter(None, map(name_of, films)))
        kept = {name for name, count in sizes.most_common(_MAX_SUBGROUPS) if count >= MIN_SUBGROUP}
        yield from _grouped(kind, [each for each in films if name_of(each) in kept], name_of)
    for low, high in pairwise((*VOTE_BANDS, np.inf)):
        if band := [each for each in films if low <= each.votes < high]:
            yield SubgroupFigures(kind="votes", name=f"from {low}", figures=figures(band))
    # This compares the marks, so it uses all scores of a film and not only the newest.
    yield from _grouped("mark", with_votes, lambda each: each.mark)


def _language(score: Score) -> str | None:
    return score.language


def _grouped(
    kind: str, scores: Iterable[Score], name_of: Callable[[Score], str | None]
) -> Iterator[SubgroupFigures]:
    groups: dict[str, list[Score]] = {}
    for each in scores:
        groups.setdefault(name_of(each) or "", []).append(each)
    for name in sorted(groups):
        yield SubgroupFigures(kind=kind, name=name, figures=figures(groups[name]))


def _calibration(films: Sequence[Score]) -> Iterator[CalibrationBin]:
    """Sort the films by forecast, cut them into bins of equal size, and yield each bin's means.

    If forecasts are calibrated, the mean forecast and the mean rating of a bin are about equal.
    """
    order = sorted(films, key=lambda each: (each.rating, each.film_id))
    count = min(_CALIBRATION_BINS, len(order) // MIN_SUBGROUP)
    for rows in np.array_split(np.arange(len(order)), count) if count else []:
        in_bin = [order[row] for row in rows]
        yield CalibrationBin(
            forecast=_rounded(np.mean([each.rating for each in in_bin])),
            actual=_rounded(np.mean([each.actual for each in in_bin])),
            films=len(in_bin),
        )


def _rounded(value: float | np.floating) -> float:
    return round(float(value), 4)
