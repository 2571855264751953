"""Convert fitted estimators to ONNX graphs, one function per library."""

import re
from collections.abc import Callable
from typing import Any, Final

import numpy as np
from lightgbm import Booster
from onnxmltools import convert_lightgbm, convert_xgboost
from onnxmltools.convert.common.data_types import FloatTensorType
from skl2onnx import convert_sklearn
from skl2onnx.common import data_types

INPUT_NAME: Final = "features"
_OPSET: Final = 15

# A function from a fitted estimator, a name for the graph, and the number of features to an ONNX
# model. A graph without a name gets a random one, and the bundle's digest would differ in each run.
Converter = Callable[[Any, str, int], Any]


def xgboost_graph(regressor: Any, name: str, features: int) -> Any:
    """Convert a fitted XGBoost estimator to an ONNX model."""
    types = [(INPUT_NAME, FloatTensorType([None, features]))]
    return convert_xgboost(regressor, name=name, initial_types=types, target_opset=_OPSET)


def lightgbm_graph(regressor: Any, name: str, features: int) -> Any:
    """Convert a fitted LightGBM estimator to an ONNX model."""
    types = [(INPUT_NAME, FloatTensorType([None, features]))]
    booster = _with_float32_thresholds(regressor)
    return convert_lightgbm(booster, name=name, initial_types=types, target_opset=_OPSET)


def sklearn_graph(regressor: Any, name: str, features: int) -> Any:
    """Convert a fitted scikit-learn estimator to an ONNX model."""
    types = [(INPUT_NAME, data_types.FloatTensorType([None, features]))]
    return convert_sklearn(regressor, name=name, initial_types=types, target_opset=_OPSET)


def _with_float32_thresholds(regressor: Any) -> Booster:
    """Copy the trees with each threshold rounded down to float32, the type that ONNX stores.

    LightGBM's thresholds are doubles. If a threshold is rounded to the nearest float32, it can rise
    to a film's value, and the film takes the other branch of the tree. A threshold that is rounded
    down splits float32 inputs exactly as the double does.
    """
    text = regressor.booster_.model_to_string()
    text = re.sub(r"^threshold=(.*)$", _rounded_down, text, flags=re.MULTILINE)
    # LightGBM records the length of each tree's text. These lengths have changed, so remove them.
    return Booster(model_str=re.sub(r"^tree_sizes=.*\n", "", text, flags=re.MULTILINE))


def _rounded_down(line: re.Match[str]) -> str:
    doubles = np.array(line[1].split(), dtype=np.float64)
    floats = doubles.astype(np.float32)
    below = np.where(floats > doubles, np.nextafter(floats, np.float32(-np.inf)), floats)
    return "threshold=" + " ".join(repr(float(value)) for value in below)
