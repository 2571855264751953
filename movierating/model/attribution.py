"""The reasons for a forecast: how many rating points each feature group contributes.

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

# The group of each feature, by its name, or by the part of the name before or after the `=`.
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
    """Return the group of a feature; None for the sum of all effects, which has no single group."""
    kind, _, wanted = feature.partition("=")
    name = wanted if kind in {"effect", *PAST_RATINGS} else kind
    return None if feature == ALL_EFFECTS else GROUPS[name]


def explain(model: Model, vector: Matrix, features: Sequence[str]) -> dict[str, float]:
    """Return the contribution of each group with known facts, in rating points.

    Args:
        model: The model whose forecast is explained.
        vector: The film, shape (1, features).
        features: Names of the features.

    Returns:
        Contributions by group, the largest absolute value first. They add up to the film's forecast
        minus the forecast for a film without known facts.
    """
    columns = _columns(tuple(features))
    # Unknown groups contribute nothing; leaving them out saves forecasts.
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
    """Return vectors with only some facts visible; the others become NaN.

    The sum of all effects is computed again, so that it does not reveal masked effects.

    Args:
        matrix: The films, shape (rows, features), or one film for all rows, shape (1, features).
        visible: Which facts stay, shape (rows, features).
        features: Names of the features.
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


# This and the next two are cached, because they depend only on the number of groups.
@cache
def _coalitions(count: int) -> dict[frozenset[int], int]:
    """All sets of groups that are visible at some step of a cyclic order, and a row for each.

    Such a set is a run of neighbours in a circle of the groups, from none of them to all.
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
    """Which groups each coalition has, shape (coalitions, groups)."""
    return np.asarray([[group in each for group in range(count)] for each in _coalitions(count)])


@cache
def _weights(count: int) -> npt.NDArray[np.float64]:
    """The matrix that turns the coalitions' forecasts into contributions, (groups, coalitions).

    A group's contribution is what it adds on average over all rotations and reversed rotations.
    """
    row = _coalitions(count)
    weights = np.zeros((count, len(row)))
    for group, length, step in product(range(count), range(count), (-1, 1)):
        others = frozenset((group + step * (1 + at)) % count for at in range(length))
        weights[group, row[others | {group}]] += 1
        weights[group, row[others]] -= 1
    return weights / (2 * count)
