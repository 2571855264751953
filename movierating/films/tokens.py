"""Split a film into tokens, by trait.

A token is one value, such as one director. A trait is a kind of value, such as all directors or all
words of the plot.
"""

import re
from bisect import bisect
from collections.abc import Callable, Sequence
from itertools import combinations
from typing import Final

from movierating.films.film import Entity, Film, Named
from movierating.films.text import name_key

Tokens = Sequence[str]

# TMDB lists more actors for famous films, so the length of the list would reveal popularity.
MAX_CAST: Final = 5
_RUNTIME_BANDS: Final = (70, 80, 85, 90, 95, 100, 105, 110, 120, 130, 140, 160)  # minutes
_BUDGET_BANDS: Final = (1e6, 3e6, 1e7, 2e7, 4e7, 7e7, 1.2e8)  # US dollars
_WORD: Final = re.compile(r"\w\w+")
_TITLE_WORD: Final = re.compile(r"\w+|[:!?]")
# Words that are so common in plots that they say nothing about the rating.
_STOP_WORDS: Final = frozenset(
    """
    a about after all also an and any are as at back be become becomes been before being between
    both but by can do down during each even finds for from gets get has have he her hers
    herself him himself his how if in into is it its itself just more most must new no not now
    of off on once one only or other out over own she so some soon still such than that the
    their them then there they this those through to too two under until up very was we were
    what when where which while who whom whose why will with you your
    """.split()  # noqa: SIM905 - easier to read than a list
)


def _one(value: str | None) -> Tokens:
    return [value] if value else []


def _pairs(film: Film) -> Tokens:
    return [f"{first}, {second}" for first, second in combinations(sorted(set(film.genres)), 2)]


def _runtime(film: Film) -> Tokens:
    if film.runtime_minutes is None:
        return []
    return [str(bisect(_RUNTIME_BANDS, film.runtime_minutes))]


def _budget(film: Film) -> Tokens:
    if film.budget_usd is None:
        return []
    band = bisect(_BUDGET_BANDS, film.budget_usd)
    return [f"{band} {genre}" for genre in film.genres or ("",)]


def _title(film: Film) -> Tokens:
    return _TITLE_WORD.findall((film.title or "").lower())


def _plot(film: Film) -> Tokens:
    text = (film.plot.text or "") if film.plot and film.plot.language == "en" else ""
    return [word for word in _WORD.findall(text.lower()) if word not in _STOP_WORDS]


# The traits whose tokens are people, companies, collections or keywords.
NAMES: Final[dict[str, Callable[[Film], Sequence[Named]]]] = {
    "director": lambda film: film.directors,
    "writer": lambda film: film.writers,
    "cast": lambda film: film.cast[:MAX_CAST],
    "company": lambda film: film.companies,
    "franchise": lambda film: [film.franchise] if film.franchise else [],
    "keyword": lambda film: film.keywords,
}


PEOPLE: Final = ("director", "writer", "cast")  # the traits whose tokens are people


def token_of(named: Named) -> str:
    """Return the token of a person, company, collection or keyword: the id, or the name's key.

    No key begins with `#` and has a digit, so an id is never taken for a name.
    """
    return f"#{named.id}" if isinstance(named, Entity) else name_key(named)


def _tokens_of(names: Callable[[Film], Sequence[Named]]) -> Callable[[Film], Tokens]:
    return lambda film: [token_of(named) for named in names(film)]


TRAITS: Final[dict[str, Callable[[Film], Tokens]]] = {
    "genre": lambda film: film.genres,
    "genre_pair": _pairs,
    "language": lambda film: _one(film.original_language),
    "country": lambda film: film.countries,
    "runtime": _runtime,
    "budget": _budget,
    **{trait: _tokens_of(names) for trait, names in NAMES.items()},
    "title": _title,
    "plot": _plot,
}

# The traits for which the model also uses past ratings: number, mean and newest rating of the
# token's earlier films.
TRACKED_TRAITS: Final = ("director", "writer", "cast", "company", "franchise")
