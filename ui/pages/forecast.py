"""The page that forecasts one film; `st.navigation` executes it."""

import json
from datetime import UTC, date, datetime
from typing import Any

import streamlit as st

from ui.client.api import ApiError, Facts, ask
from ui.client.predictions import Choices, Forecast
from ui.i18n.words import Words
from ui.widgets import form, form_state, problem, result

MONTHS = range(1, 13)


def main() -> None:
    """The form, and below it the forecast of what was last asked."""
    state = st.session_state
    words = Words(state.ui)
    st.title(words("page.title"), anchor=False)
    st.markdown(words("page.lead"))
    above = st.container()
    choices, trouble = _choices()
    form.fields(words, choices)
    # Kept is the question, never the answer: after a switch of language the API is asked anew.
    if st.button(words("form.submit"), type="primary", width="stretch"):
        state.asked = form_state.facts()
    if "asked" in state:
        try:
            with st.spinner(words("form.waiting")):
                forecast = ask(Forecast.read, "/predict", state.asked)
            result.show(words, state.asked, forecast)
            _what_if(words, choices, state.asked, forecast)
            _take_away(words, state.asked, forecast)
        except ApiError as error:
            trouble = error
    if trouble is not None:
        with st.container() if "asked" in state else above:
            problem.show(words, trouble)
        if "asked" not in state:
            above.button(words("page.retry"))


def _choices() -> tuple[Choices, ApiError | None]:
    try:
        return ask(Choices.read, "/options"), None
    except ApiError as error:
        return Choices(), error


@st.fragment
def _what_if(words: Words, choices: Choices, told: Facts, forecast: Forecast) -> None:
    """Change one thing or several, and see both forecasts."""
    st.header(words("what_if.title"), anchor=False)
    st.markdown(words("what_if.lead"))
    changed = told | _changes(words, choices, told)
    if changed == told:
        return
    try:
        other = ask(Forecast.read, "/predict", changed)
    except ApiError as error:
        problem.show(words, error)
        return
    before, after = st.columns(2)
    before.metric(words("what_if.before"), words.number(forecast.rating, "0.00"))
    after.metric(
        words("what_if.after"),
        words.number(other.rating, "0.00"),
        words.points(other.rating - forecast.rating).replace("−", "-"),
    )


def _changes(words: Words, choices: Choices, told: Facts) -> Facts:
    """The facts that are to be others; none as long as nothing is chosen."""
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
        "runtime": None if runtime is None else form_state.whole(runtime),
        "genres": [genre] if genre else None,
        "release_date": _in_month(month, told.get("release_date")) if month else None,
    }
    return {name: value for name, value in changes.items() if value is not None}


def _in_month(month: int, release_date: str | None) -> str:
    """The middle of a month: of the film's year, or of the next such month where it is unknown."""
    if release_date:
        return date.fromisoformat(release_date).replace(month=month, day=15).isoformat()
    today = datetime.now(UTC).date()
    year = today.year + (month <= today.month)
    return date(year, month, 15).isoformat()


def _take_away(words: Words, told: Facts, forecast: Forecast) -> None:
    """The answer as files, a link that fills the form in again, and the film for the comparison."""
    st.header(words("take.title"), anchor=False)
    first, second, third = st.columns(3)
    first.download_button(
        words("take.json"),
        json.dumps({"film": told, "forecast": forecast.answer}, ensure_ascii=False, indent=2),
        "forecast.json",
        "application/json",
        on_click="ignore",
        width="stretch",
    )

    def pdf() -> bytes:
        from ui.widgets.pdf import document  # 20 MB: only for who wants one

        return document(words, told, forecast, result.model_behind(forecast))

    second.download_button(
        words("take.pdf"),
        pdf,
        "forecast.pdf",
        "application/pdf",
        on_click="ignore",
        width="stretch",
    )
    compared = st.session_state.setdefault("compared", [])
    if third.button(
        words("take.compare"), disabled=told in compared, width="stretch", key="compare_this"
    ):
        compared.append(told)
        st.rerun()
    if told in compared:
        st.page_link(
            "ui/pages/compare.py", label=words("take.compared"), icon=":material/compare_arrows:"
        )
    _link(words, told)


@st.fragment
def _link(words: Words, told: Facts) -> None:
    """The plot stands in it only if that is wished: addresses are kept in logs and histories."""
    linked = {name: value for name, value in told.items() if name != "overview"}
    with st.expander(words("take.link")):
        if "overview" in told and st.checkbox(words("take.with_plot"), key="with_plot"):
            linked = told
        base = (st.context.url or "").split("?")[0]
        st.code(base + form_state.link(linked, words.code), language=None, wrap_lines=True)


if __name__ == "__main__":
    main()
