"""The types of a request's fields: read a value, or refuse it with a sentence for people.

A message says what is wrong with the value, and gives an example of a right one. It never repeats
the value, which could be long or private.
"""

import re
from collections.abc import Callable
from datetime import date
from typing import Annotated, Any, Final

from pydantic import BeforeValidator, FailFast, WithJsonSchema
from pydantic_core import PydanticCustomError

from movierating.films import tmdb
from movierating.films.film import Entity, Named
from movierating.films.genres import genre_named, genre_of_id
from movierating.films.text import normalise

MAX_RUNTIME: Final = 600
MAX_BUDGET: Final = 10_000_000_000
FIRST_DAY, LAST_DAY = date(1870, 1, 1), date(2100, 1, 1)
MAX_NAMES: Final = 1_000
MAX_NAME_CHARACTERS: Final = 200
MAX_TITLE_CHARACTERS: Final = 500
MAX_PLOT_CHARACTERS: Final = 10_000
MAX_GENRES: Final = 20
MAX_GENRE_CHARACTERS: Final = 60
MAX_COUNTRIES: Final = 30
MAX_CODE_CHARACTERS: Final = 100  # of a language or a country, which may be a name
LARGEST_FILM_ID: Final = 10**12  # SQLite could not compare much larger ones

_NULL: Final = {"type": "null"}  # in a JSON schema

# A number as text is read only if nobody can read it in another way: no signs, no exponents, no
# separators.
_PLAIN_NUMBER: Final = re.compile(r"[0-9]{1,12}(\.[0-9]{1,6})?")
_LARGEST_ID: Final = 10**9
_HALF_CHARACTER: Final = re.compile("[\ud800-\udfff]")  # JSON can contain half of an emoji
_DAY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_ID_WANTED: Final = 'send a whole number above 0, or leave "id" out'
_TYPES: Final = (
    (bool, "true or false"),
    (str, "a text"),
    ((int, float), "a number"),
    (list, "a list"),
    (dict, "an object"),
)


def refuse(code: str, problem: str, wanted: str) -> PydanticCustomError:
    """Build the error for a value: what is wrong with it, and what to send instead.

    Args:
        code: What kind of error it is, for programs; from `app.field_errors.CODES`.
        problem: What is wrong, as in "this is a list".
        wanted: What to send, as in "send a text, such as ko".
    """
    return stated(code, f"{problem}; {wanted}")


def stated(code: str, message: str) -> PydanticCustomError:
    """Build the error with this code and this sentence."""
    # Braces in the message itself would be taken for placeholders.
    return PydanticCustomError(code, "{message}", {"message": message})


def kind_of(value: Any) -> str:
    """Return what a value of JSON is, for a message: "a list", "true or false", ..."""
    return next((kind for types, kind in _TYPES if isinstance(value, types)), "null")


def text_reader(wanted: str, max_characters: int) -> Callable[[Any], str | None]:
    """Return a function that reads a text; null and a blank text count as left out."""

    def read(value: Any) -> str | None:
        if value is None:
            return None
        if not isinstance(value, str):
            raise refuse("wrong_type", f"this is {kind_of(value)}", wanted)
        return _short_enough(value, wanted, max_characters) or None

    return read


def list_reader(wanted: str, max_items: int) -> Callable[[Any], list[Any]]:
    """Return a function that checks that a value is a list; null counts as left out."""

    def read(value: Any) -> list[Any]:
        if value is None:
            return []
        if not isinstance(value, list | tuple):  # a program's own tuple, or a list from JSON
            raise refuse("wrong_type", f"this is {kind_of(value)}", wanted)
        if len(value) > max_items:
            problem = f"this list has {len(value):,} values"
            raise refuse("too_long", problem, f"send up to {max_items:,}")
        return list(value)

    return read


def read_named(value: Any) -> Named:
    """Read a person, company or keyword: a name, or one of TMDB's objects with a name and an id.

    An object without an id counts as its name.
    """
    wanted = 'send a name, such as "Bong Joon-ho"'
    if isinstance(value, Entity):  # from a program, not from JSON
        value = tmdb.to_json(value)
    name = value.get("name") if isinstance(value, dict) else value
    if not isinstance(name, str):
        problem = (
            "this object has no name" if isinstance(value, dict) else f"this is {kind_of(name)}"
        )
        raise refuse("wrong_type", problem, wanted)
    text = _not_empty(_short_enough(name, wanted, MAX_NAME_CHARACTERS), wanted)
    number = value.get("id") if isinstance(value, dict) else None
    if number is None:
        return text
    if not tmdb.is_id(number):
        raise refuse("wrong_type", "the id of this object is none of TMDB's", _ID_WANTED)
    return Entity(number, text)


