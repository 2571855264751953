"""Run the UI in the test process without a browser, with Streamlit's AppTest."""

import re
from pathlib import Path
from typing import Any

from streamlit.components.v2.component_manager import BidiComponentManager
from streamlit.runtime.scriptrunner import script_cache
from streamlit.testing.v1 import AppTest, local_script_runner

APP = Path(__file__).parents[2] / "app.py"
# Longer than any run of the page's script takes on a busy machine.
TIMEOUT_SECONDS = 60
SUBMIT = ("평점 예측하기", "Forecast the rating")
# AppTest looks for Streamlit components in the metadata of every package, in each test. That takes
# ten times as long as the page itself. The UI has no such components, so the search is left out.
_NO_COMPONENTS = BidiComponentManager()
# AppTest would read and compile the scripts of the UI again for each run.
_COMPILED = script_cache.ScriptCache()
local_script_runner.ScriptCache = lambda: _COMPILED  # type: ignore[attr-defined, assignment]
_TEXTS = ("title", "header", "markdown", "caption", "text", "error", "warning", "info")


def open_app(ui_language: str | None = None, **query: str | list[str]) -> AppTest:
    """Open the UI's first page, with a language and other values in the query string."""
    page = AppTest.from_file(APP, default_timeout=TIMEOUT_SECONDS)
    page._bidi_component_manager = _NO_COMPONENTS
    for name, value in query.items():
        page.query_params[name] = value
    if ui_language:
        page.query_params["lang"] = ui_language
    return run(page)


def open_page(name: str, language: str = "en", **state: Any) -> AppTest:
    """Open a page of the UI by its name, with values (`state`) in Streamlit's session state."""
    page = open_app(language)
    for key, value in state.items():
        page.session_state[key] = value
    page.switch_page(f"ui/pages/{name}.py")
    return run(page)


def run(page: AppTest) -> AppTest:
    """Run the page's script again, and check that the page shows no exception."""
    page.run()
    assert not page.exception
    return page


def click(page: AppTest, *labels: str) -> AppTest:
    """Click the button whose label is one of the given labels."""
    (button,) = [button for button in page.button if button.label in labels]
    button.click()
    return run(page)


def submit(page: AppTest) -> AppTest:
    """Click the button that requests the forecast."""
    return click(page, *SUBMIT)


def key_of(page: AppTest, field: str) -> str:
    """Return the key of a field of the form, which changes when the page fills in the field."""
    turn, _ = _filled_in(page, field)
    return f"{field}_{turn}" if turn else field


def value_of(page: AppTest, field: str) -> Any:
    """Return the value of a field of the form, which may be in a closed area of the page."""
    return page.session_state.get(key_of(page, field), _filled_in(page, field)[1])


def _filled_in(page: AppTest, field: str) -> tuple[int, Any]:
    fields: dict[str, tuple[int, Any]] = page.session_state.get("form_fields", {})
    return fields.get(field, (0, None))


def switch_language(page: AppTest, language: str) -> AppTest:
    """Choose another language for the UI."""
    page.radio(key="ui").set_value(language)
    return run(page)


def html_of(page: AppTest) -> str:
    """Return the HTML that our code adds to the page, without its styles."""
    elements: list[Any] = list(page.get("html"))
    return re.sub("<style>.*?</style>", "", "\n".join(e.proto.body for e in elements), flags=re.S)


def visible_text(page: AppTest) -> str:
    """Return all texts on the page, with single spaces between the words."""
    elements: list[Any] = [element for kind in _TEXTS for element in page.get(kind)]
    texts = [re.sub("<[^>]+>", " ", html_of(page)), *(element.value for element in elements)]
    return re.sub(r"\s+", " ", " ".join(texts))


def chart_texts(page: AppTest) -> list[str]:
    """Return the alternative text of each chart on the page."""
    charts: list[Any] = list(page.get("vega_lite_chart"))
    return [chart.proto.alt for chart in charts]


def error_of(page: AppTest) -> str:
    """Return the text of the only error message on the page."""
    (error,) = page.error
    return error.value
