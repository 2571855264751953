"""The page that forecasts one film from the facts in a form."""

import json
from collections.abc import Sequence
from urllib.parse import urlencode

import streamlit as st

from ui.client.api import ApiError, Facts, fetch
from ui.client.predictions import Choices, Forecast, forecast_of
from ui.i18n.words import Words
from ui.widgets import (
    address,
    film_search,
    form,
    form_state,
    notices,
    reliability,
    result,
    scenarios,
    titles,
    what_if,
)
from ui.widgets.scenarios import Scenario


def main() -> None:
    """Draw the form. Below it, draw the forecast for the facts that the visitor has submitted."""
    state = st.session_state
    words = Words(state.ui)
    st.title(words("page.title"), anchor=False)
    st.markdown(words("page.lead"))
    above = st.container()
    address.follow()
    choices, error = _choices()
    film_search.draw(words)
    form.draw(words, choices)
    # The session stores the facts and not the forecast. So a forecast on the page always comes from
    # the model that is in service now.
    if st.button(words("form.submit"), type="primary", width="stretch"):
        state.asked = form_state.entered_facts()
    address.write()
    if "asked" in state:
        if address.lacks_plot():
            st.info(words("page.plot_left_out"))
        film_search.draw_chosen(words)
        try:
            with st.spinner(words("form.waiting")):
                forecast = forecast_of(form_state.with_ids(state.asked))
            scenarios.follow(state.asked)
            titles.show(words, state.asked.get("title"), forecast)
            result.draw(words, state.asked, forecast)
            pinned = _scenarios(words, choices, state.asked, forecast)
            _save_and_share(words, state.asked, forecast, pinned)
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


def _scenarios(words: Words, choices: Choices, film: Facts, forecast: Forecast) -> list[Scenario]:
    """Draw the scenarios of the film, and return them."""
    pinned, errors = scenarios.pinned(film, forecast)
    what_if.draw(words, choices, film, forecast, pinned)
    for error in errors:
        st.warning(words("scenarios.removed"), icon=":material/warning:")
        notices.show_error(words, error)
    return pinned


def _save_and_share(
    words: Words, facts: Facts, forecast: Forecast, pinned: Sequence[Scenario]
) -> None:
    """Draw the part below the forecast, in which the visitor can save or share it.

    It has download buttons, a button that adds the film to the comparison, and a link. All of them
    contain the scenarios of the film, too.
    """
    st.header(words("take.title"), anchor=False)
    first, second, third = st.columns(3)
    first.download_button(
        words("take.json"),
        _json(facts, forecast, pinned),
        "forecast.json",
        "application/json",
        on_click="ignore",  # otherwise a download would run the whole page again
        width="stretch",
    )

    def document() -> bytes:
        from ui.widgets import pdf  # imported on demand, because it needs 20 MB of memory

        answer = pdf.Answer(facts, forecast, reliability.background_of(forecast), pinned)
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
    added = [facts, *(each.facts for each in pinned)]
    is_compared = all(each in compared for each in added)
    if third.button(
        words("take.compare"), disabled=is_compared, width="stretch", key="compare_this"
    ):
        compared.extend(each for each in added if each not in compared)
        scenarios.remember_film(facts, pinned)
        st.rerun()  # draws the page again with the button disabled
    if facts in compared:
        st.page_link(
            "ui/pages/compare.py", label=words("take.compared"), icon=":material/compare_arrows:"
        )
    _link(words, facts, pinned)


def _json(facts: Facts, forecast: Forecast, pinned: Sequence[Scenario]) -> str:
    variants = [{"film": each.facts, "forecast": each.forecast.body} for each in pinned]
    content = {"film": facts, "forecast": forecast.body, "scenarios": variants}
    return json.dumps(content, ensure_ascii=False, indent=2)


def _link(words: Words, facts: Facts, pinned: Sequence[Scenario]) -> None:
    """Draw a link that opens the form with the present facts and scenarios, without the plot."""
    with st.expander(words("take.link")):
        if "overview" in facts:
            notices.small_print(words("take.without_plot"))
        if any("overview" in each.changes for each in pinned):
            notices.small_print(words("take.without_other_plots"))
        base = (st.context.url or "").split("?")[0]
        link = base + address.link_query(facts, words.code)
        others = address.threshold_query() | scenarios.link_query(pinned)
        if others:
            link += "&" + urlencode(others, doseq=True)
        st.code(link, language=None, wrap_lines=True)


if __name__ == "__main__":
    main()
