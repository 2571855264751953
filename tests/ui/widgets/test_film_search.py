from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from tests.support.app_test import (
    click,
    error_of,
    key_of,
    open_app,
    run,
    submit,
    value_of,
    visible_text,
)
from tests.support.stub_api import FILM, FILMS, LISTED_FILM, StubApi, problem

pytestmark = pytest.mark.usefixtures("api")


def search(letters: str, language: str = "en") -> AppTest:
    page = open_app(language)
    page.text_input(key="film_letters").set_value(letters)
    return run(page)


def choose(page: AppTest) -> AppTest:
    page.pills(key="film_found").set_value(7)
    return run(page)


def test_letters_list_films_with_title_and_year(api: StubApi):
    page = search("harb")
    assert "/films?q=harb&limit=8" in api.paths
    assert page.pills(key="film_found").options == [r"The \*Harbour\* (항구) · 2026"]
    assert search("harb", "ko").pills(key="film_found").options == ["항구 · 2026"]


def test_chosen_film_fills_in_the_form_and_is_forecast(api: StubApi):
    page = choose(search("harb"))
    assert api.bodies == [FILM["facts"]]
    assert value_of(page, "directors") == ["Ada Novak"]
    assert page.text_area(key=key_of(page, "overview")).value == FILM["facts"]["overview"]
    assert page.multiselect(key=key_of(page, "genres")).value == ["Drama"]
    text = visible_text(page)
    assert "To be released on December 24, 2026. No rating yet." in text
    assert "The model has learned from this film" not in text
    assert page.text_input(key="film_letters").value == ""


@pytest.mark.parametrize(
    ("changed", "shown"),
    [
        (
            {"status": "released", "rating": 7.24, "votes": 812},
            "TMDB rating so far: 7.2 (812 votes).",
        ),
        ({"status": "released"}, "Released on December 24, 2026. No rating yet."),
        ({"is_training_film": True}, "The model has learned from this film"),
    ],
)
def test_rating_so_far_stands_beside_the_forecast(
    api: StubApi, changed: dict[str, Any], shown: str
):
    api.responses["/films/7"] = 200, FILM | changed
    assert shown in visible_text(choose(search("harb")))


def test_what_is_known_disappears_when_the_facts_are_changed():
    page = choose(search("harb"))
    page.number_input(key=key_of(page, "runtime")).set_value(90)
    assert "To be released" not in visible_text(submit(page))


def test_own_words_come_back(api: StubApi):
    page = open_app("en")
    page.text_area(key=key_of(page, "overview")).set_value("My own plot.")
    page.text_input(key="film_letters").set_value("harb")
    page = click(choose(run(page)), "Back to what I had entered")
    assert page.text_area(key=key_of(page, "overview")).value == "My own plot."
    assert page.multiselect(key=key_of(page, "genres")).value == []
    assert "To be released" not in visible_text(page)
    submit(page)
    assert api.bodies[-1]["overview"] == "My own plot."


def test_unknown_title_is_explained(api: StubApi):
    api.responses["/films"] = 200, FILMS | {"films": []}
    assert "No film has such a title." in visible_text(search("zzz"))


def test_missing_catalogue_is_explained_and_the_form_still_works(api: StubApi):
    api.responses["/films"] = problem(503, "there is no film catalogue yet")
    page = search("harb")
    assert "The records cannot be read right now." in error_of(page)
    assert "6.8" in visible_text(submit(page))


def test_film_that_cannot_be_read_changes_nothing(api: StubApi):
    api.responses["/films/7"] = problem(404, "the film catalogue has no film 7")
    page = choose(search("harb"))
    assert page.text_area(key=key_of(page, "overview")).value == ""
    assert api.bodies == []


@pytest.mark.parametrize("poster", ["https://stranger.example/poster.jpg", "javascript:alert(1)"])
def test_no_image_is_loaded_from_another_server_than_tmdbs(api: StubApi, poster: str):
    api.responses["/films/7"] = 200, FILM | {"poster": poster, "tmdb_url": poster}
    page = choose(search("harb"))
    assert not page.get("image")
    assert not page.get("link_button")


def test_film_without_titles_is_named_by_its_id(api: StubApi):
    untitled = LISTED_FILM | {"title": None, "original_title": None, "korean_title": None}
    api.responses["/films"] = 200, FILMS | {"films": [untitled]}
    assert search("harb").pills(key="film_found").options == ["7 · 2026"]
