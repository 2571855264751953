import pytest

from tests.support.app_test import key_of, open_app, run
from ui.i18n.words import LANGUAGES, Words
from ui.widgets import form


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("sample", form.SAMPLES)
def test_every_sample_has_a_title_and_a_plot(language: str, sample: str):
    words = Words(language)
    assert words(f"samples.{sample}_title")
    assert len(words(f"samples.{sample}_plot")) > 50


@pytest.mark.usefixtures("api")
def test_sample_overwrites_own_words_only_with_a_way_back():
    page = open_app("en")
    page.pills(key="sample").set_value("mine")
    page = run(page)
    assert "sample_undo" not in [button.key for button in page.button]
    page.text_area(key=key_of(page, "overview")).set_value("My own plot")
    for name in ("kitchen", "lighthouse"):  # the second one overwrites only the first
        page.pills(key="sample").set_value(name)
        page = run(page)
    page.button(key="sample_undo").click()
    page = run(page)
    assert page.text_area(key=key_of(page, "overview")).value == "My own plot"
    assert "sample_undo" not in [button.key for button in page.button]


@pytest.mark.usefixtures("api")
def test_filled_in_value_wins_over_what_the_browser_still_shows():
    page = open_app("en")
    assert page.text_area(key=key_of(page, "overview")).value == ""
    # A run of the page filled in the form, but another run replaced it before the form was drawn.
    # AppTest sends the values of the fields that it has, as a browser does.
    page.session_state["form_fields"] = {"overview": (1, "A secret plot"), "runtime": (1, 98.0)}
    page = run(page)
    assert page.text_area(key=key_of(page, "overview")).value == "A secret plot"
    assert page.number_input(key=key_of(page, "runtime")).value == 98
