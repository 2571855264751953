"""Compute the 80 % interval of a forecast: wider for films that are hard to forecast.

The method is split-conformal prediction with normalised scores (Lei et al., Distribution-Free
Predictive Inference for Regression, 2018, section 5.2):

1. A second model, the error model, predicts the absolute error of a forecast.
2. The actual error is divided by the predicted one, for films that neither model was trained on.
3. The half-width of an interval is a quantile of these ratios times the predicted error.

Both the error model and the quantile are computed from the folds before the split date.
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
    """A model that predicts the absolute error of a forecast, and the factor for the interval.

    Attributes:
        regressor: Predicts the absolute error, in rating points.
        quantile: Interval half-width as a multiple of the predicted error.
    """

    regressor: Regressor
    quantile: float


def fit_error_model(folds: Sequence[Fold]) -> ErrorModel:
    """Fit the error model on all folds, and compute the quantile for its intervals.

    For the quantile, the errors of each fold are predicted by a model fitted on the other folds.
    """
    parts = [_Part.of(fold) for fold in folds]
    ratios = np.concatenate([_error_ratios(part, _others(part, parts)) for part in parts])
    # The rank of the ratio that guarantees the coverage for a new film; limited to the last rank.
    rank = min(len(ratios), int(np.ceil((len(ratios) + 1) * COVERAGE)))
    return ErrorModel(_fit(parts), round(float(np.sort(ratios)[rank - 1]), 6))


@dataclass(frozen=True)
class _Part:
    matrix: Matrix
    sizes: Ratings

    @classmethod
    def of(cls, fold: Fold) -> "_Part":
        """Join the vectors of a fold's films in three views, and the absolute errors in each view.

        The first view has all facts of a film, the second only those in the UI's form, and the
        third only some of those. The interval must be right in all three.
        """
        errors = (fold.errors, fold.form_errors, fold.masked_errors)
        return cls(np.vstack(fold.films.views), np.abs(np.concatenate(errors)))


def _others(part: _Part, parts: Sequence[_Part]) -> Sequence[_Part]:
    """Return all parts except `part`; if there is no other part, return `part` itself."""
    return [other for other in parts if other is not part] or parts


def _error_ratios(part: _Part, others: Sequence[_Part]) -> Ratings:
    predicted = np.maximum(_fit(others).predict(part.matrix), SMALLEST_ERROR)
    ratios: Ratings = part.sizes / predicted
    return ratios


def _fit(parts: Sequence[_Part]) -> Regressor:
    matrix = np.vstack([part.matrix for part in parts])
    sizes = np.concatenate([part.sizes for part in parts])
    return fit_regressor("lgbm", dict(ERROR_MODEL), matrix, sizes, np.ones(len(sizes)))
