"""The page shown for an unknown web address."""

import streamlit as st

from ui.i18n.words import Words
from ui.server.addresses import PAGES


def main() -> None:
    """Say that the address has no page, and link to the pages that exist."""
    words = Words(st.session_state.ui)
    st.title(words("not_found.title"), anchor=False)
    st.markdown(words("not_found.lead"))
    for name in PAGES:
        st.page_link(f"ui/pages/{name}.py", label=words(f"pages.{name}"))


if __name__ == "__main__":
    main()
