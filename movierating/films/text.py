"""A plot in numbers, in training and in serving alike; and text as it is searched."""

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
    """Measure an English plot by TextBlob's lexicon; None where there is no text.

    The mood of a text in another language comes out near 0.0 and means nothing: what is not in
    Latin letters is to be translated first or to count as unknown. Other languages in Latin letters
    are not told from English here.
    """
    text = (overview or "").strip()
    if not text:
        return None
    # Half a second: only for who measures. What `TextBlob(text).sentiment` asks, without the blob.
    with _absent("sklearn", "scipy"):  # or NLTK loads them for what nobody asks of it: 100 MB
        from textblob.en import sentiment

    polarity, subjectivity = sentiment(text)
    return Plot(len(text), float(polarity), float(subjectivity), text)


def search_key(text: str) -> str:
    """Text as it is searched: case, accents and the width of spaces do not count."""
    if not text.isascii():
        parts = unicodedata.normalize("NFKD", text)
        text = "".join(part for part in parts if not unicodedata.combining(part))
    return " ".join(text.casefold().split())


def is_latin(text: str) -> bool:
    """Whether most letters of a text are Latin, so that it can be English."""
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
def _absent(*packages: str) -> Iterator[None]:
    """Packages that are not imported yet cannot be imported meanwhile."""
    hidden = [name for name in packages if name not in sys.modules]
    sys.modules.update(dict.fromkeys(hidden))  # type: ignore[arg-type] # None stands for that
    try:
        yield
    finally:
        for name in hidden:
            del sys.modules[name]
