"""Export a fitted model to ONNX, and check that both predict the same."""

from typing import Any

import numpy as np
from onnx import TensorProto, helper, numpy_helper

from movierating.model.features import Matrix
from movierating.model.onnx_model import Graph
from movierating.registry.bundle import GOLDEN_TOLERANCE
from scripts.parameters import ModelType
from scripts.training.models import Correction, Regressor, family_named
from scripts.training.onnx_graphs import INPUT_NAME


def to_onnx(family: ModelType, regressor: Regressor | Correction, probe: Matrix) -> bytes:
    """Export a fitted model to ONNX; equal models give equal bytes.

    Args:
        family: Name of the model's family.
        regressor: The fitted model.
        probe: Feature vectors for which the fitted model and its ONNX form must predict the same,
            shape (rows, features).

    Raises:
        ArithmeticError: A prediction differs by more than `GOLDEN_TOLERANCE` rating points.
        UnknownFamilyError: The family has no entry in `FAMILIES`.
    """
    convert, features = family_named(family).convert, probe.shape[1]
    if isinstance(regressor, Correction):
        graph = _with_feature_added(
            convert(regressor.regressor, family, features), regressor.column
        )
    else:
        graph = convert(regressor, family, features)
    onnx: bytes = _with_sorted_opsets(graph).SerializeToString()
    worst = float(np.max(np.abs(Graph(onnx).predict(probe) - regressor.predict(probe))))
    if not worst <= GOLDEN_TOLERANCE:  # also true for NaN
        raise ArithmeticError(f"the ONNX form of {family} differs by {worst:.6f} rating points")
    return onnx


def _with_feature_added(model: Any, column: int) -> Any:
    """Make the ONNX graph add one input feature to its output, as `Correction.predict` does."""
    graph = model.graph
    correction = graph.output[0].name
    graph.initializer.append(numpy_helper.from_array(np.asarray([column], np.int64), "column"))
    graph.node.append(helper.make_node("Gather", [INPUT_NAME, "column"], ["corrected"], axis=1))
    graph.node.append(helper.make_node("Add", [correction, "corrected"], ["rating"]))
    del graph.output[:]
    graph.output.append(helper.make_tensor_value_info("rating", TensorProto.FLOAT, [None, 1]))
    return model


def _with_sorted_opsets(model: Any) -> Any:
    """Sort the model's operator sets, because their order differs from process to process."""
    opsets = sorted(model.opset_import, key=lambda each: each.domain)
    del model.opset_import[:]
    model.opset_import.extend(opsets)
    return model
