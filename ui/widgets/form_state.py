"""A film as it is filled in: what the fields hold, what the API is asked, and what a link carries.

It lives in Streamlit's session under the names of the API's fields, so that it outlives a change of
page or language.
"""

from contextlib import suppress
from datetime import date
from typing import Any, Final
from urllib.parse import urlencode

import streamlit as st

from ui.client.api import Facts, finite

UNKNOWN: Final = ""
DATES: Final = (date(1870, 1, 1), date(2100, 1, 1))
PLOT_CHARACTERS: Final = 10_000
NAME_CHARACTERS: Final = 200
TITLE_CHARACTERS: Final = 500
GENRES: Final = 20
NAMES: Final = 30
COUNTRY_CODE: Final = 2

TEXTS: Final = ("overview", "title", "collection")
LISTS: Final = ("genres", "countries", "directors", "writers", "cast", "companies", "keywords")
NUMBERS: Final = ("runtime", "budget")
NAMED: Final = ("directors", "writers", "cast", "companies")
FIELDS: Final = (*TEXTS, *LISTS, "language", *NUMBERS, "release_date")


def facts() -> Facts:
    """What is filled in, as `POST /predict` takes it; what is not known is left out."""
    state = st.session_state
    held = {name: state.get(name) for name in FIELDS}
    held |= {name: (held[name] or "").strip() for name in TEXTS}
    if held["release_date"]:
        held["release_date"] = held["release_date"].isoformat()
    numbers = {name: held[name] for name in NUMBERS}
    held |= {name: whole(number) for name, number in numbers.items() if number is not None}
    return {
        name: list(value) if name in LISTS else value
        for name, value in held.items()
        if value or value == 0  # which the API refuses in words
    }


def whole(number: float) -> float:
    """A number without the fraction that it does not have."""
    return int(number) if number.is_integer() else number


def hold(told: Facts) -> None:
    """Fill the form in with facts, and with nothing else; what no field can hold is left out."""
    state = st.session_state
    for name in FIELDS:
        state[name] = _held(name, told.get(name))


def link(told: Facts, language: str) -> str:
    """The query that fills the form in again."""
    return "?" + urlencode({"lang": language, **told}, doseq=True)


def from_query() -> Facts:
    """The facts that the page's address holds."""
    query = st.query_params
    single = {name: query[name] for name in FIELDS if name in query and name not in LISTS}
    return single | {name: query.get_all(name) for name in LISTS if name in query}


def _held(name: str, value: Any) -> Any:
    """A value as its field holds it, or the empty field where it cannot."""
    if name in TEXTS:
        most = {"overview": PLOT_CHARACTERS, "title": TITLE_CHARACTERS}.get(name, NAME_CHARACTERS)
        return str(value or "")[:most]
    if name in LISTS:
        most = GENRES if name == "genres" else NAMES
        texts = dict.fromkeys(str(each)[:NAME_CHARACTERS] for each in value or [] if each)
        return list(texts)[:most]
    if name == "language":
        return str(value or UNKNOWN)
    with suppress(TypeError, ValueError, OverflowError):
        if name == "release_date":
            day = date.fromisoformat(str(value))
            return day if DATES[0] <= day <= DATES[1] else None
        return finite(value)
    return None
