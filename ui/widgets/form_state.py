"""The state of the form: the field values, the facts sent to the API, and the link to the form.

The values are kept in Streamlit's session under the names of the API's fields, so they survive a
change of page or language.
"""

from contextlib import suppress
from datetime import date
from typing import Any, Final
from urllib.parse import urlencode

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
FIELDS: Final = (*TEXT_FIELDS, *LIST_FIELDS, "language", *NUMBER_FIELDS, "release_date")


def entered_facts() -> Facts:
    """Return the form's values as a request for `POST /predict`, without empty fields."""
    state = st.session_state
    values = {name: state.get(name) for name in FIELDS}
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


def int_if_whole(number: float) -> float:
    """Convert a whole number such as 112.0 to an integer; leave 90.5 as it is."""
    return int(number) if number.is_integer() else number


def fill_in(facts: Facts) -> None:
    """Set every field of the form from the facts about a film.

    A field becomes empty if the facts have no value for it, or a value that the field cannot show.
    """
    state = st.session_state
    for name in FIELDS:
        state[name] = _field_value(name, facts.get(name))


def link_query(facts: Facts, language: str) -> str:
    """Return the query string of a link that fills in the form with these facts."""
    # doseq: a list becomes one parameter per value, all with the same name.
    return "?" + urlencode({"lang": language, **facts}, doseq=True)


def facts_from_query() -> Facts:
    """Return the facts about a film in the query string of the page's address."""
    query = st.query_params
    single = {name: query[name] for name in FIELDS if name in query and name not in LIST_FIELDS}
    return single | {name: query.get_all(name) for name in LIST_FIELDS if name in query}


def _field_value(name: str, value: Any) -> Any:
    """Convert a value to its field's type; return the field's empty value if that is impossible.

    The value may come from a link that a person has edited, so it may be anything.
    """
    if name in TEXT_FIELDS:
        limit = {"overview": MAX_PLOT_CHARACTERS, "title": MAX_TITLE_CHARACTERS}.get(
            name, MAX_NAME_CHARACTERS
        )
        return str(value or "")[:limit]
    if name in LIST_FIELDS:
        limit = MAX_GENRES if name == "genres" else MAX_NAMES
        texts = dict.fromkeys(str(each)[:MAX_NAME_CHARACTERS] for each in value or [] if each)
        return list(texts)[:limit]
    if name == "language":
        return str(value or UNKNOWN)
    with suppress(TypeError, ValueError, OverflowError):
        if name == "release_date":
            day = date.fromisoformat(str(value))
            return day if DATE_RANGE[0] <= day <= DATE_RANGE[1] else None
        return finite(value)
    return None
