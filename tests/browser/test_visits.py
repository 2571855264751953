"""Test visits to the UI with a real browser, in each language and window width.

The tests check the content, the layout and the accessibility of the pages."""

import csv
import io
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.support.stub_api import NO_MODEL, READ_IN_KOREAN, UNTRANSLATED, VERSION, StubApi, problem
from tests.support.ui_visit import (
    DRAMA,
    FORECAST_ALL,
    GENRES,
    PLOT,
    RUNTIME,
    TITLES,
    assert_accessible,
    assert_fits,
    expect_drawn_charts,
    expect_open_expander,
    field,
    in_all_layouts,
    open_page,
    submit,
    submit_sample,
    upload,
)

PLOTS = {
    "ko": "등대지기의 딸이 오랜만에 고향 섬으로 돌아와, 가족이 숨겨 온 편지 한 통을 발견한다.",
    "en": "A lighthouse keeper's daughter finds a letter her family kept from her.",
}
FILE = """제목,줄거리,장르,원어,러닝타임,개봉일
등불,행복한 날,드라마;SF,한국어,112,2027-05-01
,,코미디,en,두 시간,
"=1+1",A day,,English,90,내일
아무것도 없음,,,,,
바다,,Drama,ko,100,2027.6.1
"""
# JavaScript that opens the expander. It returns by how many pixels, at most, the content reached
# below the expander meanwhile: 0 if it opens without an animation.
HIDDEN_PIXELS_WHILE_OPENING = """async box => {
    box.querySelector("summary").click();
    const content = box.querySelector("[data-testid=stExpanderDetails]");
    const bottom = of => of.getBoundingClientRect().bottom;
    let most = 0;
    do {
        await new Promise(requestAnimationFrame);
        most = Math.max(most, bottom(content) - bottom(box));
    } while (!box.querySelector("[data-testid=stDateInput]") || box.getAnimations().length);
    return most;
}"""


def fill_in(page: Page, language: str) -> None:
    field(page, RUNTIME[language]).fill("112")
    field(page, PLOT[language]).fill(PLOTS[language])
    page.get_by_label(GENRES[language]).click()
    page.get_by_role("option", name=DRAMA[language]).click()
    page.keyboard.press("Escape")


def expect_filled_in(page: Page, language: str, plot: str) -> None:
    expect(field(page, RUNTIME[language])).to_have_value("112")
    expect(page.get_by_test_id("stMultiSelect").first).to_contain_text(DRAMA[language])
    expect(field(page, PLOT[language])).to_have_value(plot)


@in_all_layouts
def test_visitor_gets_a_forecast_and_keeps_the_input_when_the_api_fails(
    api: StubApi, address: str, page: Page, language: str, width: int
):
    urls: list[str] = []
    page.on("request", lambda request: urls.append(request.url))
    open_page(page, address, "", language, width)
    expect(page.locator("html")).to_have_attribute("lang", language)

    # With an animation, the page scrolls while the expander opens, and letters typed then are lost.
    box = page.get_by_test_id("stExpander").locator("details")
    expect(box.get_by_test_id("stExpanderDetails")).to_have_css("display", "none")
    assert box.evaluate(HIDDEN_PIXELS_WHILE_OPENING) == 0
    expect_open_expander(page, language)

    fill_in(page, language)
    submit(page, language)
    scale = {
        "ko": "예상 평점 6.8점, 10편 중 8편은 5.9~7.7점, 기준값 6.4점",
        "en": "expected rating 6.8, 8 in 10 such films land between 5.9 and 7.7, baseline 6.4",
    }[language]
    expect(page.get_by_label(scale).first).to_be_visible()
    expect(page.get_by_text("6.8", exact=True)).to_be_visible()
    mood = {"ko": "밝음", "en": "Bright"}[language]
    expect(page.get_by_text(mood, exact=True)).to_be_visible()
    people = {"ko": "감독·각본·출연진 +0.51", "en": "People +0.51"}[language]
    expect(page.get_by_label(people).first).to_be_visible()
    expect(page.get_by_text(people)).to_be_visible()
    expect(page.get_by_role("row", name="The *Lantern* 2024 7.1")).to_be_visible()
    expect(page.get_by_text(VERSION)).to_be_visible()
    assert api.bodies == [
        {"overview": PLOTS[language], "genres": ["Drama"], "language": language, "runtime": 112}
    ]
    expect_drawn_charts(page, 2)
    assert_fits(page)
    assert_accessible(page)

    api.responses["/predict"] = 200, UNTRANSLATED
    submit(page, language)
    warning = {"ko": "줄거리를 분석하지 못했습니다", "en": "The plot could not be read"}[language]
    expect(page.get_by_role("alert")).to_contain_text(warning)
    unknown = {"ko": "알 수 없음", "en": "Unknown"}[language]
    expect(page.locator(".mood")).to_have_text(unknown)
    assert_fits(page)

    api.responses["/predict"] = 200, READ_IN_KOREAN
    submit(page, language)
    note = {"ko": "한국어 줄거리를 번역 없이 분석했습니다", "en": "Read in Korean"}[language]
    expect(page.get_by_text(note)).to_be_visible()
    expect(page.get_by_role("alert")).to_have_count(0)
    assert_fits(page)

    api.stop()
    submit(page, language)
    away = {"ko": "예측 서비스(API)에 연결할 수 없습니다", "en": "cannot be reached"}[language]
    expect(page.get_by_role("alert")).to_contain_text(away)
    expect_filled_in(page, language, PLOTS[language])
    assert_fits(page)

    api.start()
    submit(page, language)
    expect(page.get_by_text("6.8", exact=True)).to_be_visible()
    expect(page.get_by_role("alert")).to_have_count(0)
    assert api.bodies[-1]["genres"] == ["Drama"]
    assert [url for url in urls if not url.startswith((address, "data:", "blob:"))] == []


