"""The frame of the page: its language, its parts, and what stands below all of them.

Run it with `python -m ui.serve`. It imports nothing of the project but `ui/`: what it shows of
the model it asks over HTTP, anew each time, so that nothing on it grows stale.
"""

import json

import streamlit as st

from ui.i18n.words import LANGUAGES, Words, fill, own_words
from ui.server.addresses import NOT_FOUND, PAGES
from ui.widgets import form, note


def main() -> None:
    """Draw the page from the top, as Streamlit does after every click."""
    state = st.session_state
    wanted = st.query_params.get("lang")
    state.setdefault("ui", wanted if wanted in LANGUAGES else next(iter(LANGUAGES)))
    words = Words(state.ui)
    # An icon of a page's own would be its favicon, which Streamlit takes from Google.
    st.set_page_config(page_icon="🎬")
    shown = st.navigation(
        [
            st.Page(
                f"ui/pages/{name}.py",
                title=words(f"pages.{name}"),
                default=name == PAGES[0],
                visibility="hidden" if name == NOT_FOUND else "visible",
            )
            for name in (*PAGES, NOT_FOUND)
        ],
        position="top",
    )
    st.container(horizontal_alignment="right").radio(
        words("page.switch"),
        list(LANGUAGES),
        format_func=LANGUAGES.__getitem__,
        key="ui",
        on_change=_switch_language,
        horizontal=True,
        label_visibility="collapsed",
        persist_state="session",
    )
    shown.run()
    st.divider()
    note.show(words("page.notice"))
    st.html(
        fill("document.html", {"language": state.ui, "own_words": json.dumps(own_words(state.ui))}),
        unsafe_allow_javascript=True,
    )


def _switch_language() -> None:
    state = st.session_state
    st.query_params["lang"] = state.ui
    form.keep_choices()
    form.presume_language(state.ui)


if __name__ == "__main__":
    main()
