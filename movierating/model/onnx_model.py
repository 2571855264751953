"""The model of a bundle: two ONNX graphs, one for the rating and one for how far off it may be."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from movierating.errors import ExplainedError
from movierating.model.features import Matrix

RATING_RANGE: Final = (0.0, 10.0)
SMALLEST_ERROR: Final = 0.05  # rating points; no forecast is surer than the votes themselves


class GraphError(ExplainedError, ValueError):
    """Bytes are no ONNX graph that can be opened."""


class Graph:
    """A regression in ONNX form: float32 vectors in, numbers out."""

    def __init__(self, onnx: bytes) -> None:
        """Open the graph on one thread: a row takes microseconds, and cores are few.

        Raises:
            GraphError: The bytes are no ONNX graph.
        """
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 3
        try:
            self._session = onnxruntime.InferenceSession(
                onnx, options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # onnxruntime's own errors share no other base class
            raise GraphError("the bytes are no ONNX graph") from error
        self._input: str = self._session.get_inputs()[0].name

    def predict(self, matrix: Matrix) -> Matrix:
        """Numbers of shape (rows,) for vectors of shape (rows, features)."""
        (numbers,) = self._session.run(None, {self._input: matrix})
        return np.asarray(numbers, dtype=np.float32).reshape(-1)


@dataclass(frozen=True)
class Model:
    """Forecasts ratings, and how far off it may be.

    Attributes:
        rating: Gives ratings.
        error: Gives the size of the error to expect, in rating points.
        quantile: So many such sizes hold the promised share of films.
    """

    rating: Graph
    error: Graph
    quantile: float

    def forecast(self, matrix: Matrix) -> Matrix:
        """Ratings of shape (rows,) for vectors of shape (rows, features), within 0 and 10."""
        lowest, highest = RATING_RANGE
        return np.minimum(np.maximum(self.rating.predict(matrix), lowest), highest)

    def half_widths(self, matrix: Matrix) -> Matrix:
        """Half the width of the 80 % intervals in rating points, shape (rows,)."""
        errors = np.maximum(self.error.predict(matrix), SMALLEST_ERROR)
        return np.float32(self.quantile) * errors

    def covers(self, matrix: Matrix, ratings: npt.NDArray[np.float64]) -> npt.NDArray[np.bool_]:
        """Whether ratings lie in the 80 % intervals, shape (rows,)."""
        off = np.abs(self.forecast(matrix) - ratings)
        inside: npt.NDArray[np.bool_] = off <= self.half_widths(matrix)
        return inside
