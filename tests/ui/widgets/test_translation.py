from urllib.parse import parse_qs, urlsplit

import pytest
from streamlit.testing.v1 import AppTest

from tests.support.app_test import open_app, open_page, run, submit, visible_text
from tests.support.stub_api import OPTIONS, StubApi

pytestmark = pytest.mark.usefixtures("api")


def consents(api: StubApi) -> list[str]:
    """Return the value of `translate` in each request for a forecast."""
    addresses = [urlsplit(path) for path in api.paths if "/predict" in path]
    return [value for each in addresses for value in parse_qs(each.query)["translate"]]


def allow(page: AppTest) -> AppTest:
    page.toggle(key="translate").set_value(True)
    return run(page)


@pytest.mark.parametrize(
    ("answer", "note"),
    [
        ({}, "Languages of plots: English, Korean. A plot in another language is not used."),
        ({"plot_languages": ["en"]}, "Languages of plots: English. A plot in another language"),
        ({"translation": "google"}, "Without your consent, no plot is sent to Google."),
    ],
)
def test_form_and_comparison_say_where_plots_are_sent(
    api: StubApi, answer: dict[str, object], note: str
):
    api.responses["/options"] = 200, OPTIONS | answer
    for page in (open_app("en"), open_page("compare")):
        assert note in visible_text(page)
        assert ("Google" in visible_text(page)) == ("Google" in note) == bool(page.toggle)


@pytest.mark.parametrize("translation", ["off", "google"])
def test_translation_is_refused_until_the_visitor_allows_it(api: StubApi, translation: str):
    api.responses["/options"] = 200, OPTIONS | {"translation": translation}
    submit(open_app())
    assert consents(api) == ["false"]


def test_consent_holds_on_all_pages_and_can_be_taken_back(api: StubApi):
    api.responses["/options"] = 200, OPTIONS | {"translation": "google"}
    page = allow(open_app("en"))
    assert consents(api) == []
    submit(page)
    assert consents(api) == ["true"]
    page.session_state["compared"] = [{"genres": ["Drama"]}]
    run(page.switch_page("ui/pages/compare.py"))
    assert page.toggle(key="translate").value
    page.button(key="compare").click()
    run(page)
    assert consents(api)[1:] == ["true"]
    run(page.switch_page("ui/pages/forecast.py"))
    page.toggle(key="translate").set_value(False)
    submit(page)
    assert consents(api)[-1] == "false"


def test_consent_in_the_address_of_a_link_counts_for_nothing(api: StubApi):
    api.responses["/options"] = 200, OPTIONS | {"translation": "google"}
    open_app("en", translate="true", genres=["Drama"])
    assert consents(api) == ["false"]
