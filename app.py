"""Entry file of the Streamlit UI: the language switch, the navigation and the footer.

Start it with `python -m ui.serve`. From this project it imports only `ui/`. Streamlit runs this
file after every click; each run fetches all facts about the model from the API, so no page shows
old facts.
"""

import json

import streamlit as st

from ui.client.visitor import CONSENT
from ui.i18n.choice import choose
from ui.i18n.words import LANGUAGES, Words, fill, widget_texts
from ui.server.addresses import FILM, HIDDEN_PAGES, PAGES
from ui.widgets import form, keeper, notices


def main() -> None:
    """Draw the language switch, the current page and the footer."""
    state = st.session_state
    if "ui" not in state:
        _begin()
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
    if not current.url_path and FILM in st.query_params:  # the first page has an empty path
        st.switch_page(f"ui/pages/{FILM}.py", query_params=st.query_params.to_dict())
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
    state.page_before, state.page = state.get("page"), current.url_path
    current.run()
    st.divider()
    notices.small_print(words("page.notice"))
    st.page_link("ui/pages/privacy.py", label=words("pages.privacy"))
    st.html(
        fill(
            "document.html",
            {
                "language": state.ui,
                "consent": str(state.get(CONSENT) is True).lower(),
                "widget_texts": json.dumps(widget_texts(state.ui)),
            },
        ),
        unsafe_allow_javascript=True,
    )
    keeper.draw()


def _begin() -> None:
    """Choose the language of a new session, and read what the browser remembers of earlier ones."""
    state, cookies = st.session_state, st.context.cookies
    state.ui = choose(
        st.query_params.get("lang"), cookies.get("lang"), st.context.headers.get("Accept-Language")
    )
    state[CONSENT] = cookies.get(CONSENT) == "true"


def _switch_language() -> None:
    state = st.session_state
    st.query_params["lang"] = state.ui
    form.keep_choices()
    form.follow_page_language(state.ui)


if __name__ == "__main__":
    main()
