"""The model families, such as LightGBM: how to fit, convert to ONNX, and tune each of them.

To add a family, add it to `ModelType` and `ModelConfig` in `scripts/parameters.py` and to
`FAMILIES` here.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Protocol

import numpy as np
import numpy.typing as npt
from lightgbm import LGBMRegressor
from sklearn.impute import SimpleImputer
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from xgboost import XGBRegressor, XGBRFRegressor

from movierating.errors import ExplainedError
from movierating.model.features import Matrix
from scripts.parameters import SEED, ModelType
from scripts.training.onnx_graphs import Converter, lightgbm_graph, sklearn_graph, xgboost_graph

if TYPE_CHECKING:
    from optuna import Trial  # only tuning needs it

Targets = npt.NDArray[np.float64]
Parameters = Mapping[str, Any]


class Regressor(Protocol):
    """A fitted model that predicts one number per row."""

    def predict(self, X: Any) -> Any:  # noqa: N803 - sklearn's name
        """Predict one value per row of `X`; shape (rows,)."""
        ...


Fit = Callable[[Parameters, Any, Targets, Targets], Regressor]


@dataclass(frozen=True)
class ModelFamily:
    """A kind of regressor. Every family must be deterministic and accept missing values.

    Attributes:
        fit: Function from parameters, matrix, targets and sample weights to a fitted estimator.
        convert: Function from a fitted estimator to an ONNX graph.
        suggest: Function that chooses the parameters of a tuning trial from the search space.
    """

    fit: Fit
    convert: Converter
    suggest: "Callable[[Trial], dict[str, Any]]"


class UnknownFamilyError(ExplainedError, ValueError):
    """A model family has no entry in `FAMILIES`."""

    def __init__(self, name: str) -> None:
        """Create the error; its message has the unknown family and the list of known families."""
        super().__init__(f"unknown model family {name!r}; known families: {', '.join(FAMILIES)}")


def family_named(name: ModelType) -> ModelFamily:
    """Look up a model family in `FAMILIES`.

    Raises:
        UnknownFamilyError: The name has no entry in `FAMILIES`.
    """
    if family := FAMILIES.get(name):
        return family
    raise UnknownFamilyError(name)


@dataclass(frozen=True)
class Correction:
    """A model whose forecast is one feature plus the output of a regressor.

    The feature is the sum of effects; the regressor predicts how much it must be corrected.

    Attributes:
        regressor: Predicts the rating minus the feature.
        column: The column of the feature in the matrix.
    """

    regressor: Regressor
    column: int

    def predict(self, X: Any) -> Any:  # noqa: N803 - sklearn's name
        """Forecast one rating per row of `X`; shape (rows,)."""
        return X[:, self.column] + self.regressor.predict(X)


def fit_correction(  # noqa: PLR0913, PLR0917 - the arguments of a regression, and its feature
    family: ModelType,
    parameters: Parameters,
    matrix: Matrix,
    targets: Targets,
    weights: Targets,
    column: int,
) -> Correction:
    """Fit a model of one family to the targets minus the feature in `column`."""
    residuals = targets - matrix[:, column]
    return Correction(fit_regressor(family, parameters, matrix, residuals, weights), column)


def fit_regressor(
    family: ModelType, parameters: Parameters, matrix: Any, targets: Targets, weights: Targets
) -> Regressor:
    """Fit a model of one family; the same arguments always give the same model.

    Args:
        family: Name of the family.
        parameters: Parameters of its estimator.
        matrix: Features, shape (rows, features); NaN where unknown.
        targets: Values to predict; shape (rows,).
        weights: Sample weights; shape (rows,).

    Raises:
        UnknownFamilyError: The family has no entry in `FAMILIES`.
    """
    return family_named(family).fit(parameters, matrix, targets, weights)


# All families use one thread. With more threads, rounding errors of sums would depend on the number
# of cores. One thread is also the fastest while Airflow runs on the same machine.


def _fit_xgboost(
    parameters: Parameters, matrix: Any, targets: Targets, weights: Targets
) -> Regressor:
    model: Any = XGBRegressor(**parameters, random_state=SEED, n_jobs=1)
    fitted: Regressor = model.fit(matrix, targets, sample_weight=weights)
    return fitted


def _fit_lightgbm(
    parameters: Parameters, matrix: Any, targets: Targets, weights: Targets
) -> Regressor:
    steady: dict[str, Any] = {"deterministic": True, "force_row_wise": True, "verbose": -1}
    model: Any = LGBMRegressor(**parameters, random_state=SEED, n_jobs=1, **steady)
    fitted: Regressor = model.fit(matrix, targets, sample_weight=weights)
    return fitted


def _fit_forest(
    parameters: Parameters, matrix: Any, targets: Targets, weights: Targets
) -> Regressor:
    # This random forest is XGBoost's, because it accepts missing values and its ONNX form is exact.
    model: Any = XGBRFRegressor(**parameters, random_state=SEED, n_jobs=1)
    fitted: Regressor = model.fit(matrix, targets, sample_weight=weights)
    return fitted


def _fit_ridge(
    parameters: Parameters, matrix: Any, targets: Targets, weights: Targets
) -> Regressor:
    # Ridge does not accept missing values, so each becomes the mean of the feature's known values.
    imputer = SimpleImputer(keep_empty_features=True)
    model: Any = make_pipeline(imputer, StandardScaler(), Ridge(**parameters))
    fitted: Regressor = model.fit(matrix, targets, ridge__sample_weight=weights)
    return fitted


def _boosting_space(trial: "Trial") -> dict[str, Any]:
    return {
        "n_estimators": trial.suggest_int("n_estimators", 50, 1200, step=50),
        "learning_rate": trial.suggest_float("learning_rate", 0.01, 0.1, log=True),
        "subsample": trial.suggest_float("subsample", 0.4, 1.0),
        "reg_lambda": trial.suggest_float("reg_lambda", 0.1, 100, log=True),
    }


def _xgboost_space(trial: "Trial") -> dict[str, Any]:
    return _boosting_space(trial) | {
        "max_depth": trial.suggest_int("max_depth", 2, 8),
        "colsample_bytree": trial.suggest_float("colsample_bytree", 0.1, 0.8),
        "min_child_weight": trial.suggest_float("min_child_weight", 1, 50, log=True),
    }


def _lightgbm_space(trial: "Trial") -> dict[str, Any]:
    return _boosting_space(trial) | {
        "num_leaves": trial.suggest_int("num_leaves", 4, 64, log=True),
        "colsample_bytree": trial.suggest_float("colsample_bytree", 0.1, 0.8),
        "min_child_samples": trial.suggest_int("min_child_samples", 5, 100, log=True),
    }


def _forest_space(trial: "Trial") -> dict[str, Any]:
    return {
        "n_estimators": trial.suggest_int("n_estimators", 25, 300, step=25),
        "max_depth": trial.suggest_int("max_depth", 5, 11),
        "subsample": trial.suggest_float("subsample", 0.4, 1.0),
        "colsample_bynode": trial.suggest_float("colsample_bynode", 0.1, 0.8),
        "min_child_weight": trial.suggest_float("min_child_weight", 0.5, 20, log=True),
    }


def _ridge_space(trial: "Trial") -> dict[str, Any]:
    return {"alpha": trial.suggest_float("alpha", 0.1, 1000, log=True)}


FAMILIES: Final[Mapping[ModelType, ModelFamily]] = {
    "xgboost": ModelFamily(_fit_xgboost, xgboost_graph, _xgboost_space),
    "lgbm": ModelFamily(_fit_lightgbm, lightgbm_graph, _lightgbm_space),
    "rf": ModelFamily(_fit_forest, xgboost_graph, _forest_space),
    "linear": ModelFamily(_fit_ridge, sklearn_graph, _ridge_space),
}
