"""Why a film gets its rating: what each group of facts adds to the rating of the average film.

The method approximates Shapley values: it reveals the groups one after the other, in every rotation
of their order and of the reversed order, and averages what each group adds to the forecast (cyclic
orders, after Mitchell et al., Sampling Permutations for Shapley Value Estimation, JMLR 23, 2022).
The contributions therefore add up exactly, and each group takes every position equally often.
"""

from collections.abc import Mapping, Sequence
from functools import cache
from itertools import product
from typing import Final

import numpy as np
import numpy.typing as npt

from movierating.model.features import Matrix
from movierating.model.onnx_model import Model
from movierating.model.target_encoding import ALL_EFFECTS, EFFECT_FEATURES, PAST_RATINGS

Mask = npt.NDArray[np.bool_]

# What a feature tells of, by its name or by what stands before or after its `=`.
GROUPS: Final[Mapping[str, str]] = {
    "runtime_minutes": "length",
    "runtime": "length",
    "overview_len": "plot",
    "overview_sentiment": "plot",
    "overview_subjectivity": "plot",
    "plot": "plot",
    "title": "title",
    "keyword": "keywords",
    "release_year": "season",
    "release_month": "season",
    "budget_usd": "budget",
    "budget": "budget",
    "genre": "genre",
    "genre_pair": "genre",
    "language": "language",
    "country": "language",
    "director": "people",
    "writer": "people",
    "cast": "people",
    "company": "company",
    "franchise": "franchise",
}
_EFFECTS: Final = frozenset(EFFECT_FEATURES.values())


def group_of(feature: str) -> str | None:
    """The group of a feature; None for the sum of all effects, which tells of everything."""
    kind, _, wanted = feature.partition("=")
    name = wanted if kind in {"effect", *PAST_RATINGS} else kind
    return None if feature == ALL_EFFECTS else GROUPS[name]


def explain(model: Model, vector: Matrix, features: Sequence[str]) -> dict[str, float]:
    """What each known group adds, in rating points.

    Args:
        model: What forecasts.
        vector: The film, shape (1, features).
        features: Their names.

    Returns:
        By group, the largest first; the sum is the film's rating minus that of a film of which
        nothing is known.
    """
    columns = _columns(tuple(features))
    known = [group for group, at in columns.items() if not np.isnan(vector[0, at]).all()]
    if not known:
        return {}
    arcs, shares = _arcs(len(known)), _shares(len(known))
    shown = np.zeros((len(arcs), vector.shape[1]), np.bool_)
    for at, group in enumerate(known):
        shown[:, columns[group]] = arcs[:, at, None]
    ratings = model.forecast(mask_features(vector, shown, features)).astype(float)
    points = dict(zip(known, (shares @ ratings).tolist(), strict=True))
    return dict(sorted(points.items(), key=lambda each: (-abs(each[1]), each[0])))


def mask_features(matrix: Matrix, shown: Mask, features: Sequence[str]) -> Matrix:
    """Films with only some of their facts shown; the sum of their effects follows.

    Args:
        matrix: The films, shape (rows, features), or one for all rows.
        shown: Which facts, shape (rows, features).
        features: Their names.
    """
    rows = np.where(shown, matrix, np.float32(np.nan))
    if ALL_EFFECTS in features:
        effects = [at for at, name in enumerate(features) if name in _EFFECTS]
        hidden = np.where(shown[:, effects], 0, np.nan_to_num(matrix[:, effects]))
        rows[:, features.index(ALL_EFFECTS)] = matrix[:, features.index(ALL_EFFECTS)] - hidden.sum(
            axis=1
        )
    return rows


@cache
def _columns(features: tuple[str, ...]) -> dict[str, npt.NDArray[np.intp]]:
    groups = [group_of(name) for name in features]
    return {
        group: np.flatnonzero([each == group for each in groups])
        for group in dict.fromkeys(GROUPS.values())
        if group in groups
    }


@cache
def _runs(count: int) -> dict[frozenset[int], int]:
    """All runs of neighbours in a circle of groups, from none of them to all, and their rows."""
    runs = {
        frozenset((start + step) % count for step in range(length))
        for start in range(count)
        for length in range(count + 1)
    }
    ranked = sorted(runs, key=lambda run: (len(run), sorted(run)))
    return {run: row for row, run in enumerate(ranked)}


@cache
def _arcs(count: int) -> Mask:
    """Which groups each run holds, shape (runs, groups)."""
    return np.asarray([[group in run for group in range(count)] for run in _runs(count)])


@cache
def _shares(count: int) -> npt.NDArray[np.float64]:
    """How the ratings of the runs make the groups' shares, shape (groups, runs).

    A share is what the group adds, on average over all rotations and reversed rotations.
    """
    row = _runs(count)
    shares = np.zeros((count, len(row)))
    for group, length, step in product(range(count), range(count), (-1, 1)):
        others = frozenset((group + step * (1 + at)) % count for at in range(length))
        shares[group, row[others | {group}]] += 1
        shares[group, row[others]] -= 1
    return shares / (2 * count)
