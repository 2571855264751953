"""Short texts on a page: notes in small letters, and messages about errors from the API."""

import streamlit as st

from ui.client.api import ApiError
from ui.i18n.words import Words


def small_print(text: str) -> None:
    """Write a note in small letters on the page.

    Streamlit's own function for this uses a grey that is too pale for many readers.
    """
    st.markdown(f":small[{text}]")


def show_error(words: Words, error: ApiError) -> None:
    """Show an error message on the page, with the API's own explanation of the error."""
    st.error(words(f"problem.{error.kind}"), icon=":material/error:")
    for line in error_lines(words, error):
        st.text(line)  # the API's own text must not be read as Markdown


def error_lines(words: Words, error: ApiError) -> list[str]:
    """Return one sentence for each field whose value the API has refused.

    If the error does not name a field, the result is the API's own explanation.
    """
    if not error.errors:
        return [words("page.detail", detail=error.detail)] if error.detail else []
    lines = []
    for field, message in error.errors:
        name = field.split(".")[0]  # "genres.0": the list's name; visitors do not see positions
        field_name = words.name("fields", name)
        lines.append(words.name("faults", name, f"{field_name}: {message}"))
    return list(dict.fromkeys(lines))
