import json
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from tests.support.app_test import open_app, submit
from ui.widgets import keeper


def given(page: AppTest) -> Any:
    """Return what the browser is given to keep; None if it is asked for what it has kept."""
    components: list[Any] = list(page.get("bidi_component"))
    return json.loads(components[-1].proto.json)["kept"]


@pytest.mark.usefixtures("api")
def test_browser_keeps_the_form_and_the_comparison_once_something_is_entered():
    page = open_app("en")
    assert given(page) is None
    page.text_area(key="overview").set_value("A secret plot")
    page.session_state["compared"] = [{"genres": ["Drama"]}]
    assert json.loads(given(submit(page))) == {
        "facts": {"overview": "A secret plot", "language": "en"},
        "compared": [{"genres": ["Drama"]}],
    }


@pytest.mark.parametrize(
    "text", [None, 7, "", "{", "[]", "null", "[" * 100_000, '{"compared": 3}', "x" * 1_000_001],
    ids=lambda text: str(text)[:10],
)  # fmt: skip
def test_anything_else_that_a_browser_sends_counts_as_nothing(text: Any):
    assert keeper._parsed(text) == {}
