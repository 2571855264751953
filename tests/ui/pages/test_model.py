from typing import Any

import pytest

from tests.support.app_test import chart_texts, error_of, html_of, open_page, visible_text
from tests.support.stub_api import HISTORY, NO_MODEL, VERSION, StubApi, problem

pytestmark = pytest.mark.usefixtures("api")


@pytest.mark.parametrize(
    ("language", "outcomes"),
    [
        ("en", ("Refused", "Rolled back · in service", "Promoted")),
        ("ko", ("미채택", "롤백 · 사용 중", "채택")),
    ],
)
def test_every_run_is_listed_with_its_outcome_and_one_is_in_service(
    language: str, outcomes: tuple[str, ...]
):
    page = open_page("model", language)
    text = visible_text(page)
    refused, rolled_back, promoted = outcomes
    assert f"UTC {refused} 2026-11-24-cd34 0.625 " in text
    assert f"UTC {rolled_back} {VERSION} " in text
    assert f"UTC {promoted} {VERSION} 0.625 " in text
    assert "&lt;b&gt;the champion&lt;/b&gt;" in html_of(page)


@pytest.mark.parametrize(
    ("language", "baseline", "history", "bins", "subgroup"),
    [
        (
            "ko",
            "이전 모델(변수 5개) 0.74",
            "채택 1회, 롤백 1회",
            "예측 5.6, 실제 5.5",
            "한국어 1,234 0.71",
        ),
        (
            "en",
            "The old five-feature model 0.74",
            "1 promotion, 1 rollback",
            "forecast 5.6, rating 5.5",
            "Korean 1,234 0.71",
        ),
    ],
)
def test_model_is_shown_beside_its_baselines_and_by_subgroup(
    language: str, baseline: str, history: str, bins: str, subgroup: str
):
    page = open_page("model", language)
    errors, versions, calibration, _ = chart_texts(page)
    assert baseline in errors
    assert history in versions
    assert bins in calibration
    assert subgroup in visible_text(page)
    assert "Forecasts the TMDB rating." in visible_text(page)


def test_registry_without_decisions_is_explained(api: StubApi):
    api.responses["/history"] = 200, {"decisions": []}
    assert "No decision has been recorded yet" in visible_text(open_page("model"))


@pytest.mark.parametrize(
    ("language", "message"),
    [("ko", "유형별 정확도 자료가 없습니다"), ("en", "without calibration")],
)
def test_missing_evidence_is_explained(api: StubApi, language: str, message: str):
    api.responses["/evidence"] = problem(404, "this version was published without its evidence")
    assert message in visible_text(open_page("model", language))


@pytest.mark.parametrize(
    ("language", "message", "subgroup"),
    [
        ("ko", "기록을 지금 불러올 수 없습니다", "한국어 1,234 0.71"),
        ("en", "records cannot be read", "Korean 1,234 0.71"),
    ],
)
def test_unreadable_history_is_reported_and_the_rest_stays_visible(
    api: StubApi, language: str, message: str, subgroup: str
):
    api.responses["/history"] = problem(503, "the decision history is not read")
    page = open_page("model", language)
    assert message in error_of(page)
    assert subgroup in visible_text(page)


@pytest.mark.parametrize(
    ("response", "korean", "english"),
    [
        (None, "연결할 수 없습니다", "cannot be reached"),
        (NO_MODEL, "아직 모델이 없습니다", "has no model yet"),
        (problem(429, "slow down"), "요청이 너무 많습니다", "too many requests"),
        (problem(401, "send a key"), "허용하지 않습니다", "does not know this page"),
        ((500, b"boom"), "응답을 처리할 수 없습니다", "this page cannot read"),
    ],
)
@pytest.mark.parametrize("language", ["ko", "en"])
def test_failing_api_is_explained_in_the_page_language(
    api: StubApi, language: str, response: Any, korean: str, english: str
):
    if response is None:
        api.stop()
    else:
        api.respond_everywhere(response)
    assert {"ko": korean, "en": english}[language] in error_of(open_page("model", language))


def test_no_rollback_is_not_mentioned(api: StubApi):
    decisions = [each for each in HISTORY["decisions"] if each["action"] != "rolled_back"]
    api.responses["/history"] = 200, {"decisions": decisions}
    page = open_page("model")
    assert "rollback" not in " ".join(chart_texts(page))
    assert "Triangles: versions" in visible_text(page)
    assert "Dashed" not in visible_text(page)
