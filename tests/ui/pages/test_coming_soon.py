from typing import Any

import pytest

from tests.support.app_test import click, error_of, html_of, open_page, run, visible_text
from tests.support.stub_api import FORECASTS, StubApi, problem

POSTER = "https://image.tmdb.org/t/p/w185/lantern.jpg"

pytestmark = pytest.mark.usefixtures("api")


@pytest.mark.parametrize(
    ("language", "expected"),
    [
        ("en", "December 3, 2026 · Drama · Korean 6.8 (5.9 to 7.7) +0.12 since last week"),
        ("ko", "2026년 12월 3일 · 드라마 · 한국어 6.8 (5.9~7.7) 지난주보다 +0.12"),
    ],
)
def test_upcoming_film_is_shown_with_its_forecast(language: str, expected: str):
    assert expected in visible_text(open_page("coming_soon", language))


def test_markup_in_a_title_is_escaped():
    assert "The &lt;b&gt;Lantern&lt;/b&gt;" in html_of(open_page("coming_soon"))


def film(**changes: Any) -> tuple[int, Any]:
    (known,) = FORECASTS["films"]
    return 200, FORECASTS | {"films": [known | changes]}


@pytest.mark.parametrize(
    ("poster", "shown"), [(None, False), (POSTER, True), ("https://elsewhere.example/a", False)]
)
def test_poster_is_loaded_from_tmdb_only(api: StubApi, poster: str | None, shown: bool):
    api.responses["/forecasts"] = film(poster=poster)
    assert ("<img" in html_of(open_page("coming_soon"))) == shown


def test_film_with_few_known_facts_is_shown(api: StubApi):
    unknown: dict[str, Any] = dict.fromkeys(("title", "genre", "language", "change"))
    api.responses["/forecasts"] = film(**unknown, reasons=[])
    text = visible_text(open_page("coming_soon"))
    assert "Without a title December 3, 2026 6.8" in text
    assert "new this week" in text


def test_film_has_its_title_in_the_language_of_the_page(api: StubApi):
    api.responses["/forecasts"] = film(title="Lantern", korean_title="등불")
    assert "등불" in visible_text(open_page("coming_soon", "ko"))
    assert "Lantern" in visible_text(open_page("coming_soon", "en"))


@pytest.mark.parametrize(
    ("language", "first", "second"),
    [("en", "Page 1 of 3", "Page 2 of 3"), ("ko", "페이지 1 / 3", "페이지 2 / 3")],
)
def test_list_says_which_of_its_pages_is_shown(language: str, first: str, second: str):
    page = open_page("coming_soon", language)
    assert page.number_input(key="coming_page").label == first
    page.number_input(key="coming_page").set_value(2)
    run(page)
    assert page.number_input(key="coming_page").label == second
    assert page.number_input(key="coming_page").value == 2


@pytest.mark.parametrize("language", ["en", "ko"])
def test_feed_and_calendar_are_linked(language: str):
    links = " ".join(each.value for each in open_page("coming_soon", language).markdown)
    assert "(/feeds/forecasts.ics)" in links
    assert "(/feeds/forecasts.atom)" in links


def test_title_leads_to_the_page_of_the_film():
    assert '<a href="film?lang=en&amp;film=1">The &lt;b&gt;' in html_of(open_page("coming_soon"))


def test_search_order_and_page_stand_in_the_address_and_follow_it(api: StubApi):
    page = open_page("coming_soon")
    page.text_input(key="coming_search").set_value("lantern")
    page.selectbox(key="coming_sort").set_value("-rating")
    page.number_input(key="coming_page").set_value(2)
    page = run(page)
    expected = {"search": "lantern", "sort": "-rating", "page": "2"}
    assert {name: page.query_params[name] for name in expected} == expected
    for search, sort, number in (("", "release_date", 1), ("far", "title", 3)):
        page.query_params.clear()
        if search:  # as after the browser's button "forward"
            page.query_params.update(search=search, sort=sort, page=str(number))
        page = run(page)
        assert page.text_input(key="coming_search").value == search
        assert page.selectbox(key="coming_sort").value == sort
        offset = (number - 1) * 20
        wanted = f"/forecasts?search={search}&sort={sort}&limit=20&offset={offset}"
        assert api.paths[-1] == wanted


@pytest.mark.parametrize("query", [{"sort": "x", "page": "0"}, {"page": "-1"}, {"page": "9e9"}])
def test_unusable_values_in_the_address_count_for_nothing(api: StubApi, query: dict[str, str]):
    page = open_page("coming_soon")
    page.query_params.update(query)
    page = run(page)
    assert api.paths[-1] == "/forecasts?search=&sort=release_date&limit=20&offset=0"
    assert not set(query) & set(page.query_params)


def test_page_number_after_the_last_one_shows_the_first(api: StubApi):
    page = open_page("coming_soon")
    api.responses["/forecasts"] = 200, FORECASTS | {"films": []}
    page.query_params["page"] = "99"
    run(page)
    assert api.paths[-1].endswith("offset=0")


def test_search_order_and_page_are_sent_to_the_api(api: StubApi):
    page = open_page("coming_soon")
    page.text_input(key="coming_search").set_value("lantern")
    page.selectbox(key="coming_sort").set_value("-rating")
    run(page)
    page.number_input(key="coming_page").set_value(2)
    run(page)
    assert api.paths[-1] == "/forecasts?search=lantern&sort=-rating&limit=20&offset=20"


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"as_of": None, "total": 0, "films": []}, "There are no forecasts yet"),
        ({"as_of": "2026-11-23", "total": 0, "films": []}, "No film matches"),
    ],
)
def test_empty_list_is_explained(api: StubApi, body: Any, message: str):
    api.responses["/forecasts"] = 200, body
    assert message in visible_text(open_page("coming_soon"))


@pytest.mark.parametrize("response", [problem(503, "the ledger is away"), (200, {"odd": 1})])
def test_api_fault_is_reported(api: StubApi, response: tuple[int, Any]):
    api.responses["/forecasts"] = response
    error = error_of(open_page("coming_soon"))
    assert ("records cannot be read" in error) == (response[0] == 503)


@pytest.mark.parametrize(
    ("language", "message", "retry"),
    [("ko", "연결할 수 없습니다", "다시 시도"), ("en", "cannot be reached", "Try again")],
)
def test_stopped_api_is_reported_and_retry_works_once_it_is_back(
    api: StubApi, language: str, message: str, retry: str
):
    page = open_page("coming_soon", language)
    api.stop()
    assert message in error_of(run(page))
    api.start()
    assert not click(page, retry).error
