"""The model of a bundle: one ONNX graph for the rating and one for the absolute error."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from movierating.errors import ExplainedError
from movierating.model.features import Matrix

RATING_RANGE: Final = (0.0, 10.0)
# In rating points. A smaller predicted error is not credible, because the votes themselves vary by
# that much.
SMALLEST_ERROR: Final = 0.05


class GraphError(ExplainedError, ValueError):
    """The bytes are not an ONNX graph that onnxruntime can open."""


class Graph:
    """A regression model in ONNX format: float32 vectors in, one number per vector out."""

    def __init__(self, onnx: bytes) -> None:
        """Open a graph from the bytes of an ONNX file.

        The graph runs in one thread. More threads would not help, because one vector needs only
        microseconds.

        Raises:
            GraphError: The bytes are not an ONNX graph.
        """
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 3  # errors only: onnxruntime prints past our log
        try:
            self._session = onnxruntime.InferenceSession(
                onnx, options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # onnxruntime's errors have no other common base class
            raise GraphError("the bytes are not an ONNX graph") from error
        self._input: str = self._session.get_inputs()[0].name

    def predict(self, matrix: Matrix) -> Matrix:
        """Return the graph's outputs, shape (rows,), for vectors of shape (rows, features)."""
        (numbers,) = self._session.run(None, {self._input: matrix})
        return np.asarray(numbers, dtype=np.float32).reshape(-1)


@dataclass(frozen=True)
class Model:
    """Forecasts ratings and their 80 % intervals.

    Attributes:
        rating: The graph that predicts the rating.
        error: The graph that predicts the absolute error of that rating, in rating points.
        quantile: Interval half-width as a multiple of the predicted error.
    """

    rating: Graph
    error: Graph
    quantile: float

    def forecast(self, matrix: Matrix) -> Matrix:
        """Forecast ratings from 0 to 10, shape (rows,), for vectors of shape (rows, features)."""
        lowest, highest = RATING_RANGE
        return np.minimum(np.maximum(self.rating.predict(matrix), lowest), highest)

    def half_widths(self, matrix: Matrix) -> Matrix:
        """Return the half-widths of the 80 % intervals in rating points, shape (rows,)."""
        errors = np.maximum(self.error.predict(matrix), SMALLEST_ERROR)
        return np.float32(self.quantile) * errors

    def covers(self, matrix: Matrix, ratings: npt.NDArray[np.float64]) -> npt.NDArray[np.bool_]:
        """Return whether each film's true rating lies in its 80 % interval, shape (rows,)."""
        off = np.abs(self.forecast(matrix) - ratings)
        inside: npt.NDArray[np.bool_] = off <= self.half_widths(matrix)
        return inside
