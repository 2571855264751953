"""The full-text index of titles: any part of a title finds the film, in every script.

The index holds each title as its pairs of neighbouring characters. A query is the sequence of its
own pairs, so it matches wherever the title contains the same characters in the same order. Words
would not do: Korean titles are often written without spaces, and visitors type parts of words.
"""

import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from itertools import combinations, pairwise
from typing import Final

from movierating.films.text import name_key

# They mark the start and the end of a title. No key contains them.
_START: Final = "^"
_END: Final = "$"
_LONGEST_ID: Final = 12  # digits; SQLite could not compare much larger ones


def title_key(title: str) -> str:
    """Return the letters and digits of a title, without case, accents, spaces and punctuation.

    So `Spider-Man` and `spider man` have the same key. A Hangul syllable becomes its letters, so an
    incomplete last syllable still matches. The key is empty if the title has no letter or digit.
    """
    letters = unicodedata.normalize("NFD", name_key(title))
    return "".join(each for each in letters if each.isalnum())


def index_text(titles: Iterable[str]) -> str:
    """Return the terms of all titles of a film, as the index stores them."""
    keys = dict.fromkeys(filter(None, map(title_key, titles)))
    return " ".join(term for key in keys for term in _terms(f"{_START}{key}{_END}"))


def is_exactly(key: str) -> str:
    """Return the query for films with a title whose key is `key`."""
    return _phrase(f"{_START}{key}{_END}")


def begins_with(key: str) -> str:
    """Return the query for films with a title whose key begins with `key`."""
    return _phrase(f"{_START}{key}")


def contains(key: str) -> str:
    """Return the query for films with a title whose key contains `key`."""
    if len(key) == 1:  # it is the first character of a pair, also before the end mark
        return f"{_code(key)}x*"
    return _phrase(key)


def has_two_of(terms: Sequence[str]) -> str:
    """Return the query for films with at least two of some terms of the index; empty if none."""
    return " OR ".join(f"({one} AND {other})" for one, other in combinations(terms, 2))


def film_id(text: str) -> int | None:
    """Return TMDB's id if the text is one; None otherwise. A title may consist of digits, too."""
    digits = text.strip()
    return int(digits) if digits.isdecimal() and len(digits) <= _LONGEST_ID else None


def terms_of(key: str) -> list[str]:
    """Return the different terms of a title with this key, for a search of similar titles."""
    return list(dict.fromkeys(_terms(f"{_START}{key}{_END}")))


def _phrase(marked: str) -> str:
    return " + ".join(_terms(marked))


def _terms(marked: str) -> Iterator[str]:
    # The tokenizer of SQLite splits at all but letters and digits, so the codes of the characters
    # are written instead.
    return (f"{_code(first)}x{_code(second)}" for first, second in pairwise(marked))


def _code(character: str) -> str:
    return f"{ord(character):o}"
