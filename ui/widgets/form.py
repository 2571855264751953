"""The form in which a visitor enters the facts about a film.

The visitor can also choose a sample film, whose facts then fill in the form.
"""

from typing import Final

import streamlit as st

from ui.client.api import ApiError, Facts, fetch, parse_names
from ui.client.predictions import Choices
from ui.i18n.words import LANGUAGES, Words
from ui.widgets import fields, form_state, notices, translation
from ui.widgets.markdown import plain

# Invented films; their titles and plots are in the texts of each language.
SAMPLES: Final[dict[str, Facts]] = {
    "lighthouse": {"genres": ["Drama", "Mystery"], "runtime": 112},
    "kitchen": {"genres": ["Comedy", "Romance"], "runtime": 98},
    "mine": {"genres": ["Horror", "Thriller"], "runtime": 91},
}
_SHORT: Final = ("genres", "language", "runtime")  # beside each other, below the plot


def draw(words: Words, choices: Choices) -> None:
    """Draw the form: the four main fields, and an area with all other fields.

    This area is closed until the visitor opens it.
    """
    _prefill(choices)
    _samples(words)
    fields.draw(words, choices, "overview")
    translation.draw(words, choices)
    first, second, third = st.columns([2, 1, 1])
    for column, field in zip((first, second, third), _SHORT, strict=True):
        with column:
            fields.draw(words, choices, field)
    # Draw these fields only while the expander is open: they are half of the form, and one of them
    # has the names of 250 countries.
    more = st.expander(words("form.more"), key="more", on_change="rerun")
    if more.open:
        with more:
            _draw_more(words, choices)


def keep_choices() -> None:
    """Keep what the visitor has chosen in the form when the language of the page changes.

    The browser sends a choice as its label, and the labels change with the language. So Streamlit
    would empty these fields. It keeps values that the script itself has set. Therefore this
    function sets each value again.
    """
    state = st.session_state
    form_state.put({name: form_state.value(name) for name in ("language", "genres", "countries")})
    for name in map(str, list(state)):
        if name == "search_field" or name.startswith(form_state.SCENARIO_PREFIX):
            state[name] = state[name]


def _prefill(choices: Choices) -> None:
    """Set the film's language to that of the page when a session first shows an empty form."""
    state = st.session_state
    if "started" in state:
        return
    offered = state.ui in choices.languages or not choices.languages
    if offered and not form_state.value("language"):
        form_state.put({"language": state.ui})
    state.started = True


def follow_page_language(chosen: str) -> None:
    """Set the film's language to the language that the visitor has just chosen for the page.

    If another field of the form has a value, the film's language does not change.
    """
    untouched = not form_state.entered_facts().keys() - {"language"}
    if untouched and form_state.value("language") in LANGUAGES:
        form_state.put({"language": chosen})


def _samples(words: Words) -> None:
    def start_from() -> None:
        chosen = st.session_state.sample
        if chosen:
            texts = {
                "title": words(f"samples.{chosen}_title"),
                "overview": words(f"samples.{chosen}_plot"),
            }
            _keep_own_words()
            form_state.fill_in(SAMPLES[chosen] | texts | {"language": words.code})
            st.session_state.sample_facts = form_state.entered_facts()
            st.session_state.sample = None  # so that the visitor can choose the same sample again

    st.pills(
        words("form.samples"),
        list(SAMPLES),
        format_func=lambda name: words(f"samples.{name}_title"),
        key="sample",
        on_change=start_from,
    )
    # The language alone was not typed: the form begins with the language of the page.
    if st.session_state.get("before_sample", {}).keys() - {"language"}:
        st.button(words("find.undo"), key="sample_undo", on_click=_bring_back_own_words)


def _keep_own_words() -> None:
    """Keep what the visitor has entered, before a sample fills in the form."""
    state = st.session_state
    facts = form_state.entered_facts()
    if facts != state.get("sample_facts"):  # it is no sample that was chosen before
        state.before_sample = facts


def _bring_back_own_words() -> None:
    """Fill in the form with what it contained before the visitor chose a sample."""
    state = st.session_state
    form_state.fill_in(state.pop("before_sample"))
    state.pop("sample_facts", None)


def _draw_more(words: Words, choices: Choices) -> None:
    _side_by_side(words, choices, "title", "release_date")
    _draw_names(words, choices)
    _side_by_side(words, choices, "countries", "budget")
    fields.draw(words, choices, "keywords")


def _side_by_side(words: Words, choices: Choices, *names: str) -> None:
    for at, name in enumerate(names):
        if at % 2 == 0:
            columns = st.columns(2)
        with columns[at % 2]:
            fields.draw(words, choices, name)


@st.fragment
def _draw_names(words: Words, choices: Choices) -> None:
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
            form_state.put({field: name})
        elif name:
            form_state.put({field: [*form_state.value(field), name]})
        state.found, state.search = None, ""

    if found:
        st.pills(words("form.found"), found, format_func=plain, key="found", on_change=add)
    _side_by_side(words, choices, *form_state.NAME_FIELDS)
    fields.draw(words, choices, "collection")


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
