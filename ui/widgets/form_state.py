"""Read and set the values in the fields of the form.

The values are stored in Streamlit's session. So they are kept when the visitor opens another page
or changes the language.

A value that the script writes to the session, for a field that the browser already shows, reaches
the browser only if the run of the script ends. If the visitor's next click replaces the run, the
browser's old value wins, and the new value is lost. So `put` gives the field a new key: it becomes
a new field, which appears with its value.
"""

from contextlib import suppress
from datetime import date
from typing import Any, Final

import streamlit as st

from ui.client.api import Facts, finite

UNKNOWN: Final = ""
# The limits are the API's, except that it allows more names.
DATE_RANGE: Final = (date(1870, 1, 1), date(2100, 1, 1))
MAX_PLOT_CHARACTERS: Final = 10_000
MAX_NAME_CHARACTERS: Final = 200
MAX_TITLE_CHARACTERS: Final = 500
MAX_GENRES: Final = 20
MAX_NAMES: Final = 30
COUNTRY_CODE_LENGTH: Final = 2

TEXT_FIELDS: Final = ("overview", "title", "collection")
LIST_FIELDS: Final = (
    "genres",
    "countries",
    "directors",
    "writers",
    "cast",
    "companies",
    "keywords",
)
NUMBER_FIELDS: Final = ("runtime", "budget")
NAME_FIELDS: Final = ("directors", "writers", "cast", "companies")
SCENARIO_PREFIX: Final = "if_"  # of the keys in the session under which scenarios are entered
FIELDS: Final = (*TEXT_FIELDS, *LIST_FIELDS, "language", *NUMBER_FIELDS, "release_date")


def entered_facts() -> Facts:
    """Return the values in the form as the body of a request `POST /predict`.

    Empty fields are left out.
    """
    return _facts({name: value(name) for name in FIELDS})


def key(name: str) -> str:
    """Return the key under which the session stores the value of a field."""
    turn, _ = _last_put(name)
    return f"{name}_{turn}" if turn else name


def first(name: str) -> Any:
    """Return the value with which a field appears."""
    return _last_put(name)[1]


def value(name: str) -> Any:
    """Return the value of a field, whether it is on the page now or not."""
    return st.session_state.get(key(name), first(name))


def put(values: Facts) -> None:
    """Set the values of some fields, which get new keys."""
    fields = {name: (_last_put(name)[0] + 1, field_value(name, values[name])) for name in values}
    # One assignment: Streamlit can end a run of the script at each access to the session.
    st.session_state.form_fields = st.session_state.get("form_fields", {}) | fields


def _last_put(name: str) -> tuple[int, Any]:
    """Return how often a field was set, and the last value."""
    fields: dict[str, tuple[int, Any]] = st.session_state.get("form_fields", {})
    return fields.get(name, (0, field_value(name, None)))


def cleaned(facts: Any) -> Facts:
    """Return the usable facts about a film, for example of facts that a browser has kept."""
    if not isinstance(facts, dict):
        return {}
    return _facts({name: field_value(name, facts.get(name)) for name in FIELDS})


def _facts(values: dict[str, Any]) -> Facts:
    values |= {name: (values[name] or "").strip() for name in TEXT_FIELDS}
    if values["release_date"]:
        values["release_date"] = values["release_date"].isoformat()
    numbers = {name: values[name] for name in NUMBER_FIELDS}
    values |= {name: int_if_whole(number) for name, number in numbers.items() if number is not None}
    return {
        name: list(value) if name in LIST_FIELDS else value
        for name, value in values.items()
        if value or value == 0  # send 0: the API explains why it refuses it
    }


def with_ids(facts: Facts) -> Facts:
    """Replace names by TMDB's objects with ids, where they are those of the film that was chosen.

    Several people can have one name. The form shows only the names.
    """
    known: dict[tuple[str, str], Facts] = st.session_state.get("film_entities", {})
    return {
        field: [known.get((field, each), each) for each in value]
        if isinstance(value, list)
        else known.get((field, value), value)
        for field, value in facts.items()
    }


def int_if_whole(number: float) -> float:
    """Convert a whole number such as 112.0 to an integer; return other numbers unchanged."""
    return int(number) if number.is_integer() else number


def fill_in(facts: Facts) -> None:
    """Fill in the form with the facts about a film.

    A field becomes empty if `facts` has no value for it, or a value that the field cannot show.
    """
    put({name: facts.get(name) for name in FIELDS})


def facts_from_query() -> Facts:
    """Return the facts about a film that the page's address contains (in its query string)."""
    query = st.query_params
    single = {name: query[name] for name in FIELDS if name in query and name not in LIST_FIELDS}
    return single | {name: query.get_all(name) for name in LIST_FIELDS if name in query}


def field_value(name: str, value: Any) -> Any:
    """Convert a value to the type that a field of the form needs.

    The value may come from a link that a person has changed, so it may be anything. If it cannot be
    converted, the result is the value of an empty field.

    Args:
        name: The field's name.
        value: The value to convert.
    """
    if name in TEXT_FIELDS:
        limit = {"overview": MAX_PLOT_CHARACTERS, "title": MAX_TITLE_CHARACTERS}.get(
            name, MAX_NAME_CHARACTERS
        )
        return str(value or "")[:limit]
    if name in LIST_FIELDS:
        limit = MAX_GENRES if name == "genres" else MAX_NAMES
        each_value = value if isinstance(value, list) else []
        texts = dict.fromkeys(str(each)[:MAX_NAME_CHARACTERS] for each in each_value if each)
        return list(texts)[:limit]
    if name == "language":
        return str(value or UNKNOWN)
    with suppress(TypeError, ValueError, OverflowError):
        if name == "release_date":
            day = date.fromisoformat(str(value))
            return day if DATE_RANGE[0] <= day <= DATE_RANGE[1] else None
        return finite(value)
    return None
