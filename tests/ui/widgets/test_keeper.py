import json
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from tests.support.app_test import key_of, open_app, run, submit
from ui.widgets import keeper


@pytest.mark.usefixtures("api")
def test_browser_keeps_the_form_and_the_comparison():
    page = open_app("en")
    page.text_area(key=key_of(page, "overview")).set_value("A secret plot")
    page.session_state["compared"] = [{"genres": ["Drama"]}]
    components: list[Any] = list(submit(page).get("bidi_component"))
    given = json.loads(components[-1].proto.json)
    assert not given["restored"]
    assert json.loads(given["kept"]) == {
        "facts": {"overview": "A secret plot", "language": "en"},
        "compared": [{"genres": ["Drama"]}],
    }


def test_plot_comes_back_before_the_page_has_read_its_address():
    def page_after_a_reload() -> None:
        import json

        import streamlit as st

        from ui.widgets import address, keeper

        facts = {"overview": "A secret plot", "genres": ["Drama"], "runtime": 98}
        st.session_state.keeper = {"kept": json.dumps({"facts": facts})}
        keeper._restore()
        address.follow()
        st.json(st.session_state.asked)

    page = AppTest.from_function(page_after_a_reload)
    for name, value in {"genres": "Drama", "runtime": "98", "without": "overview"}.items():
        page.query_params[name] = value
    page = run(page)
    assert json.loads(page.json[0].value) == {
        "overview": "A secret plot",
        "genres": ["Drama"],
        "runtime": 98,
    }


@pytest.mark.parametrize(
    "text", [None, 7, "", "{", "[]", "null", "[" * 100_000, '{"compared": 3}', "x" * 1_000_001],
    ids=lambda text: str(text)[:10],
)  # fmt: skip
def test_anything_else_that_a_browser_sends_counts_as_nothing(text: Any):
    assert keeper._parsed(text) == {}
