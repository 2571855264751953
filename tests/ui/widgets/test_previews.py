import pytest

from tests.support.stub_api import FILM, FORECAST, NO_MODEL, StubApi, problem
from ui.server.documents import Visit
from ui.widgets.previews import describe


def visit(query: dict[str, list[str]], page: str = "", accepted: str = "en") -> Visit:
    return Visit(page, query, {}, accepted, "203.0.113.7")


def test_link_is_described_by_title_forecast_and_interval(api: StubApi):
    link = {"title": ["Lantern"], "genres": ["Drama"], "runtime": ["112"], "overview": ["secret"]}
    preview = describe(visit(link))
    assert preview.title == "Lantern: 6.8 (5.9 to 7.7)"
    assert "land between 5.9 and 7.7" in preview.description
    assert api.bodies == [{"title": "Lantern", "genres": ["Drama"], "runtime": 112}]
    assert api.paths == ["/predict?translate=false&explain=false"]
    assert describe(visit(link, accepted="ko")).title == "Lantern: 6.8점(5.9~7.7)"


@pytest.mark.parametrize("query", [{}, {"title": ["Lantern"]}, {"genres": [""], "runtime": ["x"]}])
def test_page_without_a_forecast_sends_no_request(api: StubApi, query: dict[str, list[str]]):
    preview = describe(visit(query))
    assert (preview.title, preview.language) == ("Film rating forecast", "en")
    assert api.paths == []


def test_running_time_that_the_page_refuses_has_no_forecast(api: StubApi):
    unusual = {"warnings": [{"field": "runtime", "reason": "unusual"}]}
    api.responses["/predict"] = 200, FORECAST | unusual
    link = {"title": ["Lantern"], "genres": ["Drama"], "runtime": ["600"]}
    assert describe(visit(link)).title == "Film rating forecast"


def test_failing_api_leaves_the_title_of_the_page(api: StubApi):
    api.respond_everywhere(NO_MODEL)
    assert describe(visit({"genres": ["Drama"]})).title == "Film rating forecast"


@pytest.mark.parametrize("page", ["film", ""])
def test_film_is_described_by_its_last_recorded_forecast_and_poster(api: StubApi, page: str):
    poster = "https://image.tmdb.org/t/p/w185/a.jpg"
    recorded = {
        "day": "2026-11-22", "rating": 6.5, "version": "v",
        "interval": {"low": 5.5, "high": 7.5, "coverage": 0.8},
    }  # fmt: skip
    later = recorded | {"day": "2026-11-23", "rating": 6.61}
    api.responses["/films/7"] = 200, FILM | {"poster": poster, "forecasts": [recorded, later]}
    preview = describe(visit({"film": ["7"]}, page))
    assert (preview.title, preview.image) == ("The *Harbour*: 6.6 (5.5 to 7.5)", poster)
    assert api.bodies == []


@pytest.mark.parametrize("film", ["abc", "", "0", "-7", "7e3", "٧", "9" * 13])
def test_address_that_names_no_film_sends_no_request(api: StubApi, film: str):
    assert describe(visit({"film": [film]}, "film")).title == "Film"
    assert api.paths == []


def test_unknown_film_has_the_title_of_the_page(api: StubApi):
    api.responses["/films/7"] = problem(404, "no such film")
    assert describe(visit({"film": ["7"]}, "film")).title == "Film"


@pytest.mark.parametrize(("page", "title"), [("model", "The model"), ("privacy", "What is kept")])
def test_other_pages_are_described_by_their_names(api: StubApi, page: str, title: str):
    assert describe(visit({}, page)).title.startswith(title)
    assert api.paths == []
