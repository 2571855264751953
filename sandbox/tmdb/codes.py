"""TMDB's codes and names of genres, languages and countries."""

from functools import cache

from babel import Locale
from babel.localedata import locale_identifiers

ENGLISH = Locale("en")
ISO_LENGTH = 2

GENRES: dict[int, str] = {
    28: "Action",
    12: "Adventure",
    16: "Animation",
    35: "Comedy",
    80: "Crime",
    99: "Documentary",
    18: "Drama",
    10751: "Family",
    14: "Fantasy",
    36: "History",
    27: "Horror",
    10402: "Music",
    9648: "Mystery",
    10749: "Romance",
    878: "Science Fiction",
    10770: "TV Movie",
    53: "Thriller",
    10752: "War",
    37: "Western",
}
# Old data sets contain this genre; TMDB no longer lists it.
RETIRED_GENRES: dict[int, str] = {10769: "Foreign"}
GENRE_IDS: dict[str, int] = {name: code for code, name in (GENRES | RETIRED_GENRES).items()}

# Two-letter codes that TMDB uses although ISO 639-1 does not have them, or no longer has them.
OWN_LANGUAGES: dict[str, tuple[str, str]] = {
    "cn": ("Cantonese", "广州话 / 廣州話"),
    "mo": ("Moldavian", ""),
    "xx": ("No Language", "No Language"),
}
# TMDB has "cn" for Cantonese, so its "zh" means only Mandarin; in CLDR it means all of Chinese.
OWN_LANGUAGE_NAMES: dict[str, str] = {"zh": "Mandarin"}

# Names of countries where TMDB's differ from CLDR's, and names of former states.
OWN_COUNTRIES: dict[str, str] = {
    "AN": "Netherlands Antilles",
    "BA": "Bosnia and Herzegovina",
    "CG": "Congo",
    "CI": "Cote D'Ivoire",
    "CS": "Serbia and Montenegro",
    "CZ": "Czech Republic",
    "FO": "Faeroe Islands",
    "GP": "Guadaloupe",
    "HK": "Hong Kong",
    "KG": "Kyrgyz Republic",
    "KN": "St. Kitts and Nevis",
    "LA": "Lao People's Democratic Republic",
    "LY": "Libyan Arab Jamahiriya",
    "MK": "Macedonia",
    "MM": "Myanmar",
    "MO": "Macao",
    "PM": "St. Pierre and Miquelon",
    "PS": "Palestinian Territory",
    "SU": "Soviet Union",
    "SY": "Syrian Arab Republic",
    "SZ": "Swaziland",
    "TC": "Turks and Caicos Islands",
    "TR": "Turkey",
    "TT": "Trinidad and Tobago",
    "US": "United States of America",
    "XC": "Czechoslovakia",
    "XG": "East Germany",
    "XI": "Northern Ireland",
    "YU": "Yugoslavia",
}


@cache
def language(code: str) -> dict[str, str]:
    """Return a language as TMDB describes it in JSON: its code and its names.

    For an unknown code, the names are empty.
    """
    if code in OWN_LANGUAGES:
        english, native = OWN_LANGUAGES[code]
    else:
        english = OWN_LANGUAGE_NAMES.get(code, ENGLISH.languages.get(code, ""))
        native = _native_name(code)
    return {"english_name": english, "iso_639_1": code, "name": native}


@cache
def languages() -> list[dict[str, str]]:
    """Return TMDB's response to `/configuration/languages`: all languages with their names."""
    iso_639_1 = {code for code in map(str, ENGLISH.languages) if len(code) == ISO_LENGTH}
    return [language(code) for code in sorted(iso_639_1 | OWN_LANGUAGES.keys())]


@cache
def country_name(code: str) -> str:
    """Return the name that TMDB uses for the country with this code; "" for an unknown code."""
    return OWN_COUNTRIES.get(code, str(ENGLISH.territories.get(code, "")))


@cache
def country_code(name: str) -> str:
    """Return the code of the country with this name in TMDB; "" for an unknown name."""
    return _country_codes().get(name, "")


def _native_name(code: str) -> str:
    """Return a language's name in the language itself; "" if Unicode's CLDR does not have it."""
    if code not in _locales():
        return ""
    name = str(Locale(code).languages.get(code, ""))
    return name[:1].upper() + name[1:]


@cache
def _locales() -> frozenset[str]:
    return frozenset(locale_identifiers())


@cache
def _country_codes() -> dict[str, str]:
    # CLDR also lists continents, whose codes are three digits; they are left out.
    territories = ENGLISH.territories.items()
    iso_3166_1 = {
        str(name): str(code) for code, name in territories if len(str(code)) == ISO_LENGTH
    }
    return iso_3166_1 | {name: code for code, name in OWN_COUNTRIES.items()}
