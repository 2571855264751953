"""The page that forecasts one film from the facts in a form."""

import json
from datetime import UTC, date, datetime
from typing import Any

import streamlit as st

from ui.client.api import ApiError, Facts, fetch
from ui.client.predictions import Choices, Forecast, forecast_of
from ui.i18n.words import Words
from ui.widgets import film_search, form, form_state, notices, reliability, result

MONTHS = range(1, 13)


def main() -> None:
    """Draw the form. Below it, draw the forecast for the facts that the visitor has submitted."""
    state = st.session_state
    words = Words(state.ui)
    st.title(words("page.title"), anchor=False)
    st.markdown(words("page.lead"))
    above = st.container()
    choices, error = _choices()
    film_search.draw(words)
    form.draw(words, choices)
    # The session stores the facts and not the forecast. So a forecast on the page always comes from
    # the model that is in service now.
    if st.button(words("form.submit"), type="primary", width="stretch"):
        state.asked = form_state.entered_facts()
    if "asked" in state:
        film_search.draw_chosen(words)
        try:
            with st.spinner(words("form.waiting")):
                forecast = forecast_of(state.asked)
            result.draw(words, state.asked, forecast)
            _what_if(words, choices, state.asked, forecast)
            _save_and_share(words, state.asked, forecast)
        except ApiError as forecast_error:
            error = forecast_error
    if error is not None:
        # Before the first forecast, the whole page cannot work, so show the error at the top.
        with st.container() if "asked" in state else above:
            notices.show_error(words, error)
        if "asked" not in state:
            above.button(words("page.retry"))


def _choices() -> tuple[Choices, ApiError | None]:
    try:
        return fetch(Choices.parse, "/options"), None
    except ApiError as error:
        return Choices(), error


@st.fragment
def _what_if(words: Words, choices: Choices, facts: Facts, forecast: Forecast) -> None:
    """Draw the part "What if": fields in which the visitor can change some facts about the film.

    It shows the forecast before and after the change. This is a Streamlit fragment: after a change,
    only this function runs again, not the whole page.
    """
    st.header(words("what_if.title"), anchor=False)
    st.markdown(words("what_if.lead"))
    changed = facts | _changes(words, choices, facts)
    if changed == facts:
        return
    try:
        other = forecast_of(changed)
    except ApiError as error:
        notices.show_error(words, error)
        return
    before, after = st.columns(2)
    before.metric(words("what_if.before"), words.number(forecast.rating, "0.00"))
    after.metric(
        words("what_if.after"),
        words.number(other.rating, "0.00"),
        # Streamlit recognises a negative difference only by an ASCII minus sign.
        words.points(other.rating - forecast.rating).replace("−", "-"),
    )


def _changes(words: Words, choices: Choices, facts: Facts) -> Facts:
    """Draw the fields of the part "What if", and return only the facts that were changed there."""
    first, second, third = st.columns(3)
    runtime = first.number_input(
        words("what_if.runtime"), value=None, step=1.0, format="%s", key="if_runtime"
    )
    names = {genre: words.name("genres", genre) for genre in choices.genres}
    genre = second.selectbox(
        words("what_if.genre"),
        sorted(names, key=names.__getitem__),
        index=None,
        format_func=lambda name: names.get(name, name),
        placeholder=words("what_if.unchanged"),
        key="if_genre",
    )
    month = third.selectbox(
        words("what_if.month"),
        MONTHS,
        index=None,
        format_func=words.month,
        placeholder=words("what_if.unchanged"),
        key="if_month",
    )
    changes: dict[str, Any] = {
        "runtime": None if runtime is None else form_state.int_if_whole(runtime),
        "genres": [genre] if genre else None,
        "release_date": _in_month(month, facts.get("release_date")) if month else None,
    }
    return {name: value for name, value in changes.items() if value is not None}


def _in_month(month: int, release_date: str | None) -> str:
    """Return a release date in the given month: the 15th, in the year of the film's release.

    If the film has no release date, it is the next such date after the present month.

    Args:
        month: The month, from 1 to 12.
        release_date: The film's release date in ISO 8601; None if it is unknown.
    """
    if release_date:
        return date.fromisoformat(release_date).replace(month=month, day=15).isoformat()
    today = datetime.now(UTC).date()
    year = today.year + (month <= today.month)
    return date(year, month, 15).isoformat()


def _save_and_share(words: Words, facts: Facts, forecast: Forecast) -> None:
    """Draw the part below the forecast, in which the visitor can save or share it.

    It has download buttons, a button that adds the film to the comparison, and a link.
    """
    st.header(words("take.title"), anchor=False)
    first, second, third = st.columns(3)
    first.download_button(
        words("take.json"),
        json.dumps({"film": facts, "forecast": forecast.body}, ensure_ascii=False, indent=2),
        "forecast.json",
        "application/json",
        on_click="ignore",  # otherwise a download would run the whole page again
        width="stretch",
    )

    def document() -> bytes:
        from ui.widgets import pdf  # imported on demand, because it needs 20 MB of memory

        answer = pdf.Answer(facts, forecast, reliability.background_of(forecast))
        return pdf.document(words, answer)

    second.download_button(
        words("take.pdf"),
        document,
        "forecast.pdf",
        "application/pdf",
        on_click="ignore",
        width="stretch",
    )
    compared = st.session_state.setdefault("compared", [])
    if third.button(
        words("take.compare"), disabled=facts in compared, width="stretch", key="compare_this"
    ):
        compared.append(facts)
        st.rerun()  # draws the page again with the button disabled
    if facts in compared:
        st.page_link(
            "ui/pages/compare.py", label=words("take.compared"), icon=":material/compare_arrows:"
        )
    _link(words, facts)


def _link(words: Words, facts: Facts) -> None:
    """Draw a link that opens the form with the present facts, without the plot."""
    with st.expander(words("take.link")):
        if "overview" in facts:
            notices.small_print(words("take.without_plot"))
        base = (st.context.url or "").split("?")[0]
        st.code(base + form_state.link_query(facts, words.code), language=None, wrap_lines=True)


if __name__ == "__main__":
    main()
