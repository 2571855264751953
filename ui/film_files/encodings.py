"""Find the encoding of a text file from its bytes.

Files of other programs do not name their encoding. A wrong one turns the letters into others in
silence: the apostrophe of Windows (cp1252) becomes a Hangul syllable in the Korean encoding. So an
encoding counts only if the text that it gives looks like text of that language, and if no other
encoding does as well.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Final

from ui.film_files.errors import FileError
from ui.i18n.words import Words


@dataclass(frozen=True)
class Decoded:
    """A text, and the name of its encoding, as spreadsheets call it."""

    text: str
    encoding: str


# The longest first: the mark of UTF-32 begins with that of UTF-16.
_MARKS: Final = (
    (b"\xff\xfe\x00\x00", "utf-32", "UTF-32 LE"),
    (b"\x00\x00\xfe\xff", "utf-32", "UTF-32 BE"),
    (b"\xef\xbb\xbf", "utf-8-sig", "UTF-8 (BOM)"),
    (b"\xff\xfe", "utf-16", "UTF-16 LE"),
    (b"\xfe\xff", "utf-16", "UTF-16 BE"),
)
# Characters that no text has; a picture or a program has many of them.
_BINARY: Final = re.compile(r"[\x00-\x08\x0e-\x1a\x1c-\x1f]")
_HANGUL: Final = re.compile("[가-힣]")
_MIN_COMMON: Final = 0.65  # of the Hangul; a Korean text has 0.92 on average, chance 0.25
_MAX_STRANGE: Final = 0.1  # of the letters of a text may be letters that its language rarely has
_MIN_ASCII: Final = 0.05  # of the characters of a table: separators and line ends
_MIN_KANA: Final = 0.15  # of the Japanese characters in a Japanese text
# What Western texts have beside letters. Other signs stand between letters only if a text in
# another encoding was read as Western.
_WESTERN_SIGNS: Final = frozenset("€‚„…‰‹‘’“”•–—™›\xa0¡¢£§©ª«\xad®°º»¿·´½¼¾²³")
# In one word, only the letters of one language stand together.
_WESTERN_LETTERS: Final = tuple(
    map(
        frozenset,
        (
            "àâçéèêëîïôœùûüÿ",  # French
            "äöüßé",  # German
            "áéíóúüñç",  # Spanish, Catalan
            "àèéìòùó",  # Italian
            "áâãàçéêíóôõú",  # Portuguese
            "åäöæøéü",  # Danish, Finnish, Norwegian, Swedish
            "éëïóöüèáíú",  # Dutch
            "áðéíóúþæöý",  # Icelandic; see below
        ),
    )
)
# Central European and Turkish letters (ć, ő, ř, ě, ğ, ş, ı) look like this if read as Western.
# Iceland's ð, þ and ý are among them, so a file with many of them is refused.
_DOUBTFUL: Final = re.compile("[ðþý]|õ(?!e)|iæ$|ø[íáý]|[^a]ê$")
_WORD: Final = re.compile(r"[^\W\d_]+")
_INSIDE_WORD: Final = re.compile(r"(?<=[^\W\d_])([^\w\s\x00-\x7f]|[ªº²³¹])(?=[^\W\d_])")
_QUOTES_IN_WORDS: Final = frozenset("’‘·\xad–—…™®“”")


def decode(raw: bytes) -> Decoded:
    """Decode the bytes of a text file.

    Raises:
        FileError: The file is not text ("unreadable"), or its encoding is in doubt ("encoding").
    """
    for mark, codec, name in _MARKS:
        if raw.startswith(mark):
            return _checked(_strict(raw, codec), name)
    if b"\0" in raw:
        return _without_mark(raw)
    text = _strict(raw, "utf-8")
    if text is not None:
        return _checked(text, "UTF-8")
    found = list(_plausible(raw))
    if len(found) != 1:
        raise FileError("encoding")
    return _checked(found[0].text, found[0].encoding)


def _strict(raw: bytes, codec: str) -> str | None:
    try:
        return raw.decode(codec)
    except UnicodeDecodeError:
        return None


def _checked(text: str | None, encoding: str) -> Decoded:
    if text is None:
        raise FileError("encoding")
    if _BINARY.search(text):
        raise FileError("unreadable")
    return Decoded(text.removeprefix("\ufeff"), encoding)


def _without_mark(raw: bytes) -> Decoded:
    """Decode UTF-16 without a mark: only there, a text has zero bytes.

    A table has separators and line ends, which are ASCII. Their zero byte comes second in UTF-16
    LE, and first in UTF-16 BE. Few other characters have a zero byte, such as the syllable 가.
    """
    zeros = {"utf-16-le": raw[1::2].count(0), "utf-16-be": raw[0::2].count(0)}
    codec = max(zeros, key=zeros.__getitem__)
    few, many = sorted(zeros.values())
    is_text = few * 3 <= many and many >= _MIN_ASCII * len(raw) / 2
    text = _strict(raw, codec) if is_text else None
    if text is None or _BINARY.search(text) or not re.search("[,;\t\n\r]", text):
        raise FileError("unreadable")
    return Decoded(text, codec.upper().replace("UTF-16-", "UTF-16 "))


def _plausible(raw: bytes) -> Iterator[Decoded]:
    for codec, (name, is_plausible) in _LEGACY.items():
        text = _strict(raw, codec)
        if text is not None and is_plausible(text):
            yield Decoded(text, name)


def _is_korean(text: str) -> bool:
    """Return whether the text looks Korean: nearly all of it is Hangul in everyday use."""
    letters = [letter for letter in text if letter > "\x7f" and letter.isalpha()]
    hangul = [letter for letter in letters if _HANGUL.match(letter)]
    if not hangul or len(letters) - len(hangul) > _MAX_STRANGE * len(letters):
        return False
    rare = sum(not _in_ks_x_1001(letter) for letter in hangul)
    common = sum(letter in _common_syllables() for letter in hangul)
    return rare <= _MAX_STRANGE * len(hangul) and common >= _MIN_COMMON * len(hangul)


@cache
def _in_ks_x_1001(syllable: str) -> bool:
    """Return whether a syllable is one of the 2,350 that nearly all Korean texts consist of."""
    try:
        return bool(syllable.encode("euc_kr"))
    except UnicodeEncodeError:
        return False


@cache
def _common_syllables() -> frozenset[str]:
    """Return the syllables of the page's Korean texts, and of Korean names of countries."""
    words = Words("ko")
    names = (*words.locale.languages.values(), *words.locale.territories.values())
    return frozenset(_HANGUL.findall("".join((*words.texts(), *map(str, names)))))


