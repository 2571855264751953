"""The folds: years before the split, each forecast from older films only (rolling origin).

Years are counted backwards from the split: year 1 is the last one before it, and the hold-out films
have year 0.
"""

import numpy as np
import numpy.typing as npt

from scripts.dataset.split import Ratings
from scripts.parameters import FOLDS, MIN_FILMS, MIN_VOTES_TO_LEARN, MIN_VOTES_TO_MEASURE

Years = npt.NDArray[np.int64]


def evaluation_rows(years: Years, votes: Ratings, fold: range) -> npt.NDArray[np.bool_]:
    """Which films evaluate the forecasts of a fold: those of its years with enough votes."""
    return (years >= fold.start) & (years < fold.stop) & (votes >= MIN_VOTES_TO_MEASURE)


def fold_years(years: Years, votes: Ratings, first_year: int) -> list[range]:
    """Choose the folds, newest first: one year each, or several years if one has too few films.

    Args:
        years: Years from each film's release to the split, rounded up; (films,).
        votes: TMDB's `vote_count`; (films,).
        first_year: The oldest year that has feature vectors; older films are not trained on.
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
