import json
from typing import Any

import pytest

from tests.support.app_test import key_of, open_app, submit
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


@pytest.mark.parametrize(
    "text", [None, 7, "", "{", "[]", "null", "[" * 100_000, '{"compared": 3}', "x" * 1_000_001],
    ids=lambda text: str(text)[:10],
)  # fmt: skip
def test_anything_else_that_a_browser_sends_counts_as_nothing(text: Any):
    assert keeper._parsed(text) == {}
