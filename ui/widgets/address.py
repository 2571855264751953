"""Keep the address of the forecast page and its form together.

So a link opens with its forecast, the browser's buttons "back" and "forward" lead from forecast to
forecast, and a reload shows the same film. The address never contains the plot.
"""

from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, Final
from urllib.parse import urlencode

import streamlit as st

from ui.client.api import Facts, finite
from ui.widgets import form_state

# The query parameter that says which fact of the sender the link does not contain.
WITHOUT: Final = "without"
_OWN: Final = frozenset({*form_state.FIELDS, WITHOUT})
_REMEMBERED_PLOTS: Final = 50
_PAGE_DIGITS: Final = 5

_Address = tuple[tuple[str, tuple[str, ...]], ...]


def follow() -> None:
    """Fill in the form from the address if the address has changed, and ask for the forecast.

    It changes when the visitor opens a link, or goes back or forward. The session then still knows
    the plot, if the visitor had entered it.
    """
    state = st.session_state
    read_threshold()
    address = _present()
    if address in (state.get("address"), state.get("next_address")):
        state.address = address
        return
    linked = form_state.facts_from_query()
    is_return = state.get("page_before") != state.get("page")
    if linked:
        _ask_for(linked, address)
    elif "address" in state:
        state.written = None  # if the menu leads to the page without the facts, restore them
        if not is_return:
            state.pop("asked", None)
    # Last: if the visitor's next click ends this run earlier, the next run begins again.
    state.address = address


def _ask_for(linked: Facts, address: _Address) -> None:
    """Fill in the form with the facts of an address, and ask for their forecast."""
    state = st.session_state
    plot = state.get("plots", {}).get(address)
    form_state.fill_in(({"overview": plot} if plot else {}) | linked)
    state.started = True  # the form needs no first values
    facts = form_state.entered_facts()
    if facts.get("overview") or facts.get("genres"):
        state.asked = facts
        # An old link may contain a plot: then write the address again, without it.
        state.written = None if "overview" in linked else facts
    else:
        state.pop("asked", None)  # the API forecasts no film without a plot and a genre
        state.written = None


def write() -> None:
    """Write the facts of the present forecast into the address, without the plot."""
    state = st.session_state
    asked = state.get("asked")
    if asked == state.get("written"):
        return
    others: dict[str, Any] = {
        name: st.query_params.get_all(name) for name in st.query_params if name not in _OWN
    }
    new = others | {"lang": state.ui} | parameters(asked or {})
    # First: if the visitor's next click ends this run here, the address is no link to another film.
    state.next_address = _own_part(new)
    remember_plot(asked or {})
    st.query_params.from_dict(new)
    state.address, state.written = _present(), asked
    state.pop("next_address", None)


def remember_plot(facts: Facts) -> None:
    """Remember the plot that belongs to the address of some facts."""
    if "overview" in facts:
        plots = st.session_state.setdefault("plots", {})
        plots[_own_part(parameters(facts))] = facts["overview"]
        if len(plots) > _REMEMBERED_PLOTS:
            plots.pop(next(iter(plots)))


def read_threshold() -> None:
    """Read the rating whose chance a forecast shows, if the address names it."""
    with suppress(KeyError, ValueError):
        st.session_state.threshold = finite(st.query_params["threshold"])


def threshold_query() -> dict[str, list[str]]:
    """Return the parameter of a link that keeps the chosen threshold; none for the default."""
    chosen = st.query_params.get("threshold")
    return {"threshold": [chosen]} if chosen else {}


def write_threshold() -> None:
    """Write the rating to which the visitor has moved the chance's threshold into the address."""
    st.query_params["threshold"] = str(st.session_state.threshold)


def lacks_plot() -> bool:
    """Return whether the sender of the present link had a plot that this visitor does not have."""
    asked = st.session_state.get("asked", {})
    return st.query_params.get(WITHOUT) == "overview" and "overview" not in asked


def parameters(facts: Facts) -> dict[str, Any]:
    """Return the query parameters of a link to facts: all of them, but not the plot.

    Browser histories and server logs keep addresses, and a plot may be secret.
    """
    public: dict[str, Any] = {
        name: list(map(str, value)) if isinstance(value, list) else str(value)
        for name, value in facts.items()
        if name != "overview"
    }
    return public | ({WITHOUT: "overview"} if "overview" in facts else {})


def link_query(facts: Facts, language: str) -> str:
    """Return the end of a link (its query string) that opens the form with its forecast.

    Args:
        facts: The facts about the film.
        language: The language in which the page is opened.
    """
    # doseq: a list becomes one parameter per value, all with the same name.
    return "?" + urlencode({"lang": language, **parameters(facts)}, doseq=True)


def bind(name: str, key: str, read: Callable[[str], Any], default: Any) -> None:
    """Keep a query parameter and the value of a widget together. Call it before the widget.

    Streamlit can do so itself (`bind="query-params"`). But it writes the labels of choices, which
    are in the language of the page, and the browser's button "back" does not undo a change.

    Args:
        name: The name of the query parameter.
        key: The key of the widget.
        read: Converts the text in the address to the widget's value. It raises a ValueError for a
            text that is no such value.
        default: The value without the query parameter.
    """
    state, seen = st.session_state, f"address_{name}"
    written = st.query_params.get(name)
    if seen not in state or state[seen] != written:  # a link, or the browser's buttons
        state[key] = default
        with suppress(ValueError):
            state[key] = default if written is None else read(written)
    value = state.get(key, default)
    shown = None if value in {default, None} else str(value)
    if shown is None and written is not None:
        del st.query_params[name]
    elif shown is not None and shown != written:
        st.query_params[name] = shown
    state[seen] = shown


def page_number(text: str) -> int:
    """Read the number of a page of a list, or raise a ValueError."""
    if text.isascii() and text.isdigit() and len(text) <= _PAGE_DIGITS and int(text):
        return int(text)
    raise ValueError(f"{text} is no page")


def _present() -> _Address:
    """Return the part of the present address that says which film it is about."""
    return _own_part({name: st.query_params.get_all(name) for name in st.query_params})


def _own_part(query: Mapping[str, str | list[str]]) -> _Address:
    """Return the part of an address that says which film it is about."""
    own = ((name, query[name]) for name in sorted(_OWN & set(query)))
    return tuple((name, tuple(each if isinstance(each, list) else [each])) for name, each in own)
