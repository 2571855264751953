"""Functions on text: normalise it, compare names, measure a plot, recognise its script.

A text is normalised where it enters the project: `scripts.store.parsing` does it for TMDB's films,
and the API for what a caller sends. So the same text gives the same tokens in training and serving,
however it was typed.
"""

import re
import unicodedata
from typing import Final

from movierating.films.film import Plot
from movierating.films.sentiment import sentiment

_HANGUL: Final = re.compile(r"[가-힣]+")


def _full_width() -> dict[int, int | str | None]:
    """Map full-width Latin and half-width Japanese and Korean characters to their usual width."""
    wide = {code: unicodedata.normalize("NFKC", chr(code)) for code in range(0xFF01, 0xFFEF)}
    return {code: char for code, char in wide.items() if char != chr(code)}


def _plain_letters() -> dict[int, str]:
    """Map Latin letters that Unicode does not split into letter and mark, such as ø, to o."""
    plain = {ord(letter): text for letter, text in _LIGATURES.items()}
    for code in _LATIN_LETTERS:
        base, _, mark = unicodedata.name(chr(code), "").partition(" WITH ")
        letter = base.removeprefix("LATIN SMALL LETTER ")
        if mark and len(letter) == 1:
            plain[code] = letter.lower()
    return plain


# Control characters, soft hyphens, marks of the writing direction, and other characters without
# width. They come along when a text is copied, and no reader sees them. The joiners of Persian and
# Indian scripts (U+200C, U+200D) are not among them, because they change how a word looks.
_INVISIBLE: Final = (
    *(code for code in range(0x20) if not chr(code).isspace()),
    *range(0x7F, 0x85),
    *range(0x86, 0xA0),
    *(0xAD, 0x200B, 0x200E, 0x200F, 0x2060, 0xFEFF),
    *range(0x202A, 0x202F),
    *range(0x2066, 0x206A),
)
_LATIN_LETTERS: Final = range(0xC0, 0x250)
_LIGATURES: Final = {"æ": "ae", "œ": "oe", "ı": "i", "ð": "d", "þ": "th"}
_AT_THE_DOOR: Final = _full_width() | dict.fromkeys(_INVISIBLE)
_PLAIN_LETTERS: Final = _plain_letters()
_ODD: Final = re.compile(f"[{re.escape(''.join(map(chr, _AT_THE_DOOR)))}]")
_ACCENTS: Final = re.compile("[\u0300-\u036f]")
_ASCII_KEY: Final = _AT_THE_DOOR | {
    code: chr(code).lower() if chr(code).isalnum() else " "
    for code in range(128)
    if code not in _INVISIBLE
}


def normalise(text: str) -> str:
    """Return a text in its usual form: composed letters (NFC), usual width, single spaces.

    Characters that nobody sees are removed. Line breaks become spaces.
    """
    if _ODD.search(text):  # rare, and a search takes less time than a translation
        text = text.translate(_AT_THE_DOOR)
    if not text.isascii():
        text = unicodedata.normalize("NFC", text)
    return " ".join(text.split())


def name_key(name: str) -> str:
    """Return the key by which names are compared: two spellings of one name have the same key.

    The key has lower case, no accents, and a single space for everything between two words. So
    `Bong Joon-ho`, `BONG  JOON HO` and a copy in full-width letters are one name, and so are
    `Almodóvar` and `Almodovar`. A name without letters and digits is its own key.
    """
    if name.isascii():
        return " ".join(name.translate(_ASCII_KEY).split()) or normalise(name)
    text = unicodedata.normalize("NFKD", name.translate(_AT_THE_DOOR)).casefold()
    text = unicodedata.normalize("NFKD", text)
    text = _ACCENTS.sub("", text).translate(_PLAIN_LETTERS)
    kept = "".join(map(_in_key, unicodedata.normalize("NFC", text)))
    return " ".join(kept.split()) or normalise(name).casefold()


def _in_key(character: str) -> str:
    """Return what a character is in a key: itself, a space, or nothing if nobody sees it."""
    category = unicodedata.category(character)
    if character.isalnum() or category[0] == "M":  # M: vowels of Thai and Indian scripts
        return character
    return "" if category == "Cf" else " "


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


def is_latin(text: str) -> bool:
    """Return whether most letters of a text are Latin, so that it can be English."""
    letters = [letter for letter in text if letter.isalpha()]
    return sum(letter < "\u0250" for letter in letters) * 2 > len(letters)


def is_korean(text: str) -> bool:
    """Return whether most letters of a text are Hangul."""
    hangul = sum(map(len, _HANGUL.findall(text)))
    return hangul * 2 > sum(letter.isalpha() for letter in text)
