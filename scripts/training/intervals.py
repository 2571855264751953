"""Estimate the distribution of a forecast's error: wider for films that are hard to forecast.

The method is split-conformal prediction with normalised scores (Lei et al., Distribution-Free
Predictive Inference for Regression, 2018, section 5.2):

1. A second model, the error model, predicts the absolute error of a forecast.
2. The actual error is divided by the predicted one, for films that neither model was trained on.
3. The half-width is the quantile of the absolute ratios that contains 80 % of them, times the
   predicted error. It is the unit of the normalised errors.
4. The quantiles of the normalised errors, with their sign, are the distribution. The 80 % interval
   reaches from the 10th to the 90th percentile.

Both the error model and the quantiles are computed from the folds before the split date.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from movierating.model.distribution import NormalisedErrors
from movierating.model.features import Matrix
from movierating.model.onnx_model import SMALLEST_ERROR
from movierating.registry.manifest import COVERAGE
from scripts.dataset.split import Ratings
from scripts.parameters import ERROR_MODEL
from scripts.training.models import Regressor, fit_regressor
from scripts.training.selection import Fold


@dataclass(frozen=True)
class ErrorModel:
    """A model that predicts the absolute error of a forecast, and the distribution around it.

    Attributes:
        regressor: Predicts the absolute error, in rating points.
        quantile: Half-width as a multiple of the predicted error.
        errors: The distribution of the errors divided by the half-widths.
    """

    regressor: Regressor
    quantile: float
    errors: NormalisedErrors


def fit_error_model(folds: Sequence[Fold]) -> ErrorModel:
    """Fit the error model on all folds, and compute the distribution of the normalised errors.

    For the distribution, the size of each fold's errors is predicted by a model fitted on the other
    folds.
    """
    parts = [_Part.of(fold) for fold in folds]
    errors = np.concatenate([part.errors for part in parts])
    sizes = np.concatenate([_predicted_sizes(part, _others(part, parts)) for part in parts])
    ratios = np.abs(errors) / sizes
    # The rank of the ratio that guarantees the coverage for a new film; limited to the last rank.
    rank = min(len(ratios), int(np.ceil((len(ratios) + 1) * COVERAGE)))
    quantile = round(float(np.sort(ratios)[rank - 1]), 6)
    # The errors of folds are forecast minus rating, so the sign changes.
    return ErrorModel(_fit(parts), quantile, NormalisedErrors.of(-errors, quantile * sizes))


@dataclass(frozen=True)
class _Part:
    matrix: Matrix
    errors: Ratings

    @classmethod
    def of(cls, fold: Fold) -> "_Part":
        """Join the vectors of a fold's films in three views, and the errors in each view.

        The first view has all facts of a film, the second only those in the UI's form, and the
        third only some of those. The interval must be right in all three.
        """
        errors = (fold.errors, fold.form_errors, fold.masked_errors)
        return cls(np.vstack(fold.films.views), np.concatenate(errors))


def _others(part: _Part, parts: Sequence[_Part]) -> Sequence[_Part]:
    """Return all parts except `part`; if there is no other part, return `part` itself."""
    return [other for other in parts if other is not part] or parts


def _predicted_sizes(part: _Part, others: Sequence[_Part]) -> Ratings:
    sizes: Ratings = np.maximum(_fit(others).predict(part.matrix), SMALLEST_ERROR)
    return sizes


def _fit(parts: Sequence[_Part]) -> Regressor:
    matrix = np.vstack([part.matrix for part in parts])
    sizes = np.abs(np.concatenate([part.errors for part in parts]))
    return fit_regressor("lgbm", dict(ERROR_MODEL), matrix, sizes, np.ones(len(sizes)))
