"""The page that says what the UI and the API keep of what a visitor types."""

from typing import Final

import streamlit as st

from ui.client.api import ApiError, fetch
from ui.client.predictions import Choices
from ui.i18n.words import Words

_PARTS: Final = ("typed", "kept", "open", "link", "poster", "model")


def main() -> None:
    """Draw one paragraph on each place where something is kept."""
    words = Words(st.session_state.ui)
    st.title(words("pages.privacy"), anchor=False)
    st.markdown(words("privacy.lead"))
    parts = [words(f"privacy.{name}") for name in _PARTS]
    st.markdown("\n".join(f"- {part}" for part in [*parts, words(f"privacy.{_translation()}")]))


def _translation() -> str:
    """Return the name of the text on translation, by what the operator has chosen."""
    try:
        return fetch(Choices.parse, "/options").translation
    except ApiError:
        return "unknown"


if __name__ == "__main__":
    main()
