"""Short texts on a page: notes in small letters, and messages about errors from the API."""

from typing import Final

import streamlit as st

from ui.client.api import ApiError
from ui.client.predictions import Forecast
from ui.i18n.words import Words

_SHOWN_VALUES: Final = 5  # of a field; a file of names can have hundreds


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


def ignored_values(words: Words, forecast: Forecast) -> dict[str, str]:
    """Return, by field that the model did not use: the field's name, with the unused values."""
    named = {}
    for each in forecast.ignored:
        name = words.name("fields", each.field)
        values = [*each.values[:_SHOWN_VALUES], *(["…"] if each.values[_SHOWN_VALUES:] else [])]
        shown = {"name": name, "values": words.joined(values)}
        named[each.field] = words("page.ignored_values", **shown) if values else name
    return named


def changed_values(words: Words, forecast: Forecast) -> list[str]:
    """Return one text for each value that the service has read as something else."""
    return [
        words(
            "page.changed_value",
            name=words.name("fields", each.field),
            sent=each.sent,
            read=each.read,
        )
        for each in forecast.changed
    ]
