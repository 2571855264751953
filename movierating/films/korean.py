"""Korean plots as they are written: pieces of their words, for when no translation is to be had."""

import re
from typing import Final

_HANGUL: Final = re.compile(r"[가-힣]+")
_PIECES: Final = (2, 3)  # syllables: stems come out alike whatever particles follow them


def is_korean(text: str) -> bool:
    """Whether most letters of a text are Hangul."""
    hangul = sum(map(len, _HANGUL.findall(text)))
    return hangul * 2 > sum(letter.isalpha() for letter in text)


def pieces(text: str) -> list[str]:
    """The two and three syllables that stand side by side in the words of a text."""
    return [
        word[start : start + length]
        for word in _HANGUL.findall(text)
        for length in _PIECES
        for start in range(len(word) - length + 1)
    ]
