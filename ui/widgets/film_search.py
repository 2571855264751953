"""The search for a film by its title; a film that the visitor chooses fills in the form."""

from typing import Final

import streamlit as st

from ui.client.api import ApiError, fetch
from ui.client.films import FilmDetails, FoundFilm, parse_films
from ui.i18n.words import Words
from ui.widgets import film_lines, form_state, notices
from ui.widgets.markdown import plain

_SHOWN_FILMS: Final = 8
_POSTER_PIXELS: Final = 92


@st.fragment
def draw(words: Words) -> None:
    """Draw the search. It runs each time the visitor types a letter.

    This is a Streamlit fragment: only this function runs again then, not the whole page. When the
    visitor chooses a film, the whole page runs again, because the fields of the form change.
    """
    state = st.session_state
    letters = st.text_input(
        words("find.title"),
        type="search",
        max_chars=200,
        placeholder=words("find.example"),
        key="film_letters",
        live=True,
    )
    found = {film.film_id: film for film in _search(words, letters or "")}
    if found:
        st.pills(
            words("find.found"),
            list(found),
            format_func=lambda film_id: (
                plain(film_lines.label(words, found[film_id])) if film_id in found else ""
            ),
            key="film_found",
            on_change=_choose,
        )
    if state.pop("film_chosen", False):
        st.rerun()


def draw_chosen(words: Words) -> None:
    """Draw what is known about the film that the visitor has chosen, while the form is about it."""
    state = st.session_state
    details: FilmDetails | None = state.get("film_details")
    if details is None or state.get("asked") != state.get("film_asked"):
        return  # the visitor has changed the facts meanwhile
    film = details.film
    if film.poster:
        st.image(film.poster, width=_POSTER_PIXELS)
    with st.container():
        st.text(film_lines.label(words, film))
        notices.small_print(film_lines.status(words, details))
        if details.is_training_film:
            notices.small_print(words("find.training_film"))
        st.page_link(
            film_lines.PAGE,
            label=words("find.page"),
            query_params=film_lines.query(words, film.film_id),
        )
        if details.url:
            st.link_button(words("find.at_tmdb"), details.url)
    # The language alone was not typed: the form begins with the language of the page.
    if state.get("film_before", {}).keys() - {"language"}:
        st.button(words("find.undo"), key="film_undo", on_click=_undo)


def _search(words: Words, letters: str) -> list[FoundFilm]:
    if not letters.strip():
        return []
    try:
        found = fetch(parse_films, "/films", params={"q": letters, "limit": str(_SHOWN_FILMS)})
    except ApiError as error:
        notices.show_error(words, error)
        return []
    if not found:
        notices.small_print(words("find.none"))
    return found


def _choose() -> None:
    """Fill in the form with the facts about the chosen film, and ask for its forecast."""
    state = st.session_state
    film_id, state.film_found, state.film_letters = state.film_found, None, ""
    if film_id is None:
        return
    try:
        details = fetch(FilmDetails.parse, f"/films/{film_id}")
    except ApiError:
        return  # the next search shows the same problem
    fill_in(details)
    state.film_chosen = True


def fill_in(details: FilmDetails) -> None:
    """Fill in the form with a film of the catalogue, and keep what the visitor has typed."""
    state = st.session_state
    state.film_before = form_state.entered_facts()
    form_state.fill_in(details.facts)
    state.film_details, state.film_entities = details, details.entities
    state.asked = state.film_asked = form_state.entered_facts()


def _undo() -> None:
    """Fill in the form with what it contained before the visitor chose a film."""
    state = st.session_state
    form_state.fill_in(state.film_before)
    for name in ("film_before", "asked", "film_asked", "film_details", "film_entities"):
        state.pop(name, None)