def _is_japanese(text: str) -> bool:
    """Return whether the text looks Japanese: it has kana, and few of them in half width."""
    wide = [letter for letter in text if letter > "\x7f" and letter.isalpha()]
    kana = sum("\u3041" <= letter <= "\u30ff" for letter in wide)
    half = sum("\uff66" <= letter <= "\uff9f" for letter in wide)
    other = sum("\u0370" <= letter <= "\u04ff" for letter in wide)  # Greek, Cyrillic
    return kana >= max(_MIN_KANA * len(wide), 1) and half + other <= _MAX_STRANGE * len(wide)


def _is_western(text: str) -> bool:
    """Return whether the text looks like one in a Western European language."""
    if any(
        sign > "\x7f" and not sign.isalpha() and sign not in _WESTERN_SIGNS for sign in set(text)
    ):
        return False
    if any(sign[0] not in _QUOTES_IN_WORDS for sign in _INSIDE_WORD.findall(text)):
        return False
    words = [word for word in _WORD.findall(text) if not word.isascii()]
    strange = sum(not _is_western_word(word) for word in words)
    return strange <= _MAX_STRANGE * len(words)


def _is_western_word(word: str) -> bool:
    if word[1:] != word[1:].lower() and word != word.upper() and not word[1:].isascii():
        return False  # a capital between small letters, as in "Žtude"
    lower = word.lower()
    special = {letter for letter in lower if letter > "\x7f"}
    return (
        any(special <= letters for letters in _WESTERN_LETTERS)
        and len(re.findall(r"[^\x00-\x7f]{3}", lower)) == 0
        and not _DOUBTFUL.search(lower)
    )


# What people have besides Unicode: Korean, Japanese and Western Windows. By codec: its name, and
# the check of a text.
_LEGACY: Final[dict[str, tuple[str, Callable[[str], bool]]]] = {
    "cp949": ("CP949 (EUC-KR)", _is_korean),
    "cp932": ("Shift-JIS", _is_japanese),
    "cp1252": ("Windows-1252", _is_western),
}
