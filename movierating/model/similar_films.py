"""Find the training films that are most similar to a film, with an index from the model's bundle.

Two films are compared by their tokens, such as one director or one word of the plot. For each trait
(kind of token) the similarity is the cosine between the films' vectors of inverse document
frequencies, so a rare token has more weight than a common one. The similarity of two films is the
weighted sum over all traits. The index is inverted: for each token it lists the films that have it.
"""

import io
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from itertools import pairwise
from typing import Any, Final, Self

import numpy as np
import numpy.typing as npt

from movierating.films.film import Film, name_of
from movierating.films.text import name_key
from movierating.films.tokens import NAMES, TRAITS, Tokens
from movierating.model.arrays import read_arrays

# The weight of each trait in the sum; plot and franchise have the largest.
_WEIGHTS: Final = {
    "genre": 1.0,
    "language": 0.5,
    "country": 0.25,
    "director": 1.0,
    "writer": 0.5,
    "cast": 1.0,
    "company": 0.5,
    "franchise": 1.5,
    "keyword": 1.0,
    "plot": 1.5,
}
# A plot or keyword token that fewer films have is left out: it would make the index larger and
# would rarely match.
_MIN_FILMS: Final = {"plot": 3, "keyword": 2}


@dataclass(frozen=True)
class RatedFilm:
    """A training film with its rating.

    Attributes:
        id: TMDB's id.
        title: English title.
        year: Year of release.
        rating: TMDB's `vote_average` at the time of training.
    """

    id: int
    title: str
    year: int
    rating: float


