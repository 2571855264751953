"""Saying why there is no answer."""

import streamlit as st

from ui.client.api import ApiError
from ui.i18n.words import Words


def show(words: Words, problem: ApiError) -> None:
    """Say it; what the API says itself is plain text, no Markdown."""
    st.error(words(f"problem.{problem.kind}"), icon=":material/error:")
    for line in lines(words, problem):
        st.text(line)


def lines(words: Words, problem: ApiError) -> list[str]:
    """What the API says of each field, or of the whole where it names none."""
    if not problem.errors:
        return [words("page.detail", detail=problem.detail)] if problem.detail else []
    told = []
    for field, message in problem.errors:
        name = field.split(".")[0]  # which one of several is at fault, the message does not tell
        field_name = words.name("fields", name)
        told.append(words.name("faults", name, f"{field_name}: {message}"))
    return list(dict.fromkeys(told))
