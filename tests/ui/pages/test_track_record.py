from typing import Any

import pytest

from tests.support.app_test import chart_texts, click, error_of, open_page, run, visible_text
from tests.support.stub_api import TRACK_RECORD, StubApi, problem

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
