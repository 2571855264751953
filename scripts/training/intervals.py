"""The 80 % interval of forecasts, wider for films that are hard to forecast.

The method is split-conformal prediction with normalised scores (Lei et al., Distribution-Free
Predictive Inference for Regression, 2018, section 5.2). A second model predicts the absolute error.
The ratio of actual to predicted error is computed on films that neither model was trained on, and
the interval's half-width is a quantile of these ratios times the predicted error. Both the model
and the quantile come from the folds before the split.
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
    """A model of the absolute error, and the factor that turns it into an interval.

    Attributes:
        regressor: Predicts the absolute error, in rating points.
        quantile: Interval half-width as a multiple of the predicted error.
    """

    regressor: Regressor
    quantile: float


def fit_error_model(folds: Sequence[Fold]) -> ErrorModel:
    """Fit the error model on all folds, and calibrate each fold with a model of the others."""
    parts = [_Part.of(fold) for fold in folds]
    ratios = np.concatenate([_error_ratios(part, _others(part, parts)) for part in parts])
    # The rank that guarantees the coverage for a new film, at most the largest ratio.
    rank = min(len(ratios), int(np.ceil((len(ratios) + 1) * COVERAGE)))
    return ErrorModel(_fit(parts), round(float(np.sort(ratios)[rank - 1]), 6))


@dataclass(frozen=True)
class _Part:
    matrix: Matrix
    sizes: Ratings

    @classmethod
    def of(cls, fold: Fold) -> "_Part":
        """All three views of a fold's films, so that the interval holds for each view."""
        errors = (fold.errors, fold.form_errors, fold.masked_errors)
        return cls(np.vstack(fold.films.views), np.abs(np.concatenate(errors)))


def _others(part: _Part, parts: Sequence[_Part]) -> Sequence[_Part]:
    """The other parts; a single part has to serve for both fitting and calibration."""
    return [other for other in parts if other is not part] or parts


def _error_ratios(part: _Part, others: Sequence[_Part]) -> Ratings:
    predicted = np.maximum(_fit(others).predict(part.matrix), SMALLEST_ERROR)
    ratios: Ratings = part.sizes / predicted
    return ratios


def _fit(parts: Sequence[_Part]) -> Regressor:
    matrix = np.vstack([part.matrix for part in parts])
    sizes = np.concatenate([part.sizes for part in parts])
    return fit_regressor("lgbm", dict(ERROR_MODEL), matrix, sizes, np.ones(len(sizes)))
