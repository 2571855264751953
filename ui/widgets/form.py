"""The form about a film: its fields, and samples to start from."""

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Final

import streamlit as st

from ui.client.api import ApiError, Facts, ask, read_names
from ui.client.predictions import Choices
from ui.i18n.words import LANGUAGES, Words
from ui.widgets import form_state, note, problem

# Invented films; their titles and plots stand in the texts of each language.
SAMPLES: Final[dict[str, Facts]] = {
    "lighthouse": {"genres": ["Drama", "Mystery"], "runtime": 112},
    "kitchen": {"genres": ["Comedy", "Romance"], "runtime": 98},
    "mine": {"genres": ["Horror", "Thriller"], "runtime": 91},
}


def fields(words: Words, choices: Choices) -> None:
    """Draw the fields: four that most people know, and the others to be unfolded."""
    _start(choices)
    _samples(words)
    st.text_area(
        words("form.overview"),
        height=140,
        max_chars=form_state.PLOT_CHARACTERS,
        placeholder=words("form.overview_example"),
        key="overview",
        on_change="ignore",
        persist_state="session",
    )
    note.show(words("form.overview_note"))
    first, second, third = st.columns([2, 1, 1])
    with first:
        _several(words, "genres", choices.genres, partial(words.name, "genres"), form_state.GENRES)
    with second:
        _one(words, "language", choices.languages, words.language)
    with third:
        _number(words("form.runtime"), "runtime", 1.0, words("form.runtime_example"))
    # What stays folded is not drawn: half of the fields, with the names of 250 countries.
    more = st.expander(words("form.more"), key="more", on_change="rerun")
    if more.open:
        with more:
            _more(words)


def keep_choices() -> None:
    """Keep what is chosen: the browser sends it by labels, which change with the language."""
    state = st.session_state
    for name in ("language", "genres", "countries", "search_field", "if_genre", "if_month"):
        if name in state:
            state[name] = state[name]


def _start(choices: Choices) -> None:
    """Fill the form in from the page's address, once, or presume a film of its language."""
    state = st.session_state
    if "started" in state:
        return
    state.started = True
    told = form_state.from_query()
    if told:
        form_state.hold(told)
        return
    offered = state.ui in choices.languages or not choices.languages
    state.setdefault("language", state.ui if offered else form_state.UNKNOWN)


def presume_language(chosen: str) -> None:
    """Follow the page's language with the film's, as long as nothing is filled in."""
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
            form_state.hold(SAMPLES[chosen] | texts | {"language": words.code})
            st.session_state.sample = None

    st.pills(
        words("form.samples"),
        list(SAMPLES),
        format_func=lambda name: words(f"samples.{name}_title"),
        key="sample",
        on_change=start_from,
    )


def _more(words: Words) -> None:
    first, second = st.columns(2)
    first.text_input(
        words("form.title"),
        max_chars=form_state.TITLE_CHARACTERS,
        key="title",
        on_change="ignore",
        persist_state="session",
    )
    second.date_input(
        words("form.release_date"),
        value=None,
        min_value=form_state.DATES[0],
        max_value=form_state.DATES[1],
        key="release_date",
        on_change="ignore",
        persist_state="session",
    )
    names(words)
    first, second = st.columns(2)
    with first:
        _several(words, "countries", _countries(words), words.country, form_state.NAMES)
    with second:
        _number(words("form.budget"), "budget", 1e6, words("form.budget_example"))
    _several(words, "keywords", (), str, form_state.NAMES, new=True)


@st.fragment
def names(words: Words) -> None:
    """Search names that the model knows while one types, and add them to the film."""
    state = st.session_state
    first, second = st.columns([1, 2])
    field = first.selectbox(
        words("form.search_field"),
        [*form_state.NAMED, "collection"],
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
    found = _found(words, field, letters or "")

    def add() -> None:
        name = state.found
        if name and field == "collection":
            state.collection = name
        elif name:
            state[field] = list(dict.fromkeys([*state.get(field, []), name]))[: form_state.NAMES]
        state.found, state.search = None, ""

    if found:
        st.pills(words("form.found"), found, key="found", on_change=add)
    first, second = st.columns(2)
    for at, name in enumerate(form_state.NAMED):
        with (first, second)[at % 2]:
            _several(words, name, (), str, form_state.NAMES, new=True)
    st.text_input(
        words("form.collection"),
        max_chars=form_state.NAME_CHARACTERS,
        key="collection",
        on_change="ignore",
        persist_state="session",
    )


def _found(words: Words, field: str, letters: str) -> list[str]:
    if not letters.strip():
        return []
    try:
        found = ask(read_names, "/people", params={"q": letters, "field": field})
    except ApiError as error:
        problem.show(words, error)
        return []
    if not found:
        note.show(words("form.none_found"))
    return found


def _countries(words: Words) -> Sequence[str]:
    codes = map(str, words.locale.territories)
    return [code for code in codes if len(code) == form_state.COUNTRY_CODE and code.isalpha()]


def _several(  # noqa: PLR0913, PLR0917 - what a field is made of
    words: Words,
    key: str,
    options: Iterable[str],
    called: Callable[[str], str],
    most: int,
    new: bool = False,
) -> None:
    """Several of the options in the order of their names; what is chosen stays."""
    chosen = st.session_state.setdefault(key, [])
    known = {option: called(option) for option in (*options, *chosen)}
    st.multiselect(
        words(f"form.{key}"),
        sorted(known, key=known.__getitem__),
        format_func=lambda option: known.get(option, option),
        key=key,
        max_selections=most,
        placeholder=words("form.type_names" if new else "form.choose"),
        accept_new_options=new,
        on_change="ignore",
        persist_state="session",
    )


def _number(label: str, key: str, step: float, example: str) -> None:
    """A number as it was typed; which ones make sense, the API says in words of any language.

    With limits, or with whole numbers alone, Streamlit would say so in English, or cut off
    what stands behind `1` in `1e5`.
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


def _one(words: Words, key: str, options: Iterable[str], called: Callable[[str], str]) -> None:
    """One of the options in the order of their names, or `film.UNKNOWN`; what is chosen stays."""
    chosen = st.session_state.get(key, form_state.UNKNOWN)
    known = {option: called(option) for option in {*options, chosen} - {form_state.UNKNOWN}}
    st.selectbox(
        words(f"form.{key}"),
        [form_state.UNKNOWN, *sorted(known, key=known.__getitem__)],
        format_func=lambda option: known.get(option, words("form.unknown")),
        key=key,
        on_change="ignore",
        persist_state="session",
    )
