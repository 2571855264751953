"""Short messages on a page: notes in small letters, and errors from the API."""

import streamlit as st

from ui.client.api import ApiError
from ui.i18n.words import Words


def small_print(text: str) -> None:
    """Write a note in small letters.

    Streamlit's own caption is too pale: its contrast fails accessibility checks.
    """
    st.markdown(f":small[{text}]")


def show_error(words: Words, error: ApiError) -> None:
    """Show an error from the API as a message on the page, with the API's own explanation."""
    st.error(words(f"problem.{error.kind}"), icon=":material/error:")
    for line in error_lines(words, error):
        st.text(line)  # the API's own text must not be read as Markdown


def error_lines(words: Words, error: ApiError) -> list[str]:
    """Return one sentence for each field that the API refused.

    If the error names no field, return the API's own explanation instead.
    """
    if not error.errors:
        return [words("page.detail", detail=error.detail)] if error.detail else []
    lines = []
    for field, message in error.errors:
        name = field.split(".")[0]  # "genres.0": the list's name; visitors do not see positions
        field_name = words.name("fields", name)
        lines.append(words.name("faults", name, f"{field_name}: {message}"))
    return list(dict.fromkeys(lines))
