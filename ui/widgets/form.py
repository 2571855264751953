"""The form in which a visitor enters the facts about a film.

The visitor can also choose a sample film, whose facts then fill in the form.
"""

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Final

import streamlit as st

from ui.client.api import ApiError, Facts, fetch, parse_names
from ui.client.predictions import Choices
from ui.i18n.words import LANGUAGES, Words
from ui.widgets import form_state, notices, translation
from ui.widgets.markdown import plain

# Invented films; their titles and plots are in the texts of each language.
SAMPLES: Final[dict[str, Facts]] = {
    "lighthouse": {"genres": ["Drama", "Mystery"], "runtime": 112},
    "kitchen": {"genres": ["Comedy", "Romance"], "runtime": 98},
    "mine": {"genres": ["Horror", "Thriller"], "runtime": 91},
}


def draw(words: Words, choices: Choices) -> None:
    """Draw the form: the four main fields, and an area with all other fields.

    This area is closed until the visitor opens it.
    """
    _prefill(choices)
    _samples(words)
    # In all fields of the form: "ignore" means that typing does not run the page again, and
    # "session" keeps the value while the visitor is on another page.
    st.text_area(
        words("form.overview"),
        height=140,
        max_chars=form_state.MAX_PLOT_CHARACTERS,
        placeholder=words("form.overview_example"),
        key="overview",
        on_change="ignore",
        persist_state="session",
    )
    translation.draw(words, choices)
    first, second, third = st.columns([2, 1, 1])
    with first:
        _multiple_choice(
            words, "genres", choices.genres, partial(words.name, "genres"), form_state.MAX_GENRES
        )
    with second:
        _single_choice(words, "language", choices.languages, words.language)
    with third:
        _number_field(words("form.runtime"), "runtime", 1.0, words("form.runtime_example"))
    # Draw these fields only while the expander is open: they are half of the form, and one of them
    # has the names of 250 countries.
    more = st.expander(words("form.more"), key="more", on_change="rerun")
    if more.open:
        with more:
            _draw_more(words)


def keep_choices() -> None:
    """Keep what the visitor has chosen in the form when the language of the page changes.

    The browser sends a choice as its label, and the labels change with the language. So Streamlit
    would empty these fields. It keeps values that the script itself has set. Therefore this
    function sets each value again.
    """
    state = st.session_state
    for name in ("language", "genres", "countries", "search_field", "if_genre", "if_month"):
        if name in state:
            state[name] = state[name]


def _prefill(choices: Choices) -> None:
    """Fill in the form when a visitor opens it for the first time in a session.

    The values are the facts about a film in the page's address. If the address has no facts, only
    the film's language is filled in: it is set to the language of the page.
    """
    state = st.session_state
    if "started" in state:
        return
    state.started = True
    facts = form_state.facts_from_query()
    if facts:
        form_state.fill_in(facts)
        return
    offered = state.ui in choices.languages or not choices.languages
    state.setdefault("language", state.ui if offered else form_state.UNKNOWN)


def follow_page_language(chosen: str) -> None:
    """Set the film's language to the language that the visitor has just chosen for the page.

    If another field of the form has a value, the film's language does not change.
    """
    state = st.session_state
    untouched = not any(state.get(name) for name in form_state.FIELDS if name != "language")
    if untouched and state.get("language") in LANGUAGES:
        state.language = chosen


def _samples(words: Words) -> None:
    def start_from() -> None:
        chosen = st.session_state.sample
        if chosen:
            texts = {
                "title": words(f"samples.{chosen}_title"),
                "overview": words(f"samples.{chosen}_plot"),
            }
            form_state.fill_in(SAMPLES[chosen] | texts | {"language": words.code})
            st.session_state.sample = None  # so that the visitor can choose the same sample again

    st.pills(
        words("form.samples"),
        list(SAMPLES),
        format_func=lambda name: words(f"samples.{name}_title"),
        key="sample",
        on_change=start_from,
    )


def _draw_more(words: Words) -> None:
    first, second = st.columns(2)
    first.text_input(
        words("form.title"),
        max_chars=form_state.MAX_TITLE_CHARACTERS,
        key="title",
        on_change="ignore",
        persist_state="session",
    )
    second.date_input(
        words("form.release_date"),
        value=None,
        min_value=form_state.DATE_RANGE[0],
        max_value=form_state.DATE_RANGE[1],
        key="release_date",
        on_change="ignore",
        persist_state="session",
    )
    _draw_names(words)
    first, second = st.columns(2)
    with first:
        _multiple_choice(words, "countries", _countries(words), words.country, form_state.MAX_NAMES)
    with second:
        _number_field(words("form.budget"), "budget", 1e6, words("form.budget_example"))
        if note := words("form.budget_note"):
            notices.small_print(note)
    _multiple_choice(words, "keywords", (), str, form_state.MAX_NAMES, new=True)


