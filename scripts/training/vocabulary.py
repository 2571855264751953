"""Convert films to sparse rows of tokens, such as directors, companies, genres and plot words.

A trait is a kind of token, such as `director`; a token is one value, such as one director.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import chain
from typing import Final, Self

import numpy as np
import numpy.typing as npt
from scipy import sparse

from movierating.films.film import Entity, Film, Named, name_of
from movierating.films.text import name_key
from movierating.films.tokens import NAMES, TRAITS, token_of
from movierating.model.token_index import NameIndex, TokenIndex, WordIndex
from scripts.parameters import EFFECTS, EffectsConfig

Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]
Meaning = tuple[Floats, Mask]

DIGITS: Final = 5  # decimal places of the numbers stored in a bundle
_IDF_TRAITS: Final = frozenset({"plot"})  # rare words say more than common ones


@dataclass(frozen=True)
class Vocabulary:
    """The tokens that get an effect, with the matrix column and the weight of each.

    Attributes:
        columns: By trait, the tokens in the order of the columns in the trait's matrix.
        weights: By trait, the weight of each column: the inverse document frequency for words of
            the plot, 1 for all other tokens.
    """

    columns: Mapping[str, TokenIndex]
    weights: Mapping[str, Floats]

    @classmethod
    def of(cls, films: Sequence[Film], config: EffectsConfig = EFFECTS) -> Self:
        """Collect the tokens that occur in at least `config.min_films(trait)` of the films."""
        columns: dict[str, TokenIndex] = {}
        weights = {}
        for trait, tokens_of in TRAITS.items():
            least = config.min_films(trait)
            if trait in NAMES:
                columns[trait] = NameIndex(_entities(films, trait, least))
                weights[trait] = np.ones(len(columns[trait]))
            else:
                counts = Counter(token for film in films for token in set(tokens_of(film)))
                kept = sorted(token for token, n in counts.items() if n >= least)
                columns[trait] = WordIndex(kept)
                idf = smoothed_idf([counts[token] for token in kept], len(films))
                weights[trait] = idf if trait in _IDF_TRAITS else np.ones(len(kept))
        return cls(columns, weights)


@dataclass(frozen=True)
class TokenRows:
    """The token weights of films, as one sparse matrix per trait with one row per film.

    Attributes:
        matrices: By trait, the token weights, shape (films, tokens).
        present: By trait, whether the film has a token, even one outside the vocabulary; shape
            (films,).
        meaning: Principal components of the plots' vectors, 0 for a film without a vector; shape
            (films, components).
        has_meaning: Whether each film's plot has a vector; shape (films,).
    """

    matrices: Mapping[str, sparse.csr_matrix]
    present: Mapping[str, Mask]
    meaning: Floats
    has_meaning: Mask

    @classmethod
    def of(
        cls, films: Sequence[Film], vocabulary: Vocabulary, meaning: Meaning | None = None
    ) -> Self:
        """Build the token weights of `films`, one row per film.

        Args:
            films: The films.
            vocabulary: The tokens that get a column.
            meaning: The values of the attributes `meaning` and `has_meaning`; None if no plot has
                a vector.
        """
        matrices, present = {}, {}
        for trait, tokens_of in (TRAITS | NAMES).items():
            tokens = [tokens_of(film) for film in films]
            present[trait] = np.fromiter(map(bool, tokens), np.bool_, len(films))
            matrices[trait] = token_matrix(
                tokens, vocabulary.columns[trait], vocabulary.weights[trait]
            )
        meaning = meaning or (np.empty((len(films), 0)), np.zeros(len(films), np.bool_))
        return cls(matrices, present, *meaning)

    def frequent_tokens(self, which: Mask, config: EffectsConfig = EFFECTS) -> Mapping[str, Mask]:
        """Return, by trait, true for the tokens that enough films have; shape (tokens,).

        Only the films that `which` marks are counted.
        """
        return {
            trait: matrix[which].getnnz(axis=0) >= config.min_films(trait)
            for trait, matrix in self.matrices.items()
        }

    def select(self, which: Mask, tokens: Mapping[str, Mask]) -> Self:
        """Return a copy with only some films and tokens.

        Args:
            which: True for the films to keep; shape (films,).
            tokens: By trait, true for the tokens to keep; shape (tokens,). Other traits are left
                out.
        """
        matrices = {}
        for trait, columns in tokens.items():
            kept = self.matrices[trait][which]
            # A token that is not kept has an empty column. So a column always means the same token.
            kept.data *= columns[kept.indices]
            kept.eliminate_zeros()
            matrices[trait] = kept
        present = {trait: self.present[trait][which] for trait in tokens}
        return type(self)(matrices, present, self.meaning[which], self.has_meaning[which])


def _entities(films: Sequence[Film], trait: str, least: int) -> list[Named]:
    """Find who occurs in at least `least` of the films; who has the most films comes first.

    Some films may have only the name of a person whose id is known from other films. These are all
    the same person. If several people bear the name, it means the one with the most films, as in
    service.
    """
    named_in = NAMES[trait]
    spelled = Counter(named for film in films for named in set(named_in(film)))
    shown: dict[str, Named] = {}
    # The most frequent spelling is kept; the first by alphabet of equally frequent ones.
    for named in sorted(spelled, key=lambda each: (-spelled[each], name_of(each))):
        shown.setdefault(token_of(named), named)
    tokens = [set(map(token_of, named_in(film))) for film in films]
    bearers: dict[str, str] = {}
    for token in _most_first(Counter(chain.from_iterable(tokens))):
        named = shown[token]
        if isinstance(named, Entity):
            bearers.setdefault(name_key(named.name), token)
    identified = ({bearers.get(token, token) for token in film} for film in tokens)
    counts = Counter(chain.from_iterable(identified))
    return [shown[token] for token in _most_first(counts) if counts[token] >= least]


def _most_first(counts: Counter[str]) -> list[str]:
    return sorted(counts, key=lambda token: (-counts[token], token))


def smoothed_idf(counts: Sequence[int], films: int) -> Floats:
    """Compute the inverse document frequency, smoothed as in scikit-learn's TfidfTransformer.

    Args:
        counts: For each word, the number of films with this word.
        films: Number of all films.
    """
    weights: Floats = np.log((1 + films) / (1 + np.asarray(counts, float))) + 1
    return weights


def token_matrix(
    films: Sequence[Iterable[Named]], columns: TokenIndex, weights: Floats
) -> sparse.csr_matrix:
    """Build the matrix of token weights, shape (films, tokens).

    Args:
        films: The tokens of each film. One that is listed twice counts once.
        columns: The column of each token; tokens without a column are ignored.
        weights: The weight of each column.
    """
    find = cache(columns.find)  # most tokens occur in many films
    found = [dict.fromkeys(map(find, film)) for film in films]
    rows = [[column for column in film if column is not None] for film in found]
    indices = np.fromiter(chain.from_iterable(rows), np.int32)
    starts = np.cumsum([0, *map(len, rows)], dtype=np.int32)
    values = np.round(weights, DIGITS)[indices]
    return sparse.csr_matrix((values, indices, starts), shape=(len(rows), len(weights)))


def unit_rows(matrix: sparse.csr_matrix) -> sparse.csr_matrix:
    """Scale each row to length 1; a row without tokens stays zero."""
    rows = np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))
    lengths = np.sqrt(np.bincount(rows, matrix.data**2, minlength=matrix.shape[0]))
    return scaled_rows(matrix, 1 / np.where(lengths > 0, lengths, 1))


def scaled_rows(matrix: sparse.csr_matrix, factors: Floats) -> sparse.csr_matrix:
    """Multiply each row by its factor; shape of `factors`: (rows,)."""
    # On the stored values: a product with a diagonal matrix takes ten times as long for few films.
    values = matrix.data * np.repeat(factors, np.diff(matrix.indptr))
    return sparse.csr_matrix((values, matrix.indices, matrix.indptr), matrix.shape)
