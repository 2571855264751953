"""The note on where plots are sent, and the switch that allows their translation."""

import streamlit as st

from ui.client.predictions import Choices
from ui.client.visitor import CONSENT
from ui.i18n.words import Words
from ui.widgets import notices


def draw(words: Words, choices: Choices) -> None:
    """Say which languages plots may have, and whether they are sent to another service.

    If the operator has switched translation on, draw the switch with which the visitor allows it.
    It is off until then, and stays as it is on all pages.
    """
    if not choices.plot_languages:  # they are unknown while the API does not answer
        return
    languages = ", ".join(map(words.language, choices.plot_languages))
    notices.small_print(words(f"translation.{choices.translation}", languages=languages))
    if choices.translation != "off":
        st.toggle(words("translation.switch"), key=CONSENT, persist_state="session")
