"""Films as sparse rows of their tokens: directors, companies, genres, words of the plot."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Final, Self

import numpy as np
import numpy.typing as npt
from scipy import sparse

from movierating.films.film import Film
from movierating.films.tokens import TRAITS
from scripts.parameters import EFFECTS, EffectsConfig

Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]

DIGITS: Final = 5  # of what a bundle carries
_WORDS: Final = frozenset({"plot"})  # rare ones say more than common ones


@dataclass(frozen=True)
class Vocabulary:
    """The tokens worth an effect.

    Attributes:
        columns: By trait and token, its column.
        weights: By trait, the weight of each column beside the others: for words the inverse
            document frequency, else 1.
    """

    columns: Mapping[str, Mapping[str, int]]
    weights: Mapping[str, Floats]

    @classmethod
    def of(cls, films: Sequence[Film], config: EffectsConfig = EFFECTS) -> Self:
        """The tokens that enough of the films have."""
        counts: dict[str, Counter[str]] = {trait: Counter() for trait in TRAITS}
        for film in films:
            for trait, tokens_of in TRAITS.items():
                counts[trait].update(set(tokens_of(film)))
        columns, weights = {}, {}
        for trait, counted in counts.items():
            kept = sorted(token for token, n in counted.items() if n >= config.min_films(trait))
            columns[trait] = {token: at for at, token in enumerate(kept)}
            rare = smoothed_idf([counted[token] for token in kept], len(films))
            weights[trait] = rare if trait in _WORDS else np.ones(len(kept))
        return cls(columns, weights)


@dataclass(frozen=True)
class TokenRows:
    """Films as sparse rows of their tokens' weights.

    Attributes:
        matrices: By trait, shape (films, tokens).
        present: By trait, whether the film tells it; (films,).
    """

    matrices: Mapping[str, sparse.csr_matrix]
    present: Mapping[str, Mask]

    @classmethod
    def of(cls, films: Sequence[Film], vocabulary: Vocabulary) -> Self:
        """The rows of some films."""
        matrices, present = {}, {}
        for trait, tokens_of in TRAITS.items():
            columns, weights = vocabulary.columns[trait], vocabulary.weights[trait]
            tokens = [dict.fromkeys(tokens_of(film)) for film in films]
            present[trait] = np.fromiter(map(bool, tokens), np.bool_, len(films))
            matrices[trait] = token_matrix(tokens, columns, weights)
        return cls(matrices, present)

    def known(self, which: Mask, config: EffectsConfig = EFFECTS) -> Mapping[str, Mask]:
        """By trait, the tokens that enough films of some rows have; (tokens,)."""
        return {
            trait: matrix[which].getnnz(axis=0) >= config.min_films(trait)
            for trait, matrix in self.matrices.items()
        }

    def only(self, which: Mask, known: Mapping[str, Mask]) -> Self:
        """The films of some rows, of the traits in `known`, without the tokens that are not."""
        matrices = {}
        for trait, columns in known.items():
            kept = self.matrices[trait][which]
            kept.data *= columns[kept.indices]
            kept.eliminate_zeros()
            matrices[trait] = kept
        return type(self)(matrices, {trait: self.present[trait][which] for trait in known})


def smoothed_idf(counts: Sequence[int], films: int) -> Floats:
    """The weights of words that so many of the films have each: smoothed IDF, as scikit-learn's."""
    weights: Floats = np.log((1 + films) / (1 + np.asarray(counts, float))) + 1
    return weights


def token_matrix(
    films: Sequence[Iterable[str]], columns: Mapping[str, int], weights: Floats
) -> sparse.csr_matrix:
    """The weights of films' tokens, shape (films, tokens).

    Args:
        films: The tokens of each, every one once.
        columns: Of the tokens worth one.
        weights: By column.
    """
    rows = [[columns[token] for token in film if token in columns] for film in films]
    indices = np.fromiter(chain.from_iterable(rows), np.int32)
    starts = np.cumsum([0, *map(len, rows)], dtype=np.int32)
    values = np.round(weights, DIGITS)[indices]
    return sparse.csr_matrix((values, indices, starts), shape=(len(rows), len(weights)))


def unit_rows(matrix: sparse.csr_matrix) -> sparse.csr_matrix:
    """The rows with length 1; one without tokens stays zero."""
    lengths = np.sqrt(np.asarray(matrix.multiply(matrix).sum(axis=1)).ravel())
    return (sparse.diags(1 / np.where(lengths > 0, lengths, 1)) @ matrix).tocsr()
