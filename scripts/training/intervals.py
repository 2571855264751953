"""How far off a forecast may be: a conformal interval, wider for films that are hard to forecast.

Split-conformal with normalised scores (Lei et al., Distribution-Free Predictive Inference for
Regression, 2018, section 5.2): a second model learns the size of the error, and the quantile of
error by size is taken on films that neither model learned from. Both come from the rolling-origin
folds before the split.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from movierating.model.features import Matrix
from movierating.model.onnx_model import SMALLEST_ERROR
from movierating.registry.manifest import COVERAGE
from scripts.dataset.split import Ratings
from scripts.parameters import ERROR_MODEL
from scripts.training.models import Regressor, fit_regressor
from scripts.training.selection import Fold


@dataclass(frozen=True)
class ErrorModel:
    """The size of errors, and how many of them hold the promised share of films.

    Attributes:
        regressor: Forecasts the size of the error, in rating points.
        quantile: The half-width of the interval, in such sizes.
    """

    regressor: Regressor
    quantile: float


def fit_error_model(folds: Sequence[Fold]) -> ErrorModel:
    """Learn the size of errors from the folds, and calibrate each fold by the others."""
    parts = [_Part.of(fold) for fold in folds]
    scores = np.concatenate([_scores(part, _others(part, parts)) for part in parts])
    rank = min(len(scores), int(np.ceil((len(scores) + 1) * COVERAGE)))
    return ErrorModel(_fit(parts), round(float(np.sort(scores)[rank - 1]), 6))


@dataclass(frozen=True)
class _Part:
    matrix: Matrix
    sizes: Ratings

    @classmethod
    def of(cls, fold: Fold) -> "_Part":
        """All views of a fold's films, so that the interval holds for any of them."""
        errors = (fold.errors, fold.form_errors, fold.masked_errors)
        return cls(np.vstack(fold.films.views), np.abs(np.concatenate(errors)))


def _others(part: _Part, parts: Sequence[_Part]) -> Sequence[_Part]:
    """The parts that teach when this one calibrates; a single one has to do both."""
    return [other for other in parts if other is not part] or parts


def _scores(part: _Part, teachers: Sequence[_Part]) -> Ratings:
    scores: Ratings = part.sizes / np.maximum(_fit(teachers).predict(part.matrix), SMALLEST_ERROR)
    return scores


def _fit(parts: Sequence[_Part]) -> Regressor:
    matrix = np.vstack([part.matrix for part in parts])
    sizes = np.concatenate([part.sizes for part in parts])
    return fit_regressor("lgbm", dict(ERROR_MODEL), matrix, sizes, np.ones(len(sizes)))
