"""The page that forecasts several films and shows the forecasts side by side."""

import streamlit as st

from ui.client.api import ApiError, fetch
from ui.client.predictions import Choices
from ui.film_files.rows import Row
from ui.i18n.words import Words
from ui.widgets import comparison, file_preview, table, translation


def main() -> None:
    """Draw the page: the films to compare, a button, and the forecasts after the button is clicked.

    The films come from the form and from a file that the visitor uploads.
    """
    words = Words(st.session_state.ui)
    st.title(words("compare.title"), anchor=False)
    st.markdown(words("compare.lead"))
    rows = _from_form(words)
    st.header(words("compare.from_file"), anchor=False)
    rows += file_preview.draw(words)
    translation.draw(words, _choices())
    films = [row.facts for row in rows]
    if st.button(
        words("compare.submit"), type="primary", disabled=not rows, width="stretch", key="compare"
    ):
        # Streamlit runs this function again after each click, so store the results in the session.
        st.session_state.results = (films, comparison.forecast(words, rows))
    forecast_films, results = st.session_state.get("results", ([], []))
    # The results of other films would stand beside the new ones.
    if results and films in ([], forecast_films):
        comparison.draw(words, results)


def _choices() -> Choices:
    try:
        return fetch(Choices.parse, "/options")
    except ApiError:
        return Choices()  # the forecasts will report the same problem


def _from_form(words: Words) -> list[Row]:
    films = st.session_state.setdefault("compared", [])
    if not films:
        return []
    rows = [Row(None, facts) for facts in films]
    st.header(words("compare.from_form"), anchor=False)

    def clear() -> None:
        # The results below contain these films, so remove them too.
        films.clear()
        st.session_state.pop("results", None)

    titles = [[comparison.film_name(words, row)] for row in rows]
    table.draw(words("compare.from_form"), [words("csv.title")], titles, caption_hidden=True)
    st.button(words("compare.forget"), on_click=clear)
    return rows


if __name__ == "__main__":
    main()
