"""The three model families: how each is made, and how it becomes ONNX."""

import re
from typing import Any, Final, Protocol, Self

import numpy as np
import numpy.typing as npt
from lightgbm import Booster, LGBMRegressor
from onnxmltools import convert_lightgbm, convert_xgboost
from onnxmltools.convert.common.data_types import FloatTensorType
from xgboost import XGBRegressor, XGBRFRegressor

from movierating.bundle import GOLDEN_TOLERANCE, Model
from movierating.features import Matrix
from scripts.parameters import SEED, ModelType

_OPSET: Final = 15
Targets = npt.NDArray[np.float64]


class Regressor(Protocol):
    """The part of scikit-learn's interface that training needs."""

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:  # noqa: N803 - sklearn's name
        """Learn."""
        ...

    def predict(self, X: Any) -> Any:  # noqa: N803 - sklearn's name
        """Forecast."""
        ...


def make_regressor(family: ModelType, parameters: dict[str, Any]) -> Regressor:
    """An estimator of a family, seeded and deterministic, not yet fitted.

    One thread, or sums would depend on the number of cores; and beside Airflow it is the faster.
    `rf` is XGBoost's forest, because it knows missing values and converts to ONNX exactly.
    """
    regressor: Regressor
    if family == "xgboost":
        regressor = XGBRegressor(**parameters, random_state=SEED, n_jobs=1)
    elif family == "rf":
        regressor = XGBRFRegressor(**parameters, random_state=SEED, n_jobs=1)
    else:
        steady = {"deterministic": True, "force_row_wise": True, "verbose": -1}
        regressor = LGBMRegressor(**parameters, random_state=SEED, n_jobs=1, **steady)
    return regressor


def to_onnx(family: ModelType, regressor: Regressor, probe: Matrix) -> bytes:
    """The fitted estimator in ONNX form, proven to answer alike on the rows of `probe`.

    Raises:
        ArithmeticError: An answer differs by more than the tolerance of the golden answers.
    """
    form: dict[str, Any] = {
        "name": family,  # or it is random, and so the model's digest
        "initial_types": [("features", FloatTensorType([None, probe.shape[1]]))],
        "target_opset": _OPSET,
    }
    if family == "lgbm":
        graph = convert_lightgbm(_in_float32(regressor), **form)
    else:
        graph = convert_xgboost(regressor, **form)
    onnx: bytes = graph.SerializeToString()
    expected = np.clip(regressor.predict(probe), 0, 10)
    worst = float(np.max(np.abs(Model(onnx).predict(probe) - expected)))
    if not worst <= GOLDEN_TOLERANCE:
        raise ArithmeticError(f"the ONNX form of {family} differs by {worst:.6f} rating points")
    return onnx


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
