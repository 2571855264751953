"""Draw scenarios: fields in which the visitor changes a film, and the forecasts side by side."""

from collections.abc import Sequence

import streamlit as st

from ui.client.api import ApiError, Facts
from ui.client.predictions import Choices, Forecast, forecast_of
from ui.i18n.words import Words
from ui.widgets import fields, form_state, headline, notices, result, scenarios
from ui.widgets.markdown import plain
from ui.widgets.scenarios import Scenario


@st.fragment
def draw(
    words: Words, choices: Choices, film: Facts, forecast: Forecast, pinned: Sequence[Scenario]
) -> None:
    """Draw the fields of a new scenario, and below them the film and its scenarios.

    This is a Streamlit fragment: when the visitor chooses which facts change, only this function
    runs again, not the whole page.
    """
    st.header(words("what_if.title"), anchor=False)
    st.markdown(words("what_if.lead", most=str(scenarios.MOST)))
    names = {field: words(f"form.{field}") for field in form_state.FIELDS}
    chosen = st.multiselect(
        words("what_if.fields"),
        sorted(names, key=names.__getitem__),
        format_func=names.__getitem__,
        key=scenarios.editor_key("fields"),
        placeholder=words("form.choose"),
    )
    for field in chosen:
        known = form_state.field_value(field, film.get(field))
        fields.draw(words, choices, field, scenarios.editor_key(field), known)
    is_full = len(pinned) >= scenarios.MOST
    if is_full:
        notices.small_print(words("what_if.full", most=str(scenarios.MOST)))
    if st.button(words("what_if.pin"), disabled=is_full or not chosen, key="pin"):
        _pin(words, film, chosen)
    if pinned:
        _draw_columns(words, film, forecast, pinned)


def _pin(words: Words, film: Facts, chosen: Sequence[str]) -> None:
    """Forecast the new scenario, and keep it if the service accepts it."""
    values = {field: st.session_state.get(scenarios.editor_key(field)) for field in chosen}
    entered = form_state.cleaned(values)
    changes = {field: entered.get(field) for field in chosen}
    facts = scenarios.applied(film, changes)
    different = scenarios.differing(film, facts)
    if not different or different in st.session_state.scenario_changes:
        st.info(words("what_if.same"))
        return
    try:
        forecast = forecast_of(form_state.with_ids(facts))
    except ApiError as error:
        notices.show_error(words, error)
        return
    scenarios.pin(Scenario(different, facts, forecast))
    st.rerun()


def _draw_columns(
    words: Words, film: Facts, forecast: Forecast, pinned: Sequence[Scenario]
) -> None:
    columns = st.columns(1 + len(pinned), border=True)
    with columns[0]:
        st.metric(words("what_if.before"), words.number(forecast.rating, "0.00"))
        _draw_forecast(words, forecast)
    for at, (column, scenario) in enumerate(zip(columns[1:], pinned, strict=True), 1):
        with column:
            st.metric(
                words("what_if.scenario", number=str(at)),
                words.number(scenario.forecast.rating, "0.00"),
                # Streamlit recognises a negative difference only by an ASCII minus sign.
                words.points(scenario.forecast.rating - forecast.rating).replace("−", "-"),
            )
            for line in scenarios.differences(words, film, scenario.facts):
                st.markdown(plain(line))
            _draw_forecast(words, scenario.forecast)
            if st.button(words("what_if.unpin", number=str(at)), key=f"unpin_{at}"):
                scenarios.unpin(scenario.changes)
                st.rerun()


def _draw_forecast(words: Words, forecast: Forecast) -> None:
    """Draw the interval, the chance and the warnings of a forecast."""
    rating = headline.threshold(forecast) if forecast.chances else headline.DEFAULT_THRESHOLD
    for line in headline.in_short(words, forecast, rating):
        st.markdown(plain(line))
    for line in result.remarks(words, forecast):
        notices.small_print(f":material/warning: {line}")
