"""What a plot's meaning says about a rating: linear functions of the plot encoder's vector.

Training estimates the functions (`scripts.training.plot_meaning`); serving only evaluates them.
"""

from base64 import b64decode, b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Self

import numpy as np
import numpy.typing as npt

Weights = npt.NDArray[np.float64]

DIMENSIONS: Final = 512  # of the vector of a plot
# The functions, in the order of the rows of `PlotWeights.weights`. The last two estimate for a plot
# in another language what the words of its English translation would add.
_FUNCTIONS: Final = ("effect", "score", "words_effect", "words_score")


@dataclass(frozen=True)
class PlotMeaning:
    """What a plot's vector says, in rating points.

    Attributes:
        effect: The plot's effect beside the effects of all other facts.
        score: How much the rating differs from the average, if only the vector is known.
        words_effect: Estimate of the effect of the plot's words, beside all other facts.
        words_score: Estimate of what the plot's words add to `score`.
    """

    effect: float
    score: float
    words_effect: float
    words_score: float


@dataclass(frozen=True)
class PlotWeights:
    """The linear functions of a plot's vector, and the shifts of other languages.

    Attributes:
        weights: One row per function, shape (4, 512).
        intercepts: One number per function, shape (4,).
        shifts: By language, the mean difference between the vectors of an English plot and the same
            plot in this language; shape (512,). It is added to vectors of plots in this language.
    """

    weights: Weights
    intercepts: Weights
    shifts: Mapping[str, Weights]

    def meaning(self, vector: npt.NDArray[Any], language: str) -> PlotMeaning:
        """Evaluate the functions for the vector of a plot in English, or in a shifted language."""
        english = vector.astype(float) + (0 if language == "en" else self.shifts[language])
        # A sum of products and no matrix product, whose rounding differs between processors.
        values = (self.weights * english).sum(axis=1) + self.intercepts
        return PlotMeaning(**dict(zip(_FUNCTIONS, values.tolist(), strict=True)))

    def to_json(self) -> dict[str, Any]:
        """Return the weights as a dictionary for JSON; the numbers are doubles in base64."""
        return {
            "weights": _encoded(self.weights),
            "intercepts": self.intercepts.tolist(),
            "shifts": {language: _encoded(shift) for language, shift in self.shifts.items()},
        }

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> Self:
        """Read the weights from the dictionary that `to_json` writes.

        Raises:
            KeyError, TypeError, ValueError: The dictionary has another form.
        """
        return cls(
            _decoded(raw["weights"]).reshape(len(_FUNCTIONS), DIMENSIONS),
            np.asarray(raw["intercepts"], float).reshape(len(_FUNCTIONS)),
            {
                language: _decoded(shift).reshape(DIMENSIONS)
                for language, shift in raw["shifts"].items()
            },
        )


def _encoded(numbers: Weights) -> str:
    return b64encode(numbers.astype("<f8").tobytes()).decode()


def _decoded(text: str) -> Weights:
    return np.frombuffer(b64decode(text), "<f8")
