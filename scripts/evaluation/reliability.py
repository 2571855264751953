"""Find kinds of films whose forecasts are biased, or whose intervals are wrong, beyond chance.

The films of the folds and the hold-out films are taken together, because a language has few
hold-out films. The models that forecast them had not learned from them.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Self

import numpy as np
import numpy.typing as npt

from movierating.model.distribution import intervals
from movierating.model.features import Matrix
from movierating.model.onnx_model import Model
from movierating.registry.evidence import SubgroupReliability
from movierating.registry.manifest import COVERAGE
from scripts.dataset.split import Ratings
from scripts.training.selection import Fold
from scripts.training.vectors import FilmVectors

MIN_SUBGROUP: Final = 20  # films
# With about forty kinds of films and two tests each, fewer than one alarm per model is by chance.
_SIGNIFICANCE: Final = 0.01
_EQUAL: Final = 1e-6  # rating points; the t-test needs errors that differ
# Smaller deviations are of no use to a reader, even if they are not by chance.
_SMALLEST_BIAS: Final = 0.1  # rating points
_SMALLEST_GAP: Final = 0.05  # between the coverage and 80 %


@dataclass(frozen=True)
class ForecastFilms:
    """Films that were forecast by models that had not learned from them.

    Attributes:
        matrix: Feature vectors with all facts, shape (films, features).
        errors: Forecast minus rating, shape (films,).
        inside: Whether the rating lies in the 80 % interval, shape (films,).
    """

    matrix: Matrix
    errors: Ratings
    inside: npt.NDArray[np.bool_]

    @classmethod
    def of(cls, model: Model, folds: Sequence[Fold], holdout: FilmVectors) -> Self:
        """Join the films of the folds and the hold-out films.

        Args:
            model: Forecasts the hold-out films, and the half-widths for all films.
            folds: The folds, with the errors of the models that were trained on older films.
            holdout: The hold-out films.
        """
        forecast = model.forecast(holdout.full).astype(float)
        films = [*(fold.films for fold in folds), holdout]
        matrix = np.vstack([each.full for each in films])
        ratings = np.concatenate([each.ratings for each in films])
        errors = np.concatenate([*(fold.errors for fold in folds), forecast - holdout.ratings])
        low, high = intervals(ratings + errors, model.half_widths(matrix), model.errors)
        return cls(matrix, errors, (low <= ratings) & (ratings <= high))


def reliability(films: ForecastFilms, features: Sequence[str]) -> tuple[SubgroupReliability, ...]:
    """Test each language and genre that the model has a feature for, if it has enough films."""
    return tuple(
        _tested(kind, name, films.errors[rows], films.inside[rows])
        for kind, name, rows in _subgroups(films.matrix, features)
    )


def _subgroups(
    matrix: Matrix, features: Sequence[str]
) -> Iterator[tuple[str, str, npt.NDArray[np.bool_]]]:
    for at, feature in enumerate(features):
        kind, _, name = feature.partition("=")
        rows = matrix[:, at] == 1
        if kind in {"language", "genre"} and rows.sum() >= MIN_SUBGROUP:
            yield kind, name, rows


def _tested(
    kind: str, name: str, errors: Ratings, inside: npt.NDArray[np.bool_]
) -> SubgroupReliability:
    from scipy.stats import binomtest, ttest_1samp  # here, because the import takes a second

    bias, coverage = float(errors.mean()), float(inside.mean())
    by_chance = float(ttest_1samp(errors, 0).pvalue) if errors.std() > _EQUAL else 0.0
    covered_by_chance = float(binomtest(int(inside.sum()), len(inside), COVERAGE).pvalue)
    return SubgroupReliability(
        kind=kind,
        name=name,
        films=len(errors),
        bias=round(bias, 3),
        coverage=round(coverage, 3),
        biased=by_chance < _SIGNIFICANCE and abs(bias) >= _SMALLEST_BIAS,
        badly_covered=covered_by_chance < _SIGNIFICANCE
        and abs(coverage - COVERAGE) >= _SMALLEST_GAP,
    )
