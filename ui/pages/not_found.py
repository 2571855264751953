"""The page that visitors see if they open an unknown web address."""

import streamlit as st

from ui.i18n.words import Words
from ui.server.addresses import PAGES


def main() -> None:
    """Draw a text that the page does not exist, and links to all existing pages."""
    words = Words(st.session_state.ui)
    st.title(words("not_found.title"), anchor=False)
    st.markdown(words("not_found.lead"))
    for name in PAGES:
        st.page_link(f"ui/pages/{name}.py", label=words(f"pages.{name}"))


if __name__ == "__main__":
    main()
