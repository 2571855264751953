"""The list of all films that a model has learned from in any way, for a fair comparison of models.

The gate compares two models only on films that neither has learned from. The release date is not
enough to recognise them: TMDB changes release dates, so a film can move from before the split date
to after it. The index of similar films is not enough either, because it lacks films with few votes,
from which a model has learned effects.
"""

import io
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

from movierating.model.arrays import read_array


@dataclass(frozen=True)
class TrainingFilms:
    """The TMDB ids of a model's training films, sorted; int64, shape (films,)."""

    ids: npt.NDArray[np.int64]

    @classmethod
    def of(cls, ids: Iterable[int]) -> Self:
        """Sort the ids of the training films."""
        return cls(np.unique(np.fromiter(ids, np.int64)))

    def contain(self, ids: npt.ArrayLike) -> npt.NDArray[np.bool_]:
        """Return, for each id, whether the film is a training film."""
        return np.isin(ids, self.ids)

    def to_bytes(self) -> bytes:
        """Return the ids as a NumPy file; equal lists give equal bytes."""
        stream = io.BytesIO()
        np.save(stream, self.ids, allow_pickle=False)
        return stream.getvalue()

    @classmethod
    def from_bytes(cls, raw: bytes) -> Self:
        """Read the ids from a NumPy file.

        Raises:
            ValueError: The bytes are not such a file.
        """
        try:
            ids = read_array(raw)
        except ValueError as error:
            raise ValueError("the bytes are not a list of films") from error
        if ids.dtype != np.int64 or ids.ndim != 1:
            raise ValueError("the bytes are not a list of films")
        return cls(ids)
