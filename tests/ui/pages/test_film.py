from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from tests.support.app_test import (
    chart_texts,
    click,
    error_of,
    html_of,
    key_of,
    open_app,
    visible_text,
)
from tests.support.stub_api import FILM, FORECAST, NO_MODEL, StubApi, problem

pytestmark = pytest.mark.usefixtures("api")
POSTER = "https://image.tmdb.org/t/p/w185/a.jpg"
FACTS = FILM["facts"] | {"directors": ["Ada Novak"]}
RECORDED = [
    {
        "day": f"2026-11-{day}", "rating": rating, "version": "v",
        "interval": {"low": 5.5, "high": 7.5, "coverage": 0.8},
    }
    for day, rating in ((22, 6.5), (23, 6.62))
]  # fmt: skip


def open_film(film: str = "7", language: str = "en") -> AppTest:
    return open_app(language, film=film)


def test_page_shows_titles_forecast_by_day_reasons_similar_films_and_a_link(api: StubApi):
    api.responses["/films/7"] = 200, FILM | {"forecasts": RECORDED}
    page = open_film()
    assert page.title[0].value == r"The \*Harbour\*"
    text = visible_text(page)
    for expected in (
        "English title: The *Harbour*", "Korean title: 항구", "Original title: 항구",
        "To be released on December 24, 2026", "November 23, 2026 6.6 5.5 – 7.5", "6.8",
    ):  # fmt: skip
        assert expected in text
    assert chart_texts(page)[0] == "November 23, 2026 6.6 and November 22, 2026 6.5"
    assert "People +0.51" in " ".join(chart_texts(page))
    assert '<a href="film?lang=en&amp;film=1">The *Lantern*</a>' in html_of(page)
    links: list[Any] = list(page.get("link_button"))
    assert [link.proto.url for link in links] == ["https://www.themoviedb.org/movie/7"]
    assert api.bodies == [{"tmdb_id": 7}]


def test_link_keeps_the_rating_whose_chance_is_shown():
    page = open_app("en", film="7", threshold="8.0")
    assert page.session_state["threshold"] == 8.0
    assert "6%" in html_of(page)


@pytest.mark.parametrize("language", ["ko", "en"])
def test_film_without_recorded_forecasts_votes_and_poster_is_shown(language: str):
    page = open_film(language=language)
    assert not page.error
    assert not page.get("image")


def test_posters_come_from_tmdb_alone(api: StubApi):
    similar = [
        {"id": 1, "title": "The *Lantern*", "year": 2024, "rating": 7.13},
        {"id": 2, "title": "<b>x</b>", "year": 2020, "rating": 6.0},
        {"id": 3, "title": "Far", "year": 2020, "rating": 6.0},
    ]
    api.responses["/predict"] = 200, FORECAST | {"comparables": similar}
    api.responses["/films/7"] = 200, FILM | {"poster": POSTER}
    api.responses["/films/1"] = 200, FILM | {"id": 1, "poster": POSTER}
    api.responses["/films/2"] = 200, FILM | {"id": 2, "poster": "https://stranger.example/a.jpg"}
    api.responses["/films/3"] = problem(404, "no such film")
    page = open_film()
    assert page.get("image")
    html = html_of(page)
    assert html.count("<img") == 1
    assert f'src="{POSTER}"' in html
    assert "&lt;b&gt;x&lt;/b&gt;" in html


def test_audience_and_the_last_forecast_stand_side_by_side(api: StubApi):
    released = {"status": "released", "rating": 7.24, "votes": 30, "votes_needed": 20}
    changed = {"forecasts": RECORDED, "is_training_film": True} | released
    api.responses["/films/7"] = 200, FILM | changed
    text = visible_text(open_film())
    assert "TMDB rating so far: 7.2 (30 votes)." in text
    assert "The forecast of November 23, 2026 was 6.6 (5.5 to 7.5)." in text
    assert "−0.62 points" in text
    assert "20 votes more" in text
    assert "The model has learned from this film" in text


@pytest.mark.parametrize("film", ["abc", "", "0", "-7", "7.5", "9" * 13, "٧"])
def test_address_without_a_film_gets_a_sentence(api: StubApi, film: str):
    page = open_film(film)
    assert "The address names no film." in visible_text(page)
    assert not any(path.startswith("/films") for path in api.paths)


def test_unknown_film_gets_a_sentence(api: StubApi):
    api.responses["/films/7"] = problem(404, "the film catalogue has no film 7")
    page = open_film()
    assert "There is no film 7 in the catalogue." in visible_text(page)
    assert not page.error


def test_missing_catalogue_is_explained(api: StubApi):
    api.responses["/films/7"] = problem(503, "there is no film catalogue yet")
    assert error_of(open_film())


def test_missing_model_leaves_the_film(api: StubApi):
    api.responses["/predict"] = NO_MODEL
    page = open_film()
    assert "has no model yet" in error_of(page)
    assert "Korean title: 항구" in visible_text(page)


def test_facts_can_be_changed_in_the_form(api: StubApi):
    page = click(open_film(), "Change the facts")
    assert page.text_area(key=key_of(page, "overview")).value == FILM["facts"]["overview"]
    assert page.query_params["runtime"] == "104"
    assert "film" not in page.query_params
    with_ids = FACTS | {"directors": [{"id": 8, "name": "Ada Novak"}]}
    assert api.bodies == [{"tmdb_id": 7}, with_ids]


@pytest.mark.usefixtures("api")
def test_facts_that_were_typed_before_come_back():
    film = open_film()
    film.session_state.overview = "My own plot"
    page = click(film, "Change the facts")
    assert page.session_state.film_before == {"overview": "My own plot"}
    assert page.text_area(key=key_of(page, "overview")).value == FILM["facts"]["overview"]


def test_catalogue_that_cannot_be_read_is_not_called_a_missing_model(api: StubApi):
    api.responses["/films/7"] = problem(503, "the film catalogue is damaged")
    assert "has no model yet" not in error_of(open_film())
