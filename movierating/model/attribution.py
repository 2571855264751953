"""The reasons for a forecast: how many rating points each feature group contributes.

The method approximates Shapley values:

1. Start from a film without known facts and reveal the feature groups one after the other.
2. Note by how much each newly revealed group changes the forecast.
3. Repeat this with every rotation of the order and of the reversed order, and average per group.

The contributions add up exactly to the whole change, and each group takes every position equally
often. Source: cyclic orders in Mitchell et al., Sampling Permutations for Shapley Value Estimation,
JMLR 23, 2022.
"""

from collections.abc import Mapping, Sequence
from functools import cache
from itertools import product
from typing import Final

import numpy as np
import numpy.typing as npt

from movierating.model.features import Matrix
from movierating.model.onnx_model import Model
from movierating.model.target_encoding import ADDED_EFFECTS, ALL_EFFECTS, PAST_RATINGS

Mask = npt.NDArray[np.bool_]

# The group of each feature. The key is the feature's name, or for a name such as `genre=Drama` or
# `effect=director` the part that names the fact: `genre`, `director`.
GROUPS: Final[Mapping[str, str]] = {
    "runtime_minutes": "length",
    "runtime": "length",
    "overview_len": "plot",
    "overview_sentiment": "plot",
    "overview_subjectivity": "plot",
    "plot": "plot",
    "plot_meaning": "plot",
    "plot_score": "plot",
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
_EFFECTS: Final = frozenset(ADDED_EFFECTS)


def group_of(feature: str) -> str | None:
    """Return a feature's group, such as `plot` for the length of the plot.

    The result is None for the feature "sum of all effects", because it belongs to every group.
    """
    kind, _, wanted = feature.partition("=")
    name = wanted if kind in {"effect", *PAST_RATINGS} else kind
    return None if feature == ALL_EFFECTS else GROUPS[name]


def explain(model: Model, vector: Matrix, features: Sequence[str]) -> dict[str, float]:
    """Return how many rating points each feature group contributes to one film's forecast.

    Args:
        model: The model whose forecast is explained.
        vector: The film's feature vector, shape (1, features); NaN where a fact is unknown.
        features: Names of the features, in the order of the vector.

    Returns:
        Contributions by group, the largest absolute value first; groups without known facts are
        left out. The sum is the film's forecast minus the forecast for a film without known facts.
    """
    columns = _columns(tuple(features))
    # Groups without known facts contribute nothing. Leaving them out means fewer model calls.
    known = [group for group, at in columns.items() if not np.isnan(vector[0, at]).all()]
    if not known:
        return {}
    members, weights = _members(len(known)), _weights(len(known))
    visible = np.zeros((len(members), vector.shape[1]), np.bool_)
    for at, group in enumerate(known):
        visible[:, columns[group]] = members[:, at, None]
    ratings = model.forecast(mask_features(vector, visible, features)).astype(float)
    points = dict(zip(known, (weights @ ratings).tolist(), strict=True))
    return dict(sorted(points.items(), key=lambda each: (-abs(each[1]), each[0])))


def mask_features(matrix: Matrix, visible: Mask, features: Sequence[str]) -> Matrix:
    """Return a copy of the vectors in which masked features are NaN (unknown).

    The feature "sum of all effects" is computed again, so that it does not reveal masked effects.

    Args:
        matrix: One vector per row, shape (rows, features), or one vector that is used for all rows,
            shape (1, features).
        visible: True where a feature keeps its value, False where it is masked; (rows, features).
        features: Names of the features, in the order of the columns.
    """
    rows = np.where(visible, matrix, np.float32(np.nan))
    if ALL_EFFECTS in features:
        effects = [at for at, name in enumerate(features) if name in _EFFECTS]
        hidden = np.where(visible[:, effects], 0, np.nan_to_num(matrix[:, effects]))
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


# This function and the next two are cached, because they depend only on the number of groups.
@cache
def _coalitions(count: int) -> dict[frozenset[int], int]:
    """Return every set of groups that can be visible together, with the set's number from 0.

    The groups are revealed in cyclic order, so a visible set is always a run of neighbours in a
    circle, from no group to all groups.
    """
    runs = {
        frozenset((start + step) % count for step in range(length))
        for start in range(count)
        for length in range(count + 1)
    }
    ranked = sorted(runs, key=lambda run: (len(run), sorted(run)))
    return {run: row for row, run in enumerate(ranked)}


@cache
def _members(count: int) -> Mask:
    """Return whether each group is in each set of `_coalitions`, shape (coalitions, groups)."""
    return np.asarray([[group in each for group in range(count)] for each in _coalitions(count)])


@cache
def _weights(count: int) -> npt.NDArray[np.float64]:
    """Return the matrix that turns forecasts into contributions, shape (groups, coalitions).

    There is one forecast for each set in `_coalitions`. A group's contribution is the mean change
    of the forecast when it is revealed, over all rotations and reversed rotations.
    """
    row = _coalitions(count)
    weights = np.zeros((count, len(row)))
    for group, length, step in product(range(count), range(count), (-1, 1)):
        others = frozenset((group + step * (1 + at)) % count for at in range(length))
        weights[group, row[others | {group}]] += 1
        weights[group, row[others]] -= 1
    return weights / (2 * count)
