"""Entry file of the Streamlit UI: the language switch, the navigation and the footer.

Start it with `python -m ui.serve`. From this project it imports only `ui/`. Streamlit runs this
file after every click; each run fetches all facts about the model from the API, so no page shows
old facts.
"""

import json

import streamlit as st

from ui.i18n.words import LANGUAGES, Words, fill, widget_texts
from ui.server.addresses import HIDDEN_PAGES, PAGES
from ui.widgets import form, notices


def main() -> None:
    """Draw the language switch, the current page and the footer."""
    state = st.session_state
    requested = st.query_params.get("lang")
    state.setdefault("ui", requested if requested in LANGUAGES else next(iter(LANGUAGES)))
    words = Words(state.ui)
    # One icon for all pages: Streamlit would fetch the icon of a single page from Google.
    st.set_page_config(page_icon="🎬")
    current = st.navigation(
        [
            st.Page(
                f"ui/pages/{name}.py",
                title=words(f"pages.{name}"),
                default=name == PAGES[0],
                visibility="hidden" if name in HIDDEN_PAGES else "visible",
            )
            for name in (*PAGES, *HIDDEN_PAGES)
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
    current.run()
    st.divider()
    notices.small_print(words("page.notice"))
    st.page_link("ui/pages/privacy.py", label=words("pages.privacy"))
    st.html(
        fill(
            "document.html",
            {"language": state.ui, "widget_texts": json.dumps(widget_texts(state.ui))},
        ),
        unsafe_allow_javascript=True,
    )


def _switch_language() -> None:
    state = st.session_state
    st.query_params["lang"] = state.ui
    form.keep_choices()
    form.follow_page_language(state.ui)


if __name__ == "__main__":
    main()