@in_all_layouts
def test_file_is_shown_as_it_is_read_and_then_forecast_row_by_row(
    api: StubApi, address: str, page: Page, language: str, width: int
):
    open_page(page, address, "compare", language, width)
    upload(page, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "films.xls")
    old_excel = {"ko": "예전 엑셀 파일", "en": "workbook of an old Excel"}[language]
    expect(page.get_by_role("alert").filter(has_text=old_excel)).to_be_visible()
    expect(page.get_by_role("button", name=FORECAST_ALL[language])).to_be_disabled()
    assert_fits(page)

    upload(page, FILE.encode("cp949" if language == "ko" else "utf-8"))
    summary = {"ko": "2편을 불러왔고", "en": "2 films read, 3 rows skipped."}[language]
    expect(page.get_by_text(summary)).to_be_visible()
    expect(page.get_by_text("두 시간")).to_be_visible()
    encoding = {"ko": "CP949 (EUC-KR) 인코딩", "en": "Text file in UTF-8"}[language]
    expect(page.get_by_text(encoding)).to_be_visible()
    assert_fits(page)
    assert_accessible(page)
    page.get_by_role("button", name=FORECAST_ALL[language]).click()
    save = page.get_by_role("button", name={"ko": "결과를 CSV", "en": "results as CSV"}[language])
    with page.expect_download() as download:
        save.click()
    text = Path(download.value.path()).read_text("utf-8-sig")
    rows = list(csv.reader(io.StringIO(text)))
    assert [row[0] for row in rows[1:]] == ["1", "2", "3", "4", "5"]
    assert [row[-1] for row in rows[1:]] == ["2", "3", "4", "5", "6"]
    assert [row[2] for row in rows[1:]] == ["6.84", "", "", "", "6.84"]
    assert all(row[-2] for row in (rows[2], rows[3], rows[4]))
    assert rows[3][1] == "'=1+1"
    assert api.bodies == [
        {
            "title": "등불",
            "overview": "행복한 날",
            "genres": ["Drama", "Science Fiction"],
            "language": "ko",
            "runtime": 112,
            "release_date": "2027-05-01",
        },
        {
            "title": "바다",
            "genres": ["Drama"],
            "language": "ko",
            "runtime": 100,
            "release_date": "2027-06-01",
        },
    ]
    expect_drawn_charts(page, 1)
    assert_fits(page)
    assert_accessible(page)


@in_all_layouts
@pytest.mark.usefixtures("api")
def test_model_is_shown_beside_its_baselines_and_by_subgroup(
    address: str, page: Page, language: str, width: int
):
    open_page(page, address, "model", language, width)
    expect(page.get_by_text(VERSION).first).to_be_visible()
    old = {"ko": "이전 모델(변수 5개) 0.74", "en": "The old five-feature model 0.74"}[language]
    expect(page.get_by_label(old).first).to_be_visible()
    korean = {"ko": "한국어 1,234 0.71", "en": "Korean 1,234 0.71"}[language]
    expect(page.get_by_role("row", name=korean)).to_be_visible()
    refused = {"ko": "미채택 2026-11-24-cd34 0.625", "en": "Refused 2026-11-24-cd34 0.625"}
    expect(page.get_by_role("row", name=refused[language])).to_be_visible()
    current = {"ko": "롤백 · 사용 중", "en": "Rolled back · in service"}[language]
    expect(page.get_by_role("cell", name=current)).to_be_visible()
    counts = {"ko": "채택 1회, 롤백 1회", "en": "1 promotion, 1 rollback"}[language]
    expect(page.get_by_label(counts).first).to_be_visible()
    bins = {"ko": "예측 5.6, 실제 5.5", "en": "forecast 5.6, rating 5.5"}[language]
    expect(page.get_by_label(bins).first).to_be_visible()
    page.get_by_text({"ko": "모델 카드", "en": "Model card"}[language]).first.click()
    expect(page.get_by_text("Forecasts the TMDB rating.")).to_be_visible()
    expect_drawn_charts(page, 4)
    assert_fits(page)
    assert_accessible(page)


