"""The track record: what all scores say together."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date
from itertools import pairwise
from typing import Final

import numpy as np

from movierating.ledger.ledger import TRACK_RECORD_KEY, ForecastLedger
from movierating.ledger.records import CalibrationBin, Figures, Part, Score, TrackRecord
from scripts.dataset.metrics import rmse
from scripts.parameters import VOTE_BANDS

SHOWN_FILMS: Final = 10  # hits, and misses
MIN_PART: Final = 10  # films of a genre or language, or its figures are luck
_LARGEST_PARTS: Final = 12
_CALIBRATION_BINS: Final = 10


def track_record(scores: Sequence[Score], day: date, min_votes: int) -> TrackRecord:
    """The track record as of a day; each film once, by its newest score of enough votes."""
    counted = [each for each in scores if each.votes >= min_votes]
    films = newest(counted)
    ranked = sorted(films, key=lambda each: (abs(each.error), each.film_id))
    return TrackRecord(
        as_of=day,
        min_votes=min_votes,
        figures=figures(films) if films else None,
        parts=tuple(_parts(films, counted)),
        calibration=tuple(_calibration(films)),
        worst=tuple(ranked[::-1][:SHOWN_FILMS]),
        best=tuple(ranked[:SHOWN_FILMS]),
    )


def show(ledger: ForecastLedger, scores: Sequence[Score], day: date, min_votes: int) -> None:
    """Put the track record, with what the newest check for drift found, where readers look."""
    drift = ledger.newest_drift()
    alerts = drift.alerts if drift else ()
    record = track_record(scores, day, min_votes).model_copy(update={"alerts": alerts})
    ledger.show(TRACK_RECORD_KEY, record)


def newest(scores: Iterable[Score]) -> list[Score]:
    """Of each film the score of the latest day, by release date."""
    found: dict[int, Score] = {}
    for each in sorted(scores, key=lambda each: (each.day, each.mark)):
        found[each.film_id] = each
    return sorted(found.values(), key=lambda each: (each.release_date, each.film_id))


def figures(scores: Sequence[Score]) -> Figures:
    """How far off some forecasts were, and what needs no model; one at least."""
    errors = np.asarray([each.error for each in scores])
    named = set.intersection(*(set(each.baselines) for each in scores))
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
            for name in sorted(named)
        },
    )


def month_of(score: Score) -> str:
    """The month in which a film opened, as YYYY-MM."""
    return score.release_date.isoformat()[:7]


def _parts(films: Sequence[Score], counted: Sequence[Score]) -> Iterator[Part]:
    yield from _grouped("month", films, month_of)
    for kind, name_of in (("genre", lambda each: each.genre), ("language", _language)):
        sizes = Counter(filter(None, map(name_of, films)))
        large = {name for name, count in sizes.most_common(_LARGEST_PARTS) if count >= MIN_PART}
        yield from _grouped(kind, [each for each in films if name_of(each) in large], name_of)
    for low, high in pairwise((*VOTE_BANDS, np.inf)):
        if band := [each for each in films if low <= each.votes < high]:
            yield Part(kind="votes", name=f"from {low}", figures=figures(band))
    yield from _grouped("mark", counted, lambda each: each.mark)


def _language(score: Score) -> str | None:
    return score.language


def _grouped(
    kind: str, scores: Iterable[Score], name_of: Callable[[Score], str | None]
) -> Iterator[Part]:
    groups: dict[str, list[Score]] = {}
    for each in scores:
        groups.setdefault(name_of(each) or "", []).append(each)
    for name in sorted(groups):
        yield Part(kind=kind, name=name, figures=figures(groups[name]))


def _calibration(films: Sequence[Score]) -> Iterator[CalibrationBin]:
    order = sorted(films, key=lambda each: (each.rating, each.film_id))
    count = min(_CALIBRATION_BINS, len(order) // MIN_PART)
    for rows in np.array_split(np.arange(len(order)), count) if count else []:
        part = [order[row] for row in rows]
        yield CalibrationBin(
            forecast=_rounded(np.mean([each.rating for each in part])),
            actual=_rounded(np.mean([each.actual for each in part])),
            films=len(part),
        )


def _rounded(value: float | np.floating) -> float:
    return round(float(value), 4)
