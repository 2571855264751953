from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from streamlit.testing.v1 import AppTest

from tests.support.app_test import (
    key_of,
    open_app,
    run,
    submit,
    switch_language,
    value_of,
    visible_text,
)
from tests.support.stub_api import StubApi
from ui.widgets import address

pytestmark = pytest.mark.usefixtures("api")
LEFT_OUT = "without a plot"


def go(page: AppTest, **query: Any) -> AppTest:
    """Change the address as the browser's buttons do."""
    page.query_params.clear()
    for name, value in query.items():
        page.query_params[name] = value
    return run(page)


def set_runtime(page: AppTest, minutes: int) -> AppTest:
    page.number_input(key=key_of(page, "runtime")).set_value(minutes)
    return submit(page)


def test_link_contains_every_fact_but_the_plot():
    facts = {"genres": ["Drama", "War & Peace"], "overview": "빛\n어둠", "runtime": 112}
    query = parse_qs(urlsplit(address.link_query(facts, "ko")).query)
    assert query == {
        "lang": ["ko"],
        "genres": ["Drama", "War & Peace"],
        "runtime": ["112"],
        "without": ["overview"],
    }


def test_link_opens_with_its_forecast_and_says_that_the_plot_was_left_out(api: StubApi):
    page = open_app("en", genres=["Drama"], runtime="112", without="overview")
    assert api.bodies == [{"genres": ["Drama"], "runtime": 112}]
    assert "6.8" in visible_text(page)
    assert LEFT_OUT in visible_text(page)
    page.text_area(key=key_of(page, "overview")).set_value("A plot")
    assert LEFT_OUT not in visible_text(submit(page))
    assert LEFT_OUT not in visible_text(open_app("en", genres=["Drama"]))


def test_link_that_cannot_be_forecast_only_fills_in_the_form(api: StubApi):
    page = open_app("en", title="Lantern")
    assert not api.bodies
    assert not page.error
    assert value_of(page, "title") == "Lantern"


def test_address_names_the_facts_of_the_forecast_and_never_the_plot():
    page = open_app("en", threshold="6.0", stranger="x")
    page.multiselect(key=key_of(page, "genres")).set_value(["Drama"])
    page.text_area(key=key_of(page, "overview")).set_value("A secret plot")
    page = set_runtime(page, 112)
    query = dict(page.query_params)
    assert query == {
        "lang": "en", "language": "en", "genres": "Drama", "runtime": "112",
        "without": "overview", "threshold": "6.0", "stranger": "x",
    }  # fmt: skip
    assert page.session_state["threshold"] == 6.0
    (link,) = page.code
    assert "&threshold=6.0" in link.value


def test_plot_in_an_old_link_is_used_and_taken_out_of_the_address(api: StubApi):
    page = open_app("en", overview="A secret plot", genres=["Drama"])
    assert api.bodies == [{"overview": "A secret plot", "genres": ["Drama"]}]
    assert "overview" not in page.query_params


def test_back_and_forward_show_the_forecasts_of_their_addresses(api: StubApi):
    page = open_app("en")
    empty = dict(page.query_params)
    page.text_area(key=key_of(page, "overview")).set_value("A secret plot")
    page = set_runtime(page, 112)
    first = dict(page.query_params)
    page.text_area(key=key_of(page, "overview")).set_value("Another plot")
    page = set_runtime(page, 98)
    second = dict(page.query_params)
    for query, runtime, plot in ((first, 112, "A secret plot"), (second, 98, "Another plot")):
        page = go(page, **query)
        assert page.number_input(key=key_of(page, "runtime")).value == runtime
        assert api.bodies[-1] == {"overview": plot, "language": "en", "runtime": runtime}
        assert dict(page.query_params) == query
    sent = len(api.bodies)
    page = go(page, **empty)
    assert len(api.bodies) == sent
    assert not page.get("vega_lite_chart")


def test_plot_stays_if_a_run_ends_after_it_has_written_the_address(api: StubApi):
    page = open_app("en")
    page.text_area(key=key_of(page, "overview")).set_value("A secret plot")
    page = set_runtime(page, 112)
    state = page.session_state
    state["next_address"], state["address"] = state["address"], ()
    state["written"], state["plots"] = None, {}
    page = run(page)
    assert api.bodies[-1] == {"overview": "A secret plot", "language": "en", "runtime": 112}
    assert page.text_area(key=key_of(page, "overview")).value == "A secret plot"


def test_menu_leads_back_to_the_forecast_and_its_address():
    page = open_app("en")
    page = set_runtime(page, 112)
    query = dict(page.query_params)
    run(page.switch_page("ui/pages/model.py"))
    page.query_params.clear()
    run(page.switch_page("ui/pages/forecast.py"))
    assert dict(page.query_params) == query
    assert "6.8" in visible_text(page)


def test_language_switch_keeps_the_address_of_the_film():
    page = switch_language(open_app("en", genres=["Drama"]), "ko")
    assert dict(page.query_params) == {"lang": "ko", "genres": "Drama"}
