"""The page of an address that has none; `st.navigation` executes it."""

import streamlit as st

from ui.i18n.words import Words
from ui.server.addresses import PAGES


def main() -> None:
    """Say so, and show the way to those that there are."""
    words = Words(st.session_state.ui)
    st.title(words("not_found.title"), anchor=False)
    st.markdown(words("not_found.lead"))
    for name in PAGES:
        st.page_link(f"ui/pages/{name}.py", label=words(f"pages.{name}"))


if __name__ == "__main__":
    main()
