"""Read names from a cell: lists of names, genres, languages and countries."""

import ast
import json
import re
from functools import cache
from typing import Any, Final

from ui.film_files.numbers import is_nothing
from ui.film_files.table import Cell, text_of
from ui.i18n.words import LANGUAGES, TMDB_LANGUAGES, Words

SEPARATOR: Final = ";"  # between the names of one cell, in the files that the page writes
_BEGINS_LIST: Final = re.compile(r"[\[{]\s*['\"{]")
_MAX_LIST_CHARACTERS: Final = 100_000
# Genres have no such signs in their names. A slash stands in other names, such as Bait/Switch Ltd.
_BETWEEN_GENRES: Final = re.compile(r"[;,|/\n·ㆍ、，]")
_BETWEEN_NAMES: Final = re.compile(r"[;|\n]")
_BETWEEN_SHORT_NAMES: Final = re.compile(r"[;|\n/,、，]")
# A comma also stands inside one name: "Sony Pictures, Inc." and "Robert Downey, Jr.".
_AFTER_COMMA: Final = re.compile(
    r"[,、，](?!\s*(?:inc|ltd|llc|co|corp|gmbh|s\.a|l\.p|jr|sr|ii|iii|iv)\b)", re.IGNORECASE
)
_DOUBLE_GENRES: Final = {"멜로/로맨스": "로맨스"}  # one genre of the Korean Film Council
_NAMES_OF_ENTRIES: Final = ("name", "title", "iso_3166_1", "iso_639_1")


def read_text(cell: Cell) -> str:
    """Read a text, such as a title.

    Raises:
        ValueError: The cell is a date or another value that a spreadsheet has made of a text.
    """
    if isinstance(cell, bool) or not isinstance(cell, str | int | float):
        raise ValueError(cell)  # noqa: TRY004 - all errors of a cell are of one kind
    return text_of(cell)


def read_name(cell: Cell) -> str:
    """Read one name, also from an object such as `{'id': 10, 'name': 'Star Wars'}`."""
    text = read_text(cell)
    entries = _entries(text)
    return "" if is_nothing(text) else entries[0] if entries else text


def read_names(cell: Cell) -> list[str]:
    """Read a list of names of people, companies or keywords."""
    return _split(cell, _BETWEEN_NAMES, _AFTER_COMMA)


def read_genres(cell: Cell) -> list[str]:
    """Read a list of genres. Names that the page shows become TMDB's names."""
    text = _DOUBLE_GENRES.get(text_of(cell), cell)
    return [_shown_genres().get(name.casefold(), name) for name in _split(text, _BETWEEN_GENRES)]


def read_countries(cell: Cell) -> list[str]:
    """Read a list of countries. Names that the page shows become codes."""
    shown = _shown_countries()
    text = text_of(cell)
    if text.casefold() in shown:  # some names have a comma or a slash inside
        return [shown[text.casefold()]]
    return [shown.get(name.casefold(), name) for name in _split(cell, _BETWEEN_SHORT_NAMES)]


def read_language(cell: Cell) -> str:
    """Read a language. A name that the page shows becomes TMDB's code; the API reads others."""
    text = read_name(cell)
    return _shown_languages().get(text.casefold(), text)


def read_directors(cell: Cell) -> list[str]:
    """Read a list of directors, also from a list of a film's whole crew, as TMDB sends it."""
    crew = _parsed(read_text(cell))
    if not isinstance(crew, list) or not any(_job(person) for person in crew):
        return read_names(cell)
    return [_name_of(person) for person in crew if _job(person) == "Director"]


def _job(person: Any) -> Any:
    return person.get("job") if isinstance(person, dict) else None


def _split(cell: Cell, separators: re.Pattern[str], *others: re.Pattern[str]) -> list[str]:
    """Split a cell into names, each once, in their order.

    Args:
        cell: The cell: names, or a list in JSON or Python.
        separators: What stands between names.
        others: What stands between names in a cell that has none of the `separators`.
    """
    text = read_text(cell)
    if is_nothing(text):
        return []
    entries = _entries(text)
    if entries is None:
        found = next((each for each in (separators, *others) if each.search(text)), separators)
        entries = found.split(text)
    return list(dict.fromkeys(name.strip() for name in entries if name.strip()))


def _entries(text: str) -> list[str] | None:
    """Return the names in a list or object, in JSON or Python; None if the text is neither."""
    value = _parsed(text)
    if value is None:
        return None
    listed = value if isinstance(value, list) else [value]
    return [name for name in map(_name_of, listed) if name]


def _parsed(text: str) -> Any:
    if not text.startswith(("[", "{")):
        return None
    if len(text) > _MAX_LIST_CHARACTERS:
        raise ValueError("too long")
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        pass
    try:
        return ast.literal_eval(text)  # some exports write lists as Python does
    except (ValueError, SyntaxError, RecursionError, MemoryError):
        if _BEGINS_LIST.match(text):
            raise ValueError(text) from None  # it was a list, and is damaged
        return None  # a name in brackets, such as [REC]


def _name_of(entry: Any) -> str:
    if isinstance(entry, dict):
        return next((str(entry[key]) for key in _NAMES_OF_ENTRIES if entry.get(key)), "")
    return str(entry) if isinstance(entry, str | int) else ""


@cache
def _shown_genres() -> dict[str, str]:
    return {
        name.casefold(): original
        for code in LANGUAGES
        for original, shown in Words(code).section("genres").items()
        for name in (shown, original)
    }


@cache
def _shown_languages() -> dict[str, str]:
    codes = {code for code in map(str, Words("en").locale.languages) if len(code) == 2}  # noqa: PLR2004
    return {
        Words(language).language(code).casefold(): code
        for code in sorted(codes | TMDB_LANGUAGES.keys())
        for language in LANGUAGES
    }


@cache
def _shown_countries() -> dict[str, str]:
    return {
        str(name).casefold(): str(code)
        for language in LANGUAGES
        for code, name in Words(language).locale.territories.items()
        if len(code) == 2  # noqa: PLR2004 - others are continents
    }
