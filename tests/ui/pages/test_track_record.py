from typing import Any

import pytest

from tests.support.app_test import (
    chart_texts,
    click,
    error_of,
    html_of,
    open_page,
    run,
    visible_text,
)
from tests.support.stub_api import OPENED, RECORDED, TRACK_RECORD, StubApi, problem

pytestmark = pytest.mark.usefixtures("api")


@pytest.mark.parametrize(
    ("language", "worst", "best"),
    [
        ("en", "The worst misses", "The best hits"),
        ("ko", "가장 크게 빗나간 예측", "가장 잘 맞은 예측"),
    ],
)
def test_worst_forecasts_are_shown_above_the_best(language: str, worst: str, best: str):
    page = open_page("track_record", language)
    headers = [header.value for header in page.header]
    assert headers.index(worst) < headers.index(best)
    text = visible_text(page)
    assert "The Far Shore" in text
    assert "+2.25" in text
    assert "The Quiet Harbour" in text


def test_errors_are_shown_by_month_and_in_three_charts():
    page = open_page("track_record")
    text = visible_text(page)
    assert "40 films with 50 votes or more" in text
    assert "the forecasts were 0.02 points too high on average" in text
    assert "2026-06 40 0.61 +0.02 79%" in text
    assert len(chart_texts(page)) == 3


@pytest.mark.parametrize(("language", "header"), [("en", "Probabilities"), ("ko", "확률 예측")])
def test_scores_of_the_probabilities_are_shown(language: str, header: str):
    page = open_page("track_record", language)
    assert header in [each.value for each in page.header]
    text = visible_text(page)
    assert "7.0 26% 0.127 0.186 0.012" in text
    assert "0.35" in text


def test_service_without_distributions_has_no_table_of_them(api: StubApi):
    old = {name: value for name, value in TRACK_RECORD.items() if name != "distribution"}
    for body in (old, TRACK_RECORD | {"distribution": None}):
        api.responses["/track-record"] = 200, body
        page = open_page("track_record")
        assert "Probabilities" not in [each.value for each in page.header]
        assert "The Far Shore" in visible_text(page)


@pytest.mark.parametrize(
    ("language", "film"),
    [
        ("en", "The *Pier* November 20, 2026 6.8 5.9 – 7.7 6.1 8 42"),
        ("ko", "잔교 2026년 11월 20일 6.8 5.9 – 7.7 6.1 8 42"),
    ],
)
def test_last_weeks_films_have_their_forecast_rating_and_needed_votes(language: str, film: str):
    text = visible_text(open_page("track_record", language))
    assert film in text
    assert "Lantern" not in text  # it has not opened yet


def test_week_without_openings_is_explained(api: StubApi):
    asked = "/forecasts?opened=last_week&sort=-rating&limit=200"
    api.responses[asked] = 200, OPENED | {"films": []}
    text = visible_text(open_page("track_record"))
    assert "No film with a forecast opened from November 16, 2026 to November 22, 2026." in text


def test_film_is_looked_up_in_the_record(api: StubApi):
    page = open_page("track_record")
    assert api.paths[-1] == "/track-record/films?state=waiting&limit=20"
    assert "Waiting for votes: 1 film." in visible_text(page)
    page.text_input(key="record_search").set_value(" ferry ")
    text = visible_text(run(page))
    assert api.paths[-1] == "/track-record/films?search=ferry&limit=20"
    assert "1 film in the record" in text
    assert "The Slow Ferry October 2, 2026 7.2 6.3 – 8.1 – 0 50" in text


@pytest.mark.parametrize(
    ("text", "message"), [("", "No released film waits"), ("x", "The record has no such film")]
)
def test_record_without_such_films_is_explained(api: StubApi, text: str, message: str):
    api.responses["/track-record/films"] = 200, RECORDED | {"films": [], "total": 0}
    page = open_page("track_record")
    page.text_input(key="record_search").set_value(text)
    assert message in visible_text(run(page))


def test_missing_catalogue_leaves_the_rest_of_the_page(api: StubApi):
    for path in list(api.responses):
        if "opened" in path or path == "/track-record/films":
            api.responses[path] = problem(503, "there is no film catalogue yet")
    page = open_page("track_record")
    assert len(page.error) == 2
    assert "The Far Shore" in visible_text(page)


@pytest.mark.parametrize(
    ("language", "changes", "sentence"),
    [
        ("en", {}, "The next forecast is compared on December 20, 2026"),
        ("en", {"figures": None, "parts": []}, "The first forecast is compared on December 20"),
        ("ko", {"figures": None, "parts": []}, "첫 채점일은 첫 개봉 30일 뒤인 2026년 12월 20일"),
    ],
)
def test_next_comparison_has_a_date(
    api: StubApi, language: str, changes: dict[str, Any], sentence: str
):
    api.responses["/track-record"] = 200, TRACK_RECORD | changes
    assert sentence in visible_text(open_page("track_record", language))


@pytest.mark.parametrize(
    ("language", "names"),
    [
        ("en", ["50 to 99 votes", "100 to 999 votes", "1,000 votes or more"]),
        ("ko", ["평가 50~99개", "평가 100~999개", "평가 1,000개 이상"]),
    ],
)
def test_ranges_of_votes_are_named_by_their_bounds(language: str, names: list[str]):
    text = visible_text(open_page("track_record", language))
    assert all(name in text for name in names)


def test_alert_is_shown(api: StubApi):
    api.responses["/track-record"] = 200, TRACK_RECORD | {"alerts": ["genres changed"]}
    page = open_page("track_record")
    assert "genres changed" in visible_text(page)
    assert len(page.warning) == 1


@pytest.mark.parametrize("body", [None, TRACK_RECORD | {"figures": None, "parts": []}])
def test_track_record_without_scores_is_explained(api: StubApi, body: Any):
    api.responses["/track-record"] = 200, body
    assert "No forecast can be scored yet" in visible_text(open_page("track_record"))


@pytest.mark.parametrize("response", [problem(503, "the ledger is away"), (200, {"odd": 1})])
def test_api_fault_is_reported(api: StubApi, response: tuple[int, Any]):
    api.responses["/track-record"] = response
    error = error_of(open_page("track_record"))
    assert ("records cannot be read" in error) == (response[0] == 503)


@pytest.mark.parametrize(
    ("language", "message", "retry"),
    [("ko", "연결할 수 없습니다", "다시 시도"), ("en", "cannot be reached", "Try again")],
)
def test_stopped_api_is_reported_and_retry_works_once_it_is_back(
    api: StubApi, language: str, message: str, retry: str
):
    page = open_page("track_record", language)
    api.stop()
    assert message in error_of(run(page))
    api.start()
    assert not click(page, retry).error


def test_search_in_the_record_stands_in_the_address_and_films_lead_to_their_pages():
    page = open_page("track_record")
    page.text_input(key="record_search").set_value("far")
    page = run(page)
    assert page.query_params["search"] == "far"
    assert '<a href="film?lang=en&amp;film=' in html_of(page)
    page.query_params.clear()
    assert run(page).text_input(key="record_search").value == ""
