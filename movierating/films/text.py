"""Functions on text: measure a plot, recognise its script, normalise it for a search."""

import re
import unicodedata
from typing import Final

from movierating.films.film import Plot
from movierating.films.sentiment import sentiment

_HANGUL: Final = re.compile(r"[가-힣]+")
# Korean attaches particles to the end of a word, so whole words rarely match. Short sequences of
# syllables (n-grams) from the word's stem still match.
_NGRAM_SYLLABLES: Final = (2, 3)


def measure_plot(overview: str | None) -> Plot | None:
    """Measure the length and sentiment of an English plot; return None if there is no text.

    TextBlob's lexicon is English, so in other languages the sentiment is close to 0.0 and
    meaningless. Callers therefore translate a plot in another script first, or treat it as unknown.
    This function does not recognise other languages in Latin letters.
    """
    text = (overview or "").strip()
    if not text:
        return None
    polarity, subjectivity = sentiment(text)
    return Plot(len(text), polarity, subjectivity, text)


def search_key(text: str) -> str:
    """Normalise a text for a search: lower case, no accents, single spaces."""
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

    The model uses them instead of words when a Korean plot cannot be translated.
    """
    return [
        word[start : start + length]
        for word in _HANGUL.findall(text)
        for length in _NGRAM_SYLLABLES
        for start in range(len(word) - length + 1)
    ]
