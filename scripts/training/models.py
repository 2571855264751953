"""The model families: how each is made, and how it becomes ONNX."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol

import numpy as np
import numpy.typing as npt
from lightgbm import Booster, LGBMRegressor
from onnx import TensorProto, helper, numpy_helper
from onnxmltools import convert_lightgbm, convert_xgboost
from onnxmltools.convert.common.data_types import FloatTensorType
from skl2onnx import convert_sklearn
from skl2onnx.common import data_types
from sklearn.impute import SimpleImputer
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from xgboost import XGBRegressor, XGBRFRegressor

from movierating.model.features import Matrix
from movierating.model.onnx_model import Graph
from movierating.registry.bundle import GOLDEN_TOLERANCE
from scripts.parameters import SEED, ModelType

_OPSET: Final = 15
_INPUT: Final = "features"
Targets = npt.NDArray[np.float64]


class Regressor(Protocol):
    """What can forecast, once fitted."""

    def predict(self, X: Any) -> Any:  # noqa: N803 - sklearn's name
        """Forecast."""
        ...


@dataclass(frozen=True)
class Correction:
    """A regressor that corrects a feature: its forecast is the feature plus the regressor's.

    Attributes:
        column: Of the feature.
    """

    regressor: Regressor
    column: int

    def predict(self, X: Any) -> Any:  # noqa: N803 - sklearn's name
        """Forecast."""
        return X[:, self.column] + self.regressor.predict(X)


def fit_correction(  # noqa: PLR0913, PLR0917 - a regression and its feature
    family: ModelType,
    parameters: Mapping[str, Any],
    matrix: Matrix,
    targets: Targets,
    weights: Targets,
    column: int,
) -> Correction:
    """Fit an estimator of a family to what a feature leaves open."""
    rest = targets - matrix[:, column]
    return Correction(fit_regressor(family, parameters, matrix, rest, weights), column)


def fit_regressor(
    family: ModelType,
    parameters: Mapping[str, Any],
    matrix: Any,
    targets: Targets,
    weights: Targets,
) -> Regressor:
    """Fit an estimator of a family: seeded, deterministic, missing values welcome.

    One thread, or sums would depend on the number of cores; and beside Airflow it is the faster.
    `rf` is XGBoost's forest, because it knows missing values and converts to ONNX exactly. In
    `linear`, the ridge, a missing value counts as the mean of the known ones.
    """
    regressor: Any
    if family == "linear":
        return _fit_linear(parameters, matrix, targets, weights)
    if family == "lgbm":
        steady = {"deterministic": True, "force_row_wise": True, "verbose": -1}
        regressor = LGBMRegressor(**parameters, random_state=SEED, n_jobs=1, **steady)
    else:
        kind = XGBRegressor if family == "xgboost" else XGBRFRegressor
        regressor = kind(**parameters, random_state=SEED, n_jobs=1)
    fitted: Regressor = regressor.fit(matrix, targets, sample_weight=weights)
    return fitted


def _fit_linear(
    parameters: Mapping[str, Any], matrix: Any, targets: Targets, weights: Targets
) -> Regressor:
    known = SimpleImputer(keep_empty_features=True)
    model: Any = make_pipeline(known, StandardScaler(), Ridge(**parameters))
    fitted: Regressor = model.fit(matrix, targets, ridge__sample_weight=weights)
    return fitted


def to_onnx(family: ModelType, regressor: Regressor | Correction, probe: Matrix) -> bytes:
    """The fitted estimator in ONNX form, proven to answer alike on the rows of `probe`.

    Raises:
        ArithmeticError: An answer differs by more than the tolerance of the golden answers.
    """
    features = probe.shape[1]
    if isinstance(regressor, Correction):
        graph = _added(_graph(family, regressor.regressor, features), regressor.column)
    else:
        graph = _graph(family, regressor, features)
    onnx: bytes = _ordered(graph).SerializeToString()
    worst = float(np.max(np.abs(Graph(onnx).predict(probe) - regressor.predict(probe))))
    if not worst <= GOLDEN_TOLERANCE:
        raise ArithmeticError(f"the ONNX form of {family} differs by {worst:.6f} rating points")
    return onnx


def _graph(family: ModelType, regressor: Regressor, features: int) -> Any:
    # Without a name of its own a graph gets a random one, and so would the model's digest.
    named: dict[str, Any] = {"name": family, "target_opset": _OPSET}
    shape = [None, features]
    if family == "linear":
        types = [(_INPUT, data_types.FloatTensorType(shape))]
        return convert_sklearn(regressor, initial_types=types, **named)
    types = [(_INPUT, FloatTensorType(shape))]
    if family == "lgbm":
        return convert_lightgbm(_in_float32(regressor), initial_types=types, **named)
    return convert_xgboost(regressor, initial_types=types, **named)


def _added(model: Any, column: int) -> Any:
    """The graph with a feature added to what it gives."""
    graph = model.graph
    correction = graph.output[0].name
    graph.initializer.append(numpy_helper.from_array(np.asarray([column], np.int64), "column"))
    graph.node.append(helper.make_node("Gather", [_INPUT, "column"], ["corrected"], axis=1))
    graph.node.append(helper.make_node("Add", [correction, "corrected"], ["rating"]))
    del graph.output[:]
    graph.output.append(helper.make_tensor_value_info("rating", TensorProto.FLOAT, [None, 1]))
    return model


def _ordered(model: Any) -> Any:
    """The graph with its operator sets by name: the converters keep them in a set of strings."""
    sets = sorted(model.opset_import, key=lambda each: each.domain)
    del model.opset_import[:]
    model.opset_import.extend(sets)
    return model


def _in_float32(regressor: Any) -> Booster:
    """The same trees with thresholds that float32 can hold, as ONNX stores them.

    LightGBM splits at doubles. The nearest float32 may lie above, on a film's very value, and
    send it the other way; the next one below splits float32 inputs exactly alike.
    """
    text = regressor.booster_.model_to_string()
    text = re.sub(r"^threshold=(.*)$", _floored, text, flags=re.MULTILINE)
    return Booster(model_str=re.sub(r"^tree_sizes=.*\n", "", text, flags=re.MULTILINE))


def _floored(line: re.Match[str]) -> str:
    doubles = np.array(line[1].split(), dtype=np.float64)
    floats = doubles.astype(np.float32)
    below = np.where(floats > doubles, np.nextafter(floats, np.float32(-np.inf)), floats)
    return "threshold=" + " ".join(repr(float(value)) for value in below)
