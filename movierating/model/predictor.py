"""Forecast films: the rating, its distribution and 80 % interval, and the reasons for it.

Both the API and the forecast ledger use `Predictor`, so a film gets the same numbers in both. Only
the rounding differs.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from movierating.films.film import Film
from movierating.model.attribution import explain
from movierating.model.distribution import RatingDistributions, intervals
from movierating.model.features import Matrix, build_matrix
from movierating.model.onnx_model import Model
from movierating.model.plot_encoder import Vectors
from movierating.model.target_encoding import Effects


@dataclass(frozen=True)
class PredictedRating:
    """The forecast of one film, not rounded.

    Attributes:
        rating: The forecast rating, 0 to 10.
        low: Lower end of the 80 % interval, at least 0: the 10th percentile of the distribution.
        high: Upper end of the 80 % interval, at most 10: the 90th percentile.
        distribution: The predicted distribution of this film's rating; None if the bundle has
            format 2. Then the interval is as wide above the rating as below it.
        reasons: How many rating points each feature group contributes, the largest first. Their sum
            is the forecast minus the forecast for a film without known facts. Empty if no reasons
            were requested.
    """

    rating: float
    low: float
    high: float
    distribution: RatingDistributions | None
    reasons: dict[str, float]


class Encoder(Protocol):
    """Turns plots into vectors, as `PlotEncoder` does."""

    def encode(self, texts: Iterable[str]) -> Vectors:
        """Return the vectors of texts, shape (texts, 512)."""


@dataclass(frozen=True)
class Predictor:
    """The parts of one model version that turn a film's facts into a forecast.

    Attributes:
        features: Names of the features, in the order of the vector.
        effects: The target encoding, which turns a film's tokens into effects in rating points.
        model: The ONNX graphs for the rating and its error.
        encoder: Turns the text of a plot into a vector; None if the model uses no such vectors.
    """

    features: tuple[str, ...]
    effects: Effects
    model: Model
    encoder: Encoder | None = None

    def matrix(self, films: Sequence[Film]) -> Matrix:
        """Build the vectors of films, shape (films, features); NaN where a fact is unknown."""
        encodings = [self.effects.encode(film, self._plot_vector(film)) for film in films]
        return build_matrix(films, self.features, encodings)

    def _plot_vector(self, film: Film) -> Vectors | None:
        if self.encoder is None or film.plot is None or not film.plot.text:
            return None
        return self.encoder.encode([film.plot.text]).reshape(-1)

    def ratings(self, films: Sequence[Film]) -> Matrix:
        """Forecast only the ratings of films, shape (films,)."""
        return self.model.forecast(self.matrix(films))

    def forecast(self, films: Sequence[Film], *, explained: bool = True) -> list[PredictedRating]:
        """Forecast the ratings of films.

        Args:
            films: The facts about the films.
            explained: Whether to compute reasons, which take most of the time.

        Returns:
            One forecast per film, in the order of `films`.
        """
        matrix = self.matrix(films)
        ratings, half_widths = self.model.forecast(matrix), self.model.half_widths(matrix)
        lows, highs = intervals(ratings, half_widths, self.model.errors)
        return [
            PredictedRating(
                rating=rating,
                low=low,
                high=high,
                distribution=self.model.distribution_around(rating, half_width),
                # One call per film: each film has other known groups, and one call for all films
                # would not be faster.
                reasons=explain(self.model, vector[None, :], self.features) if explained else {},
            )
            for vector, rating, half_width, low, high in zip(
                matrix,
                ratings.tolist(),
                half_widths.tolist(),
                lows.tolist(),
                highs.tolist(),
                strict=True,
            )
        ]
