"""Small print, in the text's full colour: Streamlit's captions are too pale to be read by all."""

import streamlit as st


def show(text: str) -> None:
    """Write a note below what it is about."""
    st.markdown(f":small[{text}]")
