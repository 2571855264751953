"""Functions on text: measure a plot, recognise its script, normalise it for a search."""

import re
import sys
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from movierating.films.film import Plot

_HANGUL: Final = re.compile(r"[가-힣]+")
# Korean attaches particles to the end of a word; its stem still gives the same n-grams.
_NGRAM_SYLLABLES: Final = (2, 3)


def measure_plot(overview: str | None) -> Plot | None:
    """Measure an English plot with TextBlob's lexicon; return None if there is no text.

    In other languages the sentiment is close to 0.0 and meaningless. Callers therefore translate a
    text without Latin letters first, or treat it as unknown. This function does not detect other
    languages in Latin letters.
    """
    text = (overview or "").strip()
    if not text:
        return None
    # The import takes half a second, so only callers that measure a plot pay for it. This is the
    # function behind `TextBlob(text).sentiment`. NLTK would import sklearn and scipy for parts that
    # are not used here, which takes 100 MB of memory.
    with _import_blocked("sklearn", "scipy"):
        from textblob.en import sentiment

    polarity, subjectivity = sentiment(text)
    return Plot(len(text), float(polarity), float(subjectivity), text)


def search_key(text: str) -> str:
    """Return text without differences in case, accents and spaces, to compare it in a search."""
    if not text.isascii():
        parts = unicodedata.normalize("NFKD", text)
        text = "".join(part for part in parts if not unicodedata.combining(part))
    return " ".join(text.casefold().split())


def is_latin(text: str) -> bool:
    """Return whether most letters of a text are Latin, so that it can be English."""
    letters = [letter for letter in text if letter.isalpha()]
    return sum(letter < "\u0250" for letter in letters) * 2 > len(letters)


def is_korean(text: str) -> bool:
    """Return whether most letters of a text are Hangul."""
    hangul = sum(map(len, _HANGUL.findall(text)))
    return hangul * 2 > sum(letter.isalpha() for letter in text)


def syllable_ngrams(text: str) -> list[str]:
    """Return all sequences of two and of three adjacent syllables in the Korean words of a text.

    They stand for the words of a Korean plot when no translation is available.
    """
    return [
        word[start : start + length]
        for word in _HANGUL.findall(text)
        for length in _NGRAM_SYLLABLES
        for start in range(len(word) - length + 1)
    ]


@contextmanager
def _import_blocked(*packages: str) -> Iterator[None]:
    """Make the import of these packages fail inside the block, unless they are imported already."""
    hidden = [name for name in packages if name not in sys.modules]
    sys.modules.update(dict.fromkeys(hidden))  # type: ignore[arg-type] # Python's import refuses a module that is None
    try:
        yield
    finally:
        for name in hidden:
            del sys.modules[name]
