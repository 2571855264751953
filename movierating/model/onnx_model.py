"""The model of a bundle: one ONNX graph for the rating and one for the absolute error."""

import re
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from movierating.errors import ExplainedError
from movierating.model.distribution import (
    RATING_RANGE,
    NormalisedErrors,
    Numbers,
    RatingDistributions,
    intervals,
)
from movierating.model.features import Matrix

# In rating points. A smaller predicted error is not credible, because the votes themselves vary by
# that much.
SMALLEST_ERROR: Final = 0.05


# A tensor in another file has an entry with the key "location". In the bytes of an ONNX file, that
# is field 1, the length 8 and the key; field and length may have more bytes than necessary.
_EXTERNAL_DATA: Final = re.compile(
    rb"(?:\x0a|\x8a\x80*\x00)(?:\x08|\x88\x80*\x00)location", re.DOTALL
)


class GraphError(ExplainedError, ValueError):
    """The bytes are not an ONNX graph that onnxruntime can open."""


class ExternalDataError(GraphError):
    """Parts of an ONNX graph are in other files, which no hash covers."""


class Graph:
    """A regression model in ONNX format: float32 vectors in, one number per vector out."""

    def __init__(self, onnx: bytes) -> None:
        """Open a graph from the bytes of an ONNX file.

        The graph runs in one thread. More threads would not help, because one vector needs only
        microseconds.

        Raises:
            GraphError: The bytes are not an ONNX graph.
            ExternalDataError: Parts of the graph are in other files.
        """
        import onnxruntime

        # The hash of a bundle's file does not cover other files.
        if _EXTERNAL_DATA.search(onnx):
            raise ExternalDataError("parts of the ONNX graph are in other files")

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
        quantile: Half-width as a multiple of the predicted error.
        errors: The distribution of the errors on the folds, divided by the half-widths; None if the
            bundle has format 2. Without it, the 80 % interval is as wide above the forecast as
            below it, and there is no predicted distribution.
    """

    rating: Graph
    error: Graph
    quantile: float
    errors: NormalisedErrors | None = None

    def forecast(self, matrix: Matrix) -> Matrix:
        """Forecast ratings from 0 to 10, shape (rows,), for vectors of shape (rows, features)."""
        lowest, highest = RATING_RANGE
        return np.minimum(np.maximum(self.rating.predict(matrix), lowest), highest)

    def half_widths(self, matrix: Matrix) -> Matrix:
        """Return the predicted half-widths in rating points, shape (rows,).

        For 80 % of the films, the absolute error should be smaller.
        """
        errors = np.maximum(self.error.predict(matrix), SMALLEST_ERROR)
        return np.float32(self.quantile) * errors

    def distributions(self, matrix: Matrix) -> RatingDistributions | None:
        """Predict the distributions of the ratings; None if the bundle has format 2."""
        return self.distribution_around(self.forecast(matrix), self.half_widths(matrix))

    def distribution_around(
        self, forecasts: npt.ArrayLike, half_widths: npt.ArrayLike
    ) -> RatingDistributions | None:
        """Return one distribution of ratings per film, from its forecast and half-width."""
        return RatingDistributions(forecasts, half_widths, self.errors) if self.errors else None

    def intervals(self, matrix: Matrix) -> tuple[Numbers, Numbers]:
        """Return the lower and the upper ends of the 80 % intervals, each of shape (rows,)."""
        return intervals(self.forecast(matrix), self.half_widths(matrix), self.errors)

    def covers(self, matrix: Matrix, ratings: Numbers) -> npt.NDArray[np.bool_]:
        """Return whether each film's true rating lies in its 80 % interval, shape (rows,)."""
        low, high = self.intervals(matrix)
        inside: npt.NDArray[np.bool_] = (low <= ratings) & (ratings <= high)
        return inside