@st.fragment
def _draw_names(words: Words) -> None:
    """Draw the fields for names, such as directors, and a search for names.

    The search runs each time the visitor types a letter. This is a Streamlit fragment: only this
    function runs again then, not the whole page.
    """
    state = st.session_state
    first, second = st.columns([1, 2])
    field = first.selectbox(
        words("form.search_field"),
        [*form_state.NAME_FIELDS, "collection"],
        format_func=lambda name: words(f"form.{name}"),
        key="search_field",
    )
    letters = second.text_input(
        words("form.search"),
        type="search",
        max_chars=100,
        placeholder=words("form.search_example"),
        key="search",
        live=True,
    )
    found = _search(words, field, letters or "")

    def add() -> None:
        name = state.found
        if name and field == "collection":
            state.collection = name
        elif name:
            state[field] = list(dict.fromkeys([*state.get(field, []), name]))[
                : form_state.MAX_NAMES
            ]
        state.found, state.search = None, ""

    if found:
        st.pills(words("form.found"), found, format_func=plain, key="found", on_change=add)
    first, second = st.columns(2)
    for at, name in enumerate(form_state.NAME_FIELDS):
        with (first, second)[at % 2]:
            _multiple_choice(words, name, (), str, form_state.MAX_NAMES, new=True)
    st.text_input(
        words("form.collection"),
        max_chars=form_state.MAX_NAME_CHARACTERS,
        key="collection",
        on_change="ignore",
        persist_state="session",
    )


def _search(words: Words, field: str, letters: str) -> list[str]:
    if not letters.strip():
        return []
    try:
        found = fetch(parse_names, "/people", params={"q": letters, "field": field})
    except ApiError as error:
        notices.show_error(words, error)
        return []
    if not found:
        notices.small_print(words("form.none_found"))
    return found


def _countries(words: Words) -> Sequence[str]:
    # CLDR lists continents as territories too, with codes of three digits.
    codes = map(str, words.locale.territories)
    return [
        code for code in codes if len(code) == form_state.COUNTRY_CODE_LENGTH and code.isalpha()
    ]


def _multiple_choice(  # noqa: PLR0913, PLR0917 - a field has that many properties
    words: Words,
    key: str,
    options: Iterable[str],
    label_of: Callable[[str], str],
    limit: int,
    new: bool = False,
) -> None:
    """Draw a field in which the visitor can choose several values.

    Args:
        words: The texts in the visitor's language.
        key: The field's name in the API and in the session.
        options: The values to choose from. Values that are already chosen are added to them.
        label_of: Returns the label that the visitor sees for a value. The values are sorted by it.
        limit: How many values the visitor may choose.
        new: Whether the visitor may also type other values.
    """
    chosen = st.session_state.setdefault(key, [])
    labels = {option: label_of(option) for option in (*options, *chosen)}
    st.multiselect(
        words(f"form.{key}"),
        sorted(labels, key=labels.__getitem__),
        format_func=lambda option: labels.get(option, option),
        key=key,
        max_selections=limit,
        placeholder=words("form.type_names" if new else "form.choose"),
        accept_new_options=new,
        on_change="ignore",
        persist_state="session",
    )


def _number_field(label: str, key: str, step: float, example: str) -> None:
    """Draw a field in which the visitor can type a number.

    The field accepts every number, and the API checks it. Streamlit could check limits too, but its
    error message is in English only. The field also accepts fractions, because a field for integers
    would read `1e5` as 1.
    """
    st.number_input(
        label,
        value=None,
        step=step,
        format="%s",
        placeholder=example,
        key=key,
        on_change="ignore",
        persist_state="session",
    )


def _single_choice(
    words: Words, key: str, options: Iterable[str], label_of: Callable[[str], str]
) -> None:
    """Draw a field in which the visitor can choose one value.

    The first choice is "unknown". The other values are sorted by their labels.

    Args:
        words: The texts in the visitor's language.
        key: The field's name in the API and in the session.
        options: The values to choose from.
        label_of: Returns the label that the visitor sees for a value.
    """
    chosen = st.session_state.get(key, form_state.UNKNOWN)
    labels = {option: label_of(option) for option in {*options, chosen} - {form_state.UNKNOWN}}
    st.selectbox(
        words(f"form.{key}"),
        [form_state.UNKNOWN, *sorted(labels, key=labels.__getitem__)],
        format_func=lambda option: labels.get(option, words("form.unknown")),
        key=key,
        on_change="ignore",
        persist_state="session",
    )
