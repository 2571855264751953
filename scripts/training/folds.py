"""Choose the folds: years before the split date, to evaluate models trained on older films.

This is a rolling-origin evaluation. Years are counted backwards from the split date: year 1 is the
last year before it, and the hold-out films have year 0.
"""

import numpy as np
import numpy.typing as npt

from scripts.dataset.split import Ratings
from scripts.parameters import FOLDS, MIN_FILMS, MIN_VOTES_TO_LEARN, MIN_VOTES_TO_MEASURE

Years = npt.NDArray[np.int64]


def evaluation_rows(years: Years, votes: Ratings, fold: range) -> npt.NDArray[np.bool_]:
    """Return true for the films of a fold that have enough votes to evaluate on.

    The shape of the result is (films,).
    """
    return (years >= fold.start) & (years < fold.stop) & (votes >= MIN_VOTES_TO_MEASURE)


def fold_years(years: Years, votes: Ratings, first_year: int) -> list[range]:
    """Choose the folds, newest first.

    A fold is one year, or several years together if one year has too few films.

    Args:
        years: Years from each film's release to the split date, rounded up; shape (films,).
        votes: TMDB's `vote_count`; shape (films,).
        first_year: The oldest year that has feature vectors; models do not train on older films.

    Returns:
        Each fold as a range of years; `range(1, 2)` is the last year before the split date.
    """
    folds: list[range] = []
    start = 1
    for year in range(1, first_year):
        fold = range(start, year + 1)
        older = (years > year) & (years <= first_year) & (votes >= MIN_VOTES_TO_LEARN)
        enough = min(evaluation_rows(years, votes, fold).sum(), older.sum()) >= MIN_FILMS
        if enough and len(folds) < FOLDS:
            folds.append(fold)
            start = fold.stop
    return folds
