"""Actions and checks for browser tests of the UI, and the labels on its pages by language."""

from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Locator, Page, expect

TITLES = {
    "": {"ko": "개봉 전 영화 평점 예측", "en": "Film rating forecast"},
    "compare": {"ko": "여러 편 비교", "en": "Compare films"},
    "model": {"ko": "현재 예측 모델", "en": "The model in service"},
    "coming_soon": {"ko": "개봉 예정작", "en": "Coming soon"},
    "track_record": {"ko": "예측 성적표", "en": "Track record"},
}
SUBMIT = {"ko": "평점 예측하기", "en": "Forecast the rating"}
FORECAST_ALL = {"ko": "모두 예측하기", "en": "Forecast all"}
RUNTIME = {"ko": "러닝타임(분)", "en": "Running time (min)"}
GENRES = {"ko": "장르(주 장르부터)", "en": "Genres (the main one first)"}
DRAMA = {"ko": "드라마", "en": "Drama"}
PLOT = {"ko": "줄거리", "en": "Plot"}
SAMPLE = {"ko": "숟가락 두 개", "en": "Two Spoons"}
OTHER = {"ko": "en", "en": "ko"}
SWITCH = {"ko": "한국어", "en": "English"}

# The layout depends on language and width, so tests of whole visits run in all four combinations.
in_all_layouts = pytest.mark.parametrize(
    ("language", "width"), [("ko", 1440), ("ko", 390), ("en", 1440), ("en", 390)]
)
# Other tests run twice: once in Korean on a phone, and once in English on a wide screen.
in_both_languages = pytest.mark.parametrize(("language", "width"), [("ko", 390), ("en", 1440)])


def open_page(page: Page, address: str, path: str, language: str, width: int = 1440) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    page.goto(f"{address}/{path}?lang={language}")
    title = TITLES[path][language]
    expect(page.get_by_role("heading", name=title, exact=True)).to_be_visible()
    if not path:
        expect(page.get_by_role("button", name=SUBMIT[language])).to_be_visible()


def field(page: Page, label: str) -> Locator:
    """Return the field of the form with a label.

    When the page fills in a field, it becomes a new field. Until the run of the page ends,
    Streamlit keeps the old one too, hidden.
    """
    return page.get_by_label(label, exact=True).filter(visible=True)


def submit(page: Page, language: str) -> None:
    page.get_by_role("button", name=SUBMIT[language]).click()


def submit_sample(page: Page, address: str, language: str, width: int = 1440) -> None:
    """Open the form, fill it in with a sample film, and request its forecast."""
    open_page(page, address, "", language, width)
    page.get_by_text(SAMPLE[language], exact=True).click()
    comedy = {"ko": "코미디", "en": "Comedy"}[language]
    expect(page.get_by_test_id("stMultiSelect").first).to_contain_text(comedy)
    submit(page, language)
    expect(page.locator(".rating")).to_have_text("6.8")


def open_expander(page: Page, language: str) -> None:
    page.get_by_text({"ko": "추가 정보(선택)", "en": "More details"}[language]).click()
    expect_open_expander(page, language)


def expect_open_expander(page: Page, language: str) -> None:
    # Wait for the field that is drawn last: until then, the other fields still move.
    last = {"ko": "키워드(영어)", "en": "Keywords (in English)"}
    expect(page.get_by_role("combobox", name=last[language])).to_be_visible()
    expect(page.get_by_test_id("stDateInput")).to_be_visible()


def upload(page: Page, raw: bytes, name: str = "films.csv") -> None:
    file: Any = {"name": name, "mimeType": "application/octet-stream", "buffer": raw}
    page.locator("input[type=file]").set_input_files(file)


def assert_fits(page: Page) -> None:
    """Check that the page is not wider than its window, so that it needs no sideways scrolling."""
    width = page.viewport_size["width"] if page.viewport_size else 0
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def expect_drawn_charts(page: Page, number: int) -> None:
    charts = page.get_by_test_id("stVegaLiteChart")
    expect(charts).to_have_count(number)
    expect(charts.locator("canvas, svg.marks")).to_have_count(number)


def assert_accessible(page: Page) -> None:
    """Check that axe-core finds no serious accessibility fault on the page."""
    violations = Axe().run(page).response["violations"]
    found = [
        f"{each['id']}: {node['html'][:300]}"
        for each in violations
        if each["impact"] in {"serious", "critical"}
        for node in each["nodes"]
    ]
    assert not found, "\n".join(found)