def read_genre(value: Any) -> str:
    """Read a genre: a name, or TMDB's id of a genre, or one of TMDB's objects with both."""
    wanted = "send a name from /options such as Drama, or TMDB's id such as 18"
    if isinstance(value, dict):
        named = genre_of_id(value["id"]) if _is_id(value.get("id")) else None
        return named or read_genre(value.get("name"))
    if _is_id(value):
        if abs(value) > _LARGEST_ID:
            raise refuse("too_large", "no genre has such an id", wanted)
        return genre_of_id(value) or str(value)
    if not isinstance(value, str):
        raise refuse("wrong_type", f"this is {kind_of(value)}", wanted)
    text = _not_empty(_short_enough(value, wanted, MAX_GENRE_CHARACTERS), wanted)
    return genre_named(text) or text


def read_country(value: Any) -> str:
    """Read a country: a code or a name, or one of TMDB's objects with a code."""
    wanted = "send a code of ISO 3166-1, such as KR"
    code = value.get("iso_3166_1") if isinstance(value, dict) else value
    if not isinstance(code, str):
        problem = "this object has no iso_3166_1" if isinstance(value, dict) else kind_of(value)
        raise refuse("wrong_type", problem, wanted)
    return _not_empty(_short_enough(code, wanted, MAX_CODE_CHARACTERS), wanted)


def _read_collection(value: Any) -> Named | None:
    """Read a collection: its name, or TMDB's object with its name."""
    if value is None or (isinstance(value, str) and not value.strip()):
        return None
    return read_named(value)


def number_reader(unit: str, example: str, highest: float) -> Callable[[Any], float | None]:
    """Return a function that reads a positive number; null and 0 count as left out.

    TMDB sends 0 where it does not know a number.

    Args:
        unit: What is counted, as in "minutes".
        example: A right value.
        highest: The highest possible number.
    """
    wanted = f"send {unit} as a number above 0 and up to {highest:,}, such as {example}"

    def read(value: Any) -> float | None:
        if value is None:
            return None
        if isinstance(value, str) and _PLAIN_NUMBER.fullmatch(normalise(value)):
            value = float(normalise(value)) or -1.0  # "0" as a text is no blank of TMDB
        if isinstance(value, bool) or not isinstance(value, int | float):
            problem = (
                "this text is no number" if isinstance(value, str) else f"this is {kind_of(value)}"
            )
            raise refuse("not_a_number", problem, wanted)
        if not 0 <= value <= highest:  # also NaN
            if value > highest:
                raise refuse("too_large", "the number is too high", wanted)
            raise refuse("too_small", "the number is not above 0", wanted)
        return value or None

    return read


def read_date(value: Any) -> date | None:
    """Read a date in the form YYYY-MM-DD; null and an empty text count as left out."""
    wanted = "send YYYY-MM-DD, such as 2027-05-01"
    if value is None or value == "":
        return None
    if type(value) is date:  # from a program, not from JSON
        value = value.isoformat()
    if not isinstance(value, str):
        raise refuse("not_a_date", f"this is {kind_of(value)}", wanted)
    text = normalise(value)
    if not _DAY.fullmatch(text):
        raise refuse("not_a_date", "this text is no date in the form that is read", wanted)
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise refuse("not_a_date", "there is no such day", wanted) from None
    if not FIRST_DAY <= day <= LAST_DAY:
        wanted = f"send a date from {FIRST_DAY} to {LAST_DAY}, such as 2027-05-01"
        code, problem = ("too_large", "late") if day > LAST_DAY else ("too_small", "early")
        raise refuse(code, f"the date is too {problem}", wanted)
    return day


def read_film_id(value: Any) -> int | None:
    """Read TMDB's id of a film; null counts as left out."""
    wanted = "send TMDB's id of a film as a whole number, such as 496243"
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise refuse("wrong_type", f"this is {kind_of(value)}", wanted)
    if not value >= 1:  # also NaN
        raise refuse("too_small", "no film has such an id", wanted)
    if value > LARGEST_FILM_ID:
        raise refuse("too_large", "no film has such an id", wanted)
    if value != int(value):
        raise refuse("not_a_whole_number", "this is no whole number", wanted)
    return int(value)


