"""Draw the field of one fact about a film, and show a fact as text.

The form and the scenarios have the same fields. They differ in the keys under which Streamlit's
session stores the values.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import date
from functools import partial
from typing import Any

import streamlit as st

from ui.client.predictions import Choices
from ui.i18n.words import Words
from ui.widgets import form_state, notices

# In all fields: "ignore" means that typing does not run the page again, and "session" keeps the
# value while the visitor is on another page.


def draw(
    words: Words, choices: Choices, field: str, key: str | None = None, first: Any = None
) -> None:
    """Draw the field of a fact.

    Args:
        words: The texts in the visitor's language.
        choices: The genres and languages that the model knows.
        field: The API's name of the fact.
        key: The key of the value in the session; None for the field of the form.
        first: The value with which the field appears, if the session has none; None for an empty
            field. The form knows the first values of its fields.
    """
    if key is None:
        key, first = form_state.key(field), form_state.first(field)
    if field == "overview":
        _plot(words, key, first)
    elif field in {"title", "collection"}:
        _text(words, field, key, first)
    elif field == "release_date":
        _date(words, key, first)
    elif field == "runtime":
        _number(words, field, key, 1.0, first)
    elif field == "budget":
        _number(words, field, key, 1e6, first)
        if note := words("form.budget_note"):
            notices.small_print(note)
    elif field == "language":
        _single_choice(words, key, choices.languages, words.language, first)
    else:
        _multiple_choice(words, choices, field, key, first)


def shown(words: Words, field: str, value: Any) -> str:
    """Return a fact as text in the visitor's language; a list becomes one line."""
    if value is None:
        return words("form.unknown")
    if isinstance(value, list):
        return ", ".join(_label_of(words, field)(each) for each in value)
    if field == "language":
        return words.language(value)
    if field in form_state.NUMBER_FIELDS:
        return words(f"form.{field}_value", number=words.number(value, "#,##0.###"))
    return str(value)


def _plot(words: Words, key: str, first: str | None) -> None:
    st.text_area(
        words("form.overview"),
        first or "",
        height=140,
        max_chars=form_state.MAX_PLOT_CHARACTERS,
        placeholder=words("form.overview_example"),
        key=key,
        on_change="ignore",
        persist_state="session",
    )


def _text(words: Words, field: str, key: str, first: str | None) -> None:
    is_title = field == "title"
    st.text_input(
        words(f"form.{field}"),
        first or "",
        max_chars=form_state.MAX_TITLE_CHARACTERS if is_title else form_state.MAX_NAME_CHARACTERS,
        key=key,
        on_change="ignore",
        persist_state="session",
    )


def _date(words: Words, key: str, first: date | None) -> None:
    st.date_input(
        words("form.release_date"),
        value=first,
        min_value=form_state.DATE_RANGE[0],
        max_value=form_state.DATE_RANGE[1],
        key=key,
        on_change="ignore",
        persist_state="session",
    )


def _number(words: Words, field: str, key: str, step: float, first: float | None) -> None:
    """Draw a field in which the visitor can type a number.

    The field accepts every number, and the API checks it. Streamlit could check limits too, but its
    error message is in English only. The field also accepts fractions, because a field for integers
    would read `1e5` as 1.
    """
    st.number_input(
        words(f"form.{field}"),
        value=first,
        step=step,
        format="%s",
        placeholder=words(f"form.{field}_example"),
        key=key,
        on_change="ignore",
        persist_state="session",
    )


def _multiple_choice(
    words: Words, choices: Choices, field: str, key: str, first: Sequence[str] | None
) -> None:
    """Draw a field in which the visitor can choose several values.

    The values are sorted by their labels. Values that are already chosen are added to the options.
    In fields for names, the visitor may also type other values.
    """
    options: Iterable[str] = ()
    if field == "genres":
        options = choices.genres
    elif field == "countries":
        options = _countries(words)
    is_open = field not in {"genres", "countries"}
    chosen = st.session_state.get(key, first or [])
    label_of = _label_of(words, field)
    labels = {option: label_of(option) for option in (*options, *chosen, *(first or ()))}
    st.multiselect(
        words(f"form.{field}"),
        sorted(labels, key=labels.__getitem__),
        default=first,
        format_func=lambda option: labels.get(option, option),
        key=key,
        max_selections=form_state.MAX_GENRES if field == "genres" else form_state.MAX_NAMES,
        placeholder=words("form.type_names" if is_open else "form.choose"),
        accept_new_options=is_open,
        on_change="ignore",
        persist_state="session",
    )


def _label_of(words: Words, field: str) -> Callable[[str], str]:
    labels: dict[str, Callable[[str], str]] = {
        "genres": partial(words.name, "genres"),
        "countries": words.country,
    }
    return labels.get(field, str)


def _countries(words: Words) -> Sequence[str]:
    # CLDR lists continents as territories too, with codes of three digits.
    codes = map(str, words.locale.territories)
    return [
        code for code in codes if len(code) == form_state.COUNTRY_CODE_LENGTH and code.isalpha()
    ]


def _single_choice(
    words: Words,
    key: str,
    options: Iterable[str],
    label_of: Callable[[str], str],
    first: str | None,
) -> None:
    """Draw the field in which the visitor can choose the language.

    The first choice is "unknown". The other values are sorted by their labels.
    """
    first = first or form_state.UNKNOWN
    chosen = st.session_state.get(key, first)
    labels = {
        option: label_of(option) for option in {*options, chosen, first} - {form_state.UNKNOWN}
    }
    shown_options = [form_state.UNKNOWN, *sorted(labels, key=labels.__getitem__)]
    st.selectbox(
        words("form.language"),
        shown_options,
        shown_options.index(first),
        format_func=lambda option: labels.get(option, words("form.unknown")),
        key=key,
        on_change="ignore",
        persist_state="session",
    )
