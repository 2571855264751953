"""TMDB's country codes (ISO 3166-1), and what people write instead of them.

The names of countries are from CLDR, through Babel.
"""

import re
from functools import cache
from typing import Final

from babel import Locale
from babel.core import get_global

from movierating.films.languages import NAMES_IN
from movierating.films.text import name_key

# Codes that TMDB uses for countries that exist no longer, or that ISO 3166-1 does not have.
TMDB_COUNTRIES: Final = {
    "AN": "Netherlands Antilles",
    "BU": "Burma",
    "CS": "Serbia and Montenegro",
    "SU": "Soviet Union",
    "TP": "East Timor",
    "XC": "Czechoslovakia",
    "XG": "East Germany",
    "XI": "Northern Ireland",
    "YU": "Yugoslavia",
    "ZR": "Zaire",
}
# Entries of CLDR's list that are no countries, such as the European Union.
_NO_COUNTRIES: Final = frozenset({"EU", "EZ", "QO", "UN", "XA", "XB", "ZZ"})
# Names at TMDB, and names in common use, that CLDR does not have.
_OTHER_NAMES: Final = {
    "america": "US",
    "bosnia and herzegovina": "BA",
    "czech republic": "CZ",
    "england": "GB",
    "great britain": "GB",
    "holland": "NL",
    "hong kong": "HK",
    "ivory coast": "CI",
    "korea": "KR",
    "macao": "MO",
    "macedonia": "MK",
    "palestine": "PS",
    "republic of korea": "KR",
    "russian federation": "RU",
    "scotland": "GB",
    "swaziland": "SZ",
    "turkey": "TR",
    "united states of america": "US",
    "viet nam": "VN",
    "wales": "GB",
    "west germany": "DE",
    "남아공": "ZA",
    "남한": "KR",
    "구소련": "SU",
    "동독": "XG",
    "마카오": "MO",
    "보스니아": "BA",
    "서독": "DE",
    "소련": "SU",
    "유고슬라비아": "YU",
    "이태리": "IT",
    "잉글랜드": "GB",
    "체코슬로바키아": "XC",
    "터키": "TR",
    "호주": "AU",
    "북한": "KP",
    "한국": "KR",
    "홍콩": "HK",
}
_TWO_LETTERS: Final = re.compile("[A-Z]{2}").fullmatch  # CLDR also has numbers of continents


def country_code(text: str) -> str | None:
    """Return TMDB's code of a country, from what a person wrote.

    A person may write the code in any case, a code of three letters such as `KOR`, another code in
    common use such as `UK`, or an English or Korean name.

    Returns:
        The code; None if there is no such country.
    """
    code = text.strip().upper().replace(".", "")  # U.K.
    if code in _codes():
        return code
    successors = get_global("territory_aliases").get(code, ())
    if len(successors) == 1 and successors[0] in _codes() and not code.isdecimal():
        return str(successors[0])
    return _by_name().get(name_key(text))


@cache
def _codes() -> frozenset[str]:
    listed = frozenset(code for code in map(str, Locale("en").territories) if _TWO_LETTERS(code))
    return listed - _NO_COUNTRIES | TMDB_COUNTRIES.keys()


@cache
def _by_name() -> dict[str, str]:
    named = {
        name_key(name): code
        for locale in NAMES_IN
        for code, name in Locale(locale).territories.items()
        if code in _codes()
    }
    past = {name_key(name): code for code, name in TMDB_COUNTRIES.items()}
    return past | named | _OTHER_NAMES
