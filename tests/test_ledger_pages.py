import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from tests.support.stub_api import (
    FORECASTS,
    TRACK_RECORD,
    VERSION,
    StubApi,
    problem,
    running_stub_api,
)

ROOT = Path(__file__).parents[1]
POSTER = "https://image.tmdb.org/t/p/w185/lantern.jpg"


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> Iterator[StubApi]:
    with running_stub_api() as stub:
        monkeypatch.setenv("API_URL", stub.url)
        yield stub


def opened(name: str, language: str = "en") -> AppTest:
    page = AppTest.from_file(ROOT / "app.py", default_timeout=60)
    page.query_params["lang"] = language
    page.run()
    page.switch_page(f"ui/pages/{name}.py")
    return settled(page)


def settled(page: AppTest) -> AppTest:
    page.run()
    assert not page.exception
    return page


def html_of(page: AppTest) -> str:
    elements: list[Any] = list(page.get("html"))
    return "\n".join(element.proto.body for element in elements)


def read(page: AppTest) -> str:
    """What a person reads."""
    text = re.sub("<style>.*?</style>|<[^>]+>", " ", html_of(page), flags=re.S)
    kinds = ("title", "header", "markdown", "caption", "text", "error", "warning", "info")
    told: list[Any] = [element for kind in kinds for element in page.get(kind)]
    rest = [element.value for element in told]
    return re.sub(r"\s+", " ", " ".join([text, *rest]))


@pytest.mark.usefixtures("api")
@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("en", "December 3, 2026 · Drama · Korean 6.8 (5.9 to 7.7) +0.12 since last week"),
        ("ko", "2026년 12월 3일 · 드라마 · 한국어 6.8 (5.9~7.7) 지난주보다 +0.12"),
    ],
)
def test_film_to_come_is_shown_with_its_forecast(language: str, said: str):
    assert said in read(opened("coming_soon", language))


@pytest.mark.usefixtures("api")
def test_markup_in_a_title_is_text():
    assert "The &lt;b&gt;Lantern&lt;/b&gt;" in html_of(opened("coming_soon"))


def film(**others: Any) -> tuple[int, Any]:
    (known,) = FORECASTS["films"]
    return 200, FORECASTS | {"films": [known | others]}


@pytest.mark.parametrize(
    ("poster", "shown"), [(None, False), (POSTER, True), ("https://elsewhere.example/a", False)]
)
def test_poster_is_shown_only_by_tmdbs_own_address(api: StubApi, poster: str | None, shown: bool):
    api.answers["/forecasts"] = film(poster=poster)
    assert ("<img" in html_of(opened("coming_soon"))) == shown


def test_film_of_which_little_is_known_is_shown_too(api: StubApi):
    little: dict[str, Any] = {
        "title": None,
        "genre": None,
        "language": None,
        "change": None,
        "reasons": [],
    }
    api.answers["/forecasts"] = film(**little)
    text = read(opened("coming_soon"))
    assert "Without a title December 3, 2026 6.8" in text
    assert "new this week" in text


def test_search_order_and_page_are_asked_of_the_service(api: StubApi):
    page = opened("coming_soon")
    page.text_input(key="coming_search").set_value("lantern")
    page.selectbox(key="coming_sort").set_value("-rating")
    settled(page)
    page.number_input(key="coming_page").set_value(2)
    settled(page)
    assert api.paths[-1] == "/forecasts?search=lantern&sort=-rating&limit=20&offset=20"


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ({"as_of": None, "total": 0, "films": []}, "Nothing has been forecast yet"),
        ({"as_of": "2026-11-23", "total": 0, "films": []}, "No film matches"),
    ],
)
def test_empty_list_is_told(api: StubApi, answer: Any, said: str):
    api.answers["/forecasts"] = 200, answer
    assert said in read(opened("coming_soon"))


@pytest.mark.parametrize("name", ["coming_soon", "track_record"])
@pytest.mark.parametrize("answer", [problem(503, "the ledger is away"), (200, {"odd": 1})])
def test_fault_of_the_service_is_told(api: StubApi, name: str, answer: tuple[int, Any]):
    api.answers |= {"/forecasts": answer, "/track-record": answer}
    page = opened(name)
    (error,) = page.error
    assert ("records cannot be read" in error.value) == (answer[0] == 503)


@pytest.mark.usefixtures("api")
@pytest.mark.parametrize(
    ("language", "worst", "best"),
    [
        ("en", "The worst misses", "The best hits"),
        ("ko", "가장 크게 빗나간 예측", "가장 잘 맞은 예측"),
    ],
)
def test_misses_are_shown_as_plainly_as_hits(language: str, worst: str, best: str):
    page = opened("track_record", language)
    headers = [header.value for header in page.header]
    assert headers.index(worst) < headers.index(best)
    text = read(page)
    assert "The Far Shore" in text
    assert "+2.25" in text
    assert "The Quiet Harbour" in text


@pytest.mark.usefixtures("api")
def test_figures_stand_beside_the_baselines_month_by_month():
    page = opened("track_record")
    text = read(page)
    assert "40 films with 50 votes or more" in text
    assert "2026-06 40 0.61 +0.02 79%" in text
    charts: list[Any] = list(page.get("arrow_vega_lite_chart")) + list(page.get("vega_lite_chart"))
    assert len(charts) == 3


def test_alert_is_shown(api: StubApi):
    api.answers["/track-record"] = 200, TRACK_RECORD | {"alerts": ["genres changed"]}
    page = opened("track_record")
    assert "genres changed" in read(page)
    assert len(page.warning) == 1


@pytest.mark.parametrize("answer", [None, TRACK_RECORD | {"figures": None, "parts": []}])
def test_record_without_scores_says_so(api: StubApi, answer: Any):
    api.answers["/track-record"] = 200, answer
    assert "No forecast has come due yet" in read(opened("track_record"))


@pytest.mark.usefixtures("api")
@pytest.mark.parametrize(
    ("language", "outcomes"),
    [
        ("en", ("Refused", "Rolled back · in service", "Promoted")),
        ("ko", ("탈락", "되돌림 · 사용 중", "채택")),
    ],
)
def test_every_run_is_told_with_its_outcome_and_one_of_them_is_in_service(
    language: str, outcomes: tuple[str, ...]
):
    told = read(opened("model", language))
    refused, rolled_back, promoted = outcomes
    assert f"UTC {refused} 2026-11-24-cd34 0.625 " in told
    assert f"UTC {rolled_back} {VERSION} " in told
    assert f"UTC {promoted} {VERSION} 0.625 " in told
    assert "&lt;b&gt;the champion&lt;/b&gt;" in told


def test_registry_without_decisions_is_told(api: StubApi):
    api.answers["/history"] = 200, {"decisions": []}
    assert "No decision has been recorded yet" in read(opened("model"))