@dataclass(frozen=True)
class SimilarFilms:
    """The inverted index: for each token, the training films that have it.

    Attributes:
        films: The training films; a film's position is its number in the index.
        keys: Hashes of the tokens, ascending; uint64, shape (tokens,).
        rarity: Inverse document frequency of each token; float32, shape (tokens,).
        starts: For each token, where its films begin in `numbers`; the last element is the end of
            `numbers`. int32, shape (tokens + 1,).
        numbers: For each token in turn, the numbers of the films that have it; int32.
        values: For each entry of `numbers`: the token's rarity in that film, divided by the length
            of the film's vector for the trait; float16.
    """

    films: Sequence[RatedFilm]
    keys: npt.NDArray[np.uint64]
    rarity: npt.NDArray[np.float32]
    starts: npt.NDArray[np.int32]
    numbers: npt.NDArray[np.int32]
    values: npt.NDArray[np.float16]

    def similar_to(self, film: Film, count: int = 5) -> list[RatedFilm]:
        """Return the training films most similar to `film`, at most `count`, best first.

        Films that share no token with `film` are never returned.
        """
        similarity = self._similarity(film)
        # `partition` finds the lowest similarity that is good enough. Sorting all films instead
        # would take longer than everything else in this method.
        least = np.partition(similarity, -count)[-count] if len(similarity) > count else 0
        (similar,) = np.nonzero((similarity >= least) & (similarity > 0))
        best = similar[np.argsort(-similarity[similar], kind="stable")]
        return [self.films[at] for at in best[:count]]

    def _similarity(self, film: Film) -> npt.NDArray[np.float64]:
        """Return the similarity of each film in the index to `film`, shape (films,)."""
        numbers, shares = [np.zeros(0, np.int32)], [np.zeros(0, np.float16)]
        for trait, weight in _WEIGHTS.items():
            at = self._known(trait, film)
            norm = float(np.sqrt(np.sum(self.rarity[at].astype(float) ** 2)))
            for token in at:
                which = slice(self.starts[token], self.starts[token + 1])
                numbers.append(self.numbers[which])
                shares.append(weight * float(self.rarity[token]) / norm * self.values[which])
        added = np.bincount(np.concatenate(numbers), np.concatenate(shares), len(self.films))
        return added.astype(float)

    def of_genre(self, name: str) -> list[RatedFilm]:
        """Return the training films that have this genre; an empty list if there are none."""
        return [
            self.films[number]
            for token in self._known("genre", Film(genres=(name,)))
            for number in self.numbers[self.starts[token] : self.starts[token + 1]]
        ]

    def _known(self, trait: str, film: Film) -> list[int]:
        keys = [_key(trait, token) for token in dict.fromkeys(_tokens(trait, film))]
        at = np.searchsorted(self.keys, np.asarray(keys, np.uint64))
        return [
            int(place)
            for key, place in zip(keys, at, strict=True)
            if place < len(self.keys) and self.keys[place] == key
        ]

    @classmethod
    def build(cls, films: Sequence[Film], rated: Sequence[RatedFilm]) -> Self:
        """Build the index of training films.

        Args:
            films: The facts about the films; their tokens are indexed.
            rated: Title, year and rating of the same films in the same order.
        """
        having: dict[int, list[int]] = defaultdict(list)
        traits: dict[int, str] = {}
        for number, film in enumerate(films):
            for trait in _WEIGHTS:
                for token in dict.fromkeys(TRAITS[trait](film)):
                    key = _key(trait, token)
                    having[key].append(number)
                    traits[key] = trait
        keys = sorted(key for key, has in having.items() if len(has) >= _least(traits[key]))
        rarity = {key: float(np.log(1 + len(films) / len(having[key]))) for key in keys}
        norms: dict[tuple[int, str], float] = defaultdict(float)
        for key in keys:
            for number in having[key]:
                norms[number, traits[key]] += rarity[key] ** 2
        values = [
            rarity[key] / norms[number, traits[key]] ** 0.5
            for key in keys
            for number in having[key]
        ]
        return cls(
            tuple(rated),
            np.asarray(keys, np.uint64),
            np.asarray([rarity[key] for key in keys], np.float32),
            np.cumsum([0, *(len(having[key]) for key in keys)]).astype(np.int32),
            np.asarray([number for key in keys for number in having[key]], np.int32),
            np.asarray(values, np.float16),
        )

    def to_bytes(self) -> bytes:
        """Return the index as a NumPy archive; equal indexes give equal bytes."""
        titles = [film.title.encode() for film in self.films]
        stream = io.BytesIO()
        np.savez_compressed(
            stream,
            ids=np.asarray([film.id for film in self.films], np.int64),
            years=np.asarray([film.year for film in self.films], np.int16),
            ratings=np.asarray([film.rating for film in self.films], np.float32),
            titles=np.frombuffer(b"".join(titles), np.uint8),
            title_ends=np.cumsum([len(title) for title in titles]).astype(np.int32),
            **{name: getattr(self, name) for name in _ARRAYS},
        )
        return stream.getvalue()

    @classmethod
    def from_bytes(cls, raw: bytes) -> Self:
        """Read the index from a NumPy archive.

        Raises:
            ValueError: The bytes are not such an archive.
        """
        try:
            arrays = read_arrays(raw, (*_ARRAYS, *_FILMS))
        except ValueError as error:
            raise ValueError(f"the bytes are not an index of films: {error}") from error
        return cls(tuple(_films(arrays)), **{name: arrays[name] for name in _ARRAYS})


_ARRAYS: Final = ("keys", "rarity", "starts", "numbers", "values")
_FILMS: Final = ("ids", "years", "ratings", "titles", "title_ends")


def _films(arrays: dict[str, npt.NDArray[Any]]) -> Iterable[RatedFilm]:
    text, ends = arrays["titles"].tobytes(), arrays["title_ends"].tolist()
    columns = (arrays[name].tolist() for name in ("ids", "years", "ratings"))
    for (start, end), film_id, year, rating in zip(pairwise([0, *ends]), *columns, strict=True):
        yield RatedFilm(film_id, text[start:end].decode(), year, round(rating, 3))


def _least(trait: str) -> int:
    return _MIN_FILMS.get(trait, 1)


def _tokens(trait: str, film: Film) -> Tokens:
    """Return the tokens to look up.

    Those of people and others may be names in the index: keys, or names as spelled, as in bundles
    of version 1.0.
    """
    tokens = TRAITS[trait](film)
    if trait not in NAMES:
        return tokens
    names = list(map(name_of, NAMES[trait](film)))
    return [*tokens, *map(name_key, names), *names]


def _key(trait: str, token: str) -> int:
    return int.from_bytes(blake2b(f"{trait}\0{token}".encode(), digest_size=8).digest(), "little")