@in_all_layouts
@pytest.mark.usefixtures("api")
def test_ledger_pages_fit_and_are_accessible(address: str, page: Page, language: str, width: int):
    open_page(page, address, "coming_soon", language, width)
    expect(page.get_by_role("heading", name="The <b>Lantern</b>")).to_be_visible()
    assert_fits(page)
    assert_accessible(page)
    open_page(page, address, "track_record", language, width)
    expect_drawn_charts(page, 3)
    expect(page.get_by_role("row", name="The Far Shore")).to_be_visible()
    assert_fits(page)
    assert_accessible(page)


@in_all_layouts
@pytest.mark.usefixtures("api")
def test_page_of_a_film_and_what_is_kept_fit_and_are_accessible(
    address: str, page: Page, language: str, width: int
):
    page.set_viewport_size({"width": width, "height": 900})
    page.goto(f"{address}/?film=7&lang={language}")
    name = {"ko": "항구", "en": "The *Harbour*"}[language]
    expect(page.get_by_role("heading", name=name, exact=True)).to_be_visible()
    expect_drawn_charts(page, 2)
    assert "/film?" in page.url
    assert_fits(page)
    assert_accessible(page)
    page.get_by_role(
        "link", name={"ko": "입력 내용의 보관", "en": "What is kept"}[language]
    ).click()
    note = {"ko": "남는 것은 횟수뿐", "en": "except counts"}[language]
    expect(page.get_by_text(note)).to_be_visible()
    assert_fits(page)
    assert_accessible(page)


@in_all_layouts
@pytest.mark.usefixtures("api")
def test_unknown_address_is_explained_and_links_to_the_pages(
    address: str, page: Page, language: str, width: int
):
    page.set_viewport_size({"width": width, "height": 900})
    title = {"ko": "이 주소에는 페이지가 없습니다", "en": "There is no page at this address"}
    for path in ("nonsense", "compare/nonsense/further"):
        page.goto(f"{address}/{path}?lang={language}")
        expect(page.get_by_role("heading", name=title[language])).to_be_visible()
        expect(page.get_by_role("dialog")).to_have_count(0)
        assert_fits(page)
    assert_accessible(page)
    link = {"ko": "여러 편 비교", "en": "Compare"}[language]
    page.get_by_test_id("stPageLink").get_by_role("link", name=link).click()
    expect(page.get_by_role("heading", name=TITLES["compare"][language])).to_be_visible()


@pytest.mark.parametrize("language", ["ko", "en"])
@pytest.mark.parametrize("path", ["", "model"])
def test_every_api_error_fits_on_a_phone_and_retry_works_when_the_api_is_back(
    api: StubApi, address: str, page: Page, path: str, language: str
):
    faults = [
        (NO_MODEL, "아직 모델이 없습니다", "has no model yet"),
        (problem(429, "slow down"), "요청이 너무 많습니다", "too many requests"),
        (problem(401, "send a key"), "허용하지 않습니다", "does not know this page"),
        ((500, b"boom"), "응답을 처리할 수 없습니다", "this page cannot read"),
    ]
    retry = page.get_by_role("button", name={"ko": "다시 시도", "en": "Try again"}[language])
    api.stop()
    open_page(page, address, path, language, 390)
    away = {"ko": "연결할 수 없습니다", "en": "cannot be reached"}[language]
    expect(page.get_by_role("alert").filter(has_text=away)).to_be_visible()
    assert_fits(page)
    api.start()
    for response, korean, english in faults:
        api.respond_everywhere(response)
        retry.click()
        message = {"ko": korean, "en": english}[language]
        expect(page.get_by_role("alert").filter(has_text=message).first).to_be_visible()
        assert_fits(page)
    api.start()
    retry.click()
    expect(page.get_by_role("alert")).to_have_count(0)


@pytest.mark.usefixtures("api")
def test_dark_theme_is_accessible(address: str, page: Page):
    page.emulate_media(color_scheme="dark")
    submit_sample(page, address, "ko")
    expect_drawn_charts(page, 2)
    assert_accessible(page)
