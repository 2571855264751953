"""The past of people, companies and franchises: their films until a date, and how these were rated.

An effect says how far to believe in somebody, all else being equal. The past beside it says what it
rests on: the trees learn from it that a tenth film tells more than a second, and that a long list
of famous leads promises less than the sum of their effects.
"""

import numpy as np
from scipy import sparse

from scripts.training.vocabulary import DIGITS, Floats


def past_ratings(tokens: sparse.csr_matrix, ratings: Floats, days_old: Floats) -> Floats:
    """The numbers named by `PAST_RATINGS` of each token, shape (tokens, 3); zeros without films.

    Args:
        tokens: Of films, shape (films, tokens).
        ratings: Of the films; (films,).
        days_old: Since they opened; (films,).
    """
    oldest_first = np.argsort(-days_old, kind="stable")
    rows = tokens[oldest_first]
    rating = np.repeat(ratings[oldest_first], np.diff(rows.indptr))
    films = np.bincount(rows.indices, minlength=rows.shape[1])
    total = np.bincount(rows.indices, rating, minlength=rows.shape[1])
    latest = np.zeros(len(films))
    latest[rows.indices] = rating  # the newest film comes last, and stays
    pasts = np.stack([np.log1p(films), total / np.maximum(films, 1), latest], axis=1)
    return np.round(pasts, DIGITS)


def mean_past_ratings(tokens: sparse.csr_matrix, pasts: Floats) -> Floats:
    """The mean past of the tokens of films, shape (films, 3).

    A film of newcomers has zero films behind it, and no ratings: NaN.
    """
    count = tokens.getnnz(axis=1)
    found = sparse.csr_matrix((np.ones(tokens.nnz), tokens.indices, tokens.indptr), tokens.shape)
    means: Floats = found @ pasts / np.maximum(count, 1)[:, None]
    means[count == 0, 1:] = np.nan
    return means
