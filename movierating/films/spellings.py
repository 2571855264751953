"""Find people under other forms of their names: with the family name first or last, or joined.

The name of a Korean, Japanese or Chinese person is written in Latin letters in several ways: `Bong
Joon-ho`, `Joon-ho Bong` and `Bong Joonho` are one man. Other people keep the order of their names,
so `James Thomas` and `Thomas James` are two men.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from movierating.films.text import name_key

# TMDB has names of Western people in these scripts, too: longer ones, or in Kana or with a space.
_NATIVE: Final = re.compile("[\u3005\u3400-\u9fff\uac00-\ud7af]{2,4}")  # Han, Hangul
_MAX_WORDS: Final = 5  # a longer name is not one of such a person


def loose_key(name: str) -> str:
    """Return the key of a name without spaces: `bongjoonho`."""
    return name_key(name).replace(" ", "")


def loose_keys(names: Iterable[str]) -> set[str]:
    """Return the loose keys under which somebody with these normalised names is found.

    The set is empty if no name has the form of a native Korean, Japanese or Chinese one: two to
    four letters in Hangul or Han, without a space.
    """
    listed = list(names)
    if not any(map(_NATIVE.fullmatch, listed)):
        return set()
    return {"".join(words) for name in listed for words in _orders(name_key(name).split())}


def _orders(words: Sequence[str]) -> Iterator[Sequence[str]]:
    """Yield the words, also with the last word first and with the first word last."""
    if len(words) > _MAX_WORDS:
        return
    yield words
    yield [*words[-1:], *words[:-1]]
    yield [*words[1:], *words[:1]]
