"""TMDB's language codes, and what people write instead of them.

The names of languages and the official languages of countries are from CLDR, through Babel.
"""

import re
from collections.abc import Container
from functools import cache
from typing import Final

from babel import Locale
from babel.core import get_global
from babel.languages import get_official_languages
from babel.localedata import exists as has_locale

from movierating.films.text import name_key

# TMDB's own codes, which are not in ISO 639-1. From TMDB's code to the code that Babel uses for the
# same language: Cantonese, and "no language".
TMDB_LANGUAGES: Final = {"cn": "yue", "xx": "zxx"}
NAMES_IN: Final = ("en", "ko")  # the languages in which names of languages and countries are read

# CLDR's codes for languages that have another code at TMDB.
_FROM_CLDR: Final = {cldr: tmdb for tmdb, cldr in TMDB_LANGUAGES.items()} | {"fil": "tl"}
_CODE: Final = re.compile(r"[a-z]{2,3}")
_TWO_LETTERS: Final = 2  # all codes of TMDB
# Names at TMDB that CLDR does not have.
_OTHER_NAMES: Final = {
    "mandarin": "zh",
    "mandarin chinese": "zh",
    "bengali": "bn",
    "farsi": "fa",
    "sinhalese": "si",
    "kirghiz": "ky",
    "no language": "xx",
    "만다린": "zh",
    "북경어": "zh",
    "보통화": "zh",
    "독어": "de",
    "불어": "fr",
    "일어": "ja",
    "노어": "ru",
    "서반아어": "es",
    "이태리어": "it",
    "터키어": "tr",
}


def language_code(text: str, known: Container[str] = ()) -> str | None:
    """Return TMDB's code of a language, from what a person wrote.

    A person may write the code in any case, a language tag such as `ko-KR`, a code of three letters
    such as `kor`, an English or Korean name, or the code of a country with one official language,
    such as `kr`. A code from `known` is never read as a country's.

    Args:
        text: What the person wrote.
        known: Codes of languages that the model knows.

    Returns:
        The code; None if the text does not stand for a language.
    """
    code = re.split("[-_]", text.strip().casefold())[0]
    if code in known:
        return code
    return (_of_code(code) if _CODE.fullmatch(code) else None) or _by_name().get(name_key(text))


def _of_code(code: str) -> str | None:
    """Return TMDB's code for a code of two or three letters, also for a country's."""
    is_language = code in TMDB_LANGUAGES or code in Locale("en").languages
    # Some codes stand for a language and for a country. CLDR describes every language in which
    # much is written, so a code without such a description means the country: `kr` is Korea more
    # often than Kanuri, but `br` is Breton.
    if is_language and len(code) == _TWO_LETTERS and has_locale(TMDB_LANGUAGES.get(code, code)):
        return code
    alias = str(get_global("language_aliases").get(code, "")).partition("_")[0] or code
    if alias in _FROM_CLDR or alias != code:
        return _FROM_CLDR.get(alias, alias)
    return _of_country(code) or (code if is_language and len(code) == _TWO_LETTERS else None)


def _of_country(code: str) -> str | None:
    official = get_official_languages(code.upper(), de_facto=True)
    language = str(official[0]).partition("_")[0] if len(official) == 1 else ""
    return _FROM_CLDR.get(language, language) or None


@cache
def _by_name() -> dict[str, str]:
    named = {
        name_key(name): _FROM_CLDR.get(code, code)
        for locale in NAMES_IN
        for code, name in Locale(locale).languages.items()
        if "_" not in code
    }
    return named | _OTHER_NAMES