def _is_id(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _short_enough(value: str, wanted: str, max_characters: int) -> str:
    """Normalise a text, or refuse it."""
    if len(value) > max_characters:
        problem = f"this text has {len(value):,} characters, more than {max_characters:,}"
        raise refuse("too_long", problem, wanted)
    if _HALF_CHARACTER.search(value):
        raise refuse("not_unicode", "this text contains half of a character", wanted)
    return normalise(value)


def _not_empty(text: str, wanted: str) -> str:
    if not text:
        raise refuse("too_short", "this text is empty", wanted)
    return text


def _or_null(*schemas: dict[str, Any]) -> WithJsonSchema:
    return WithJsonSchema({"anyOf": [*schemas, _NULL]})


def _text(max_characters: int, min_characters: int = 0) -> dict[str, Any]:
    return {"type": "string", "minLength": min_characters, "maxLength": max_characters}


def _object(**properties: dict[str, Any]) -> dict[str, Any]:
    """Describe one of TMDB's objects, which may have more properties than these."""
    return {"type": "object", "properties": properties, "required": list(properties)}


def _items(max_items: int, *items: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "maxItems": max_items, "items": {"anyOf": list(items)}}


# Only the first wrong entry of a list is reported: a report needs more memory than its entry.
_FIRST_ERROR: Final = FailFast()
_NAME: Final = _text(MAX_NAME_CHARACTERS, 1)
_NAMED: Final = _object(name=_NAME) | {
    "properties": {
        "name": _NAME,
        "id": {"anyOf": [{"type": "integer", "minimum": 1, "maximum": tmdb.LARGEST_ID}, _NULL]},
    }
}
_NAMES: Final = _items(MAX_NAMES, _NAME, _NAMED)
_NAMES_WANTED: Final = 'send a list of names, such as ["Ada Novak"]'

FilmId = Annotated[
    int | None,
    BeforeValidator(read_film_id),
    _or_null({"type": "integer", "minimum": 1, "maximum": LARGEST_FILM_ID}),
]
Title = Annotated[
    str | None,
    BeforeValidator(text_reader('send a text, such as "The Lantern"', MAX_TITLE_CHARACTERS)),
    _or_null(_text(MAX_TITLE_CHARACTERS)),
]
Plot = Annotated[
    str | None,
    BeforeValidator(text_reader("send the plot as a text", MAX_PLOT_CHARACTERS)),
    _or_null(_text(MAX_PLOT_CHARACTERS)),
]
Language = Annotated[
    str | None,
    BeforeValidator(text_reader("send a code from /options, such as ko", MAX_CODE_CHARACTERS)),
    _or_null(_text(MAX_CODE_CHARACTERS)),
]
Genres = Annotated[
    list[Annotated[str, BeforeValidator(read_genre)]],
    _FIRST_ERROR,
    BeforeValidator(list_reader('send a list of genres, such as ["Drama"]', MAX_GENRES)),
    _or_null(
        _items(
            MAX_GENRES,
            _text(MAX_GENRE_CHARACTERS, 1),
            {"type": "integer"},
            _object(id={"type": "integer"}, name=_text(MAX_GENRE_CHARACTERS, 1)),
        )
    ),
]
Countries = Annotated[
    list[Annotated[str, BeforeValidator(read_country)]],
    _FIRST_ERROR,
    BeforeValidator(list_reader('send a list of codes, such as ["KR"]', MAX_COUNTRIES)),
    _or_null(
        _items(
            MAX_COUNTRIES,
            _text(MAX_CODE_CHARACTERS, 1),
            _object(iso_3166_1=_text(MAX_CODE_CHARACTERS, 1)),
        )
    ),
]
Names = Annotated[
    list[Annotated[Named, BeforeValidator(read_named)]],
    _FIRST_ERROR,
    BeforeValidator(list_reader(_NAMES_WANTED, MAX_NAMES)),
    _or_null(_NAMES),
]
Keywords = Annotated[
    list[Annotated[Named, BeforeValidator(read_named)]],
    _FIRST_ERROR,
    BeforeValidator(list_reader(_NAMES_WANTED, MAX_NAMES)),
    _or_null(_NAMES, _object(keywords=_NAMES)),
]
Collection = Annotated[
    Named | None,
    BeforeValidator(_read_collection),
    _or_null(_text(MAX_NAME_CHARACTERS), _NAMED),
]
Minutes = Annotated[
    float | None,
    BeforeValidator(number_reader("minutes", "112", MAX_RUNTIME)),
    _or_null({"type": "number", "minimum": 0, "maximum": MAX_RUNTIME}),
]
Dollars = Annotated[
    float | None,
    BeforeValidator(number_reader("US dollars", "5000000", MAX_BUDGET)),
    _or_null({"type": "number", "minimum": 0, "maximum": MAX_BUDGET}),
]
Day = Annotated[
    date | None,
    BeforeValidator(read_date),
    _or_null({"type": "string", "format": "date"}, {"type": "string", "maxLength": 0}),
]
