"""Describe plots by the principal components of their vectors, and weigh them for the service.

The components come from the training films' plots. They do not depend on ratings, so the films of
all training years may be used, as for the vocabulary.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, Self

import numpy as np

from movierating.model.plot_encoder import Vectors
from movierating.model.plot_weights import PlotWeights
from scripts.dataset.split import Sample
from scripts.parameters import PLOT_COMPONENTS
from scripts.training.target_encoding import EffectsEstimate
from scripts.training.vocabulary import DIGITS, Floats, Meaning, TokenRows, unit_rows

MIN_PAIRS: Final = 100  # with fewer plots in two languages, the shift between them is noise
_PART: Final = 2_000  # vectors that are converted together
_PENALTY: Final = 1.0  # of the regressions of the words' effects on the components


@dataclass(frozen=True)
class PlotComponents:
    """The mean of plots' vectors, and the axes along which they differ most.

    Attributes:
        mean: Shape (512,).
        axes: Orthogonal unit vectors, shape (components, 512).
    """

    mean: Floats
    axes: Floats

    @classmethod
    def of(cls, vectors: Vectors) -> Self:
        """Find the components of vectors of shape (films, 512); rows with NaN are left out."""
        known = vectors[~np.isnan(vectors[:, 0])].astype(np.float32)
        count = min(PLOT_COMPONENTS, max(len(known) - 1, 0))
        mean = known.mean(axis=0, dtype=float) if count else np.zeros(vectors.shape[1])
        centred = known - mean.astype(np.float32)
        _, axes = np.linalg.eigh((centred.T @ centred).astype(float))  # ascending
        return cls(mean, axes.T[::-1][:count])

    def project(self, vectors: Vectors) -> Meaning:
        """Return the components of vectors, 0 for a row with NaN, and which rows have none.

        The components have the shape (films, components).
        """
        known = ~np.isnan(vectors[:, 0])
        projected = np.zeros((len(vectors), len(self.axes)))
        # In parts, because all vectors in double precision would fill the memory.
        for rows in np.array_split(np.flatnonzero(known), len(vectors) // _PART + 1):
            projected[rows] = (vectors[rows].astype(float) - self.mean) @ self.axes.T
        return projected, known & (len(self.axes) > 0)


@dataclass(frozen=True)
class KnownVectors:
    """Stands in for the plot encoder, for plots whose vectors are known.

    Attributes:
        by_text: The vector of each plot.
    """

    by_text: Mapping[str, Vectors]

    @classmethod
    def of(cls, films: Sample) -> Self:
        """Collect the vectors of the films' plots."""
        pairs = zip(films.films, films.plot_vectors, strict=True)
        return cls(
            {film.plot.text: vector for film, vector in pairs if film.plot and film.plot.text}
        )

    def encode(self, texts: Iterable[str]) -> Vectors:
        """Return the vectors of plots, as the plot encoder does."""
        return np.stack([self.by_text[text] for text in texts])


def plot_weights(
    estimated: EffectsEstimate, components: PlotComponents, tokens: TokenRows, train: Sample
) -> PlotWeights | None:
    """Convert an estimate to linear functions of a plot's vector; None without any vector.

    Args:
        estimated: The estimate from all training films.
        components: The components that it was estimated with.
        tokens: The tokens of the training films, followed by those of other films.
        train: The training films.
    """
    if not len(components.axes):
        return None
    told = tokens.has_meaning & (np.arange(len(tokens.meaning)) < len(train))
    films = tokens.select(told, {"plot": estimated.known["plot"]})
    words = unit_rows(films.matrices["plot"])
    of_words = [words @ estimated.coefficients["plot"], words @ estimated.word_scores]
    regressed = [_regression(films.meaning, values) for values in of_words]
    by_component = np.stack(
        [estimated.meaning, estimated.meaning_scores, *(w for w, _ in regressed)]
    )
    weights = np.round(by_component @ components.axes, DIGITS)
    intercepts = np.array([0, 0, *(intercept for _, intercept in regressed)])
    return PlotWeights(
        weights, np.round(intercepts - weights @ components.mean, DIGITS), language_shifts(train)
    )


def language_shifts(train: Sample) -> dict[str, Floats]:
    """Estimate how much the vectors of plots in another language differ from English ones."""
    english, korean = train.plot_vectors, train.korean_vectors
    pairs = ~np.isnan(english[:, 0]) & ~np.isnan(korean[:, 0])
    if pairs.sum() < MIN_PAIRS:
        return {}
    shift = (english[pairs].astype(float) - korean[pairs].astype(float)).mean(axis=0)
    return {"ko": np.round(shift, DIGITS)}


def _regression(columns: Floats, values: Floats) -> tuple[Floats, float]:
    mean = columns.mean(axis=0)
    centred = columns - mean
    normal = centred.T @ centred + _PENALTY * np.eye(len(mean))
    weights: Floats = np.linalg.solve(normal, centred.T @ (values - values.mean()))
    return weights, float(values.mean() - weights @ mean)
