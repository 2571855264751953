import csv
import io
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.support.stub_api import FORECAST, NO_MODEL, StubApi, problem

PARTS = {"": "forecast", "compare": "compare", "model": "model"}
TITLE = {
    ("forecast", "ko"): "개봉 전 영화 평점 예측",
    ("forecast", "en"): "Film rating forecast",
    ("compare", "ko"): "여러 편 비교",
    ("compare", "en"): "Compare films",
    ("model", "ko"): "지금 쓰는 예측 모델",
    ("model", "en"): "The model in service",
}
SAMPLE = {"ko": "숟가락 두 개", "en": "Two Spoons"}
SUBMIT = {"ko": "평점 예측하기", "en": "Forecast the rating"}
ALL = {"ko": "모두 예측하기", "en": "Forecast all"}

everywhere = pytest.mark.parametrize(
    ("language", "width"), [("ko", 1440), ("ko", 390), ("en", 1440), ("en", 390)]
)
in_both = pytest.mark.parametrize("language", ["ko", "en"])


def open_part(page: Page, address: str, part: str, language: str, width: int = 1440) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    page.goto(f"{address}/{part}?lang={language}")
    heading = TITLE[PARTS[part], language]
    expect(page.get_by_role("heading", name=heading, exact=True)).to_be_visible()


def asked_with_sample(page: Page, address: str, language: str, width: int = 1440) -> None:
    open_part(page, address, "", language, width)
    page.get_by_text(SAMPLE[language], exact=True).click()
    comedy = {"ko": "코미디", "en": "Comedy"}[language]
    expect(page.get_by_test_id("stMultiSelect").first).to_contain_text(comedy)
    page.get_by_role("button", name=SUBMIT[language]).click()
    expect(page.locator(".rating")).to_have_text("6.8")


def unfold(page: Page, language: str) -> None:
    page.get_by_text({"ko": "더 아는 것이", "en": "What else is known"}[language]).click()
    # The last of the fields, and the one that comes late: until it is there, others move.
    last = {"ko": "키워드(영어로)", "en": "Keywords (in English)"}
    expect(page.get_by_role("combobox", name=last[language])).to_be_visible()
    expect(page.get_by_test_id("stDateInput")).to_be_visible()


def assert_fits(page: Page) -> None:
    width = page.viewport_size["width"] if page.viewport_size else 0
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def serious(page: Page) -> list[str]:
    """Where axe-core finds a serious fault or a worse one."""
    found = Axe().run(page).response["violations"]
    return [
        f"{each['id']}: {node['html'][:300]}"
        for each in found
        if each["impact"] in {"serious", "critical"}
        for node in each["nodes"]
    ]


@everywhere
def test_sample_film_fills_the_form_in(
    api: StubApi, address: str, page: Page, language: str, width: int
) -> None:
    asked_with_sample(page, address, language, width)
    (asked,) = api.bodies
    assert asked["title"] == SAMPLE[language]
    assert (asked["genres"], asked["runtime"]) == (["Comedy", "Romance"], 98)
    assert asked["language"] == language
    assert_fits(page)


@everywhere
def test_answer_tells_reasons_and_films_like_it(
    api: StubApi, address: str, page: Page, language: str, width: int
) -> None:
    asked_with_sample(page, address, language, width)
    people = {"ko": "감독·각본·출연진 +0.51", "en": "People +0.51"}[language]
    expect(page.get_by_label(people).first).to_be_visible()
    expect(page.get_by_text(people)).to_be_visible()
    expect(page.get_by_role("row", name="The *Lantern* 2024 7.1")).to_be_visible()
    assert "/ratings?genre=Comedy" in api.paths
    assert_fits(page)


@in_both
def test_names_are_found_while_one_types_and_enter_the_forecast(
    api: StubApi, address: str, page: Page, language: str
) -> None:
    asked_with_sample(page, address, language)
    unfold(page, language)
    search = page.get_by_role("searchbox")
    search.press_sequentially("ada")
    page.get_by_text("Ada Novak", exact=True).click()
    expect(search).to_have_value("")
    chosen = page.get_by_test_id("stMultiSelect").filter(has_text="Ada Novak")
    expect(chosen).to_be_visible()
    api.responses["/predict"] = 200, FORECAST | {"rating": 7.5}
    page.get_by_role("button", name=SUBMIT[language]).click()
    expect(page.locator(".rating")).to_have_text("7.5")
    assert api.bodies[-1]["directors"] == ["Ada Novak"]
    assert "/people?q=ada&field=directors" in api.paths


@in_both
def test_what_if_shows_both_forecasts(
    api: StubApi, address: str, page: Page, language: str
) -> None:
    asked_with_sample(page, address, language)
    api.responses["/predict"] = 200, FORECAST | {"rating": 6.54}
    field = page.get_by_label(
        {"ko": "다른 상영 시간(분)", "en": "Other running time (min)"}[language]
    )
    field.fill("150")
    field.press("Enter")
    metrics = page.get_by_test_id("stMetric")
    expect(metrics.nth(0)).to_contain_text("6.84")
    expect(metrics.nth(1)).to_contain_text("6.54")
    expect(metrics.nth(1)).to_contain_text("-0.30")
    assert api.bodies[-1]["runtime"] == 150
    expect(page.locator(".rating")).to_have_text("6.8")


@in_both
@pytest.mark.usefixtures("api")
def test_answer_can_be_taken_along(address: str, page: Page, language: str) -> None:
    asked_with_sample(page, address, language)
    with page.expect_download() as download:
        page.get_by_role("button", name="JSON").click()
    saved = json.loads(Path(download.value.path()).read_text("utf-8"))
    assert saved["forecast"] == FORECAST
    assert saved["film"]["genres"] == ["Comedy", "Romance"]
    with page.expect_download() as download:
        page.get_by_role("button", name="PDF").click()
    assert Path(download.value.path()).read_bytes().startswith(b"%PDF-")
    assert download.value.suggested_filename == "forecast.pdf"


@in_both
def test_link_fills_the_form_in_again_and_holds_the_plot_only_if_wished(
    api: StubApi, address: str, page: Page, language: str
) -> None:
    asked_with_sample(page, address, language)
    page.get_by_text(
        {"ko": "이 입력을 다시 여는 링크", "en": "Link to this form"}[language]
    ).click()
    shown = page.get_by_test_id("stCode")
    expect(shown).to_contain_text("genres=Comedy&genres=Romance")
    assert "overview" not in shown.inner_text()
    page.get_by_text({"ko": "줄거리도 넣기", "en": "With the plot"}[language]).click()
    expect(shown).to_contain_text("overview=")
    link = shown.inner_text().strip()
    (first,) = api.bodies
    other = page.context.new_page()
    other.goto(link)
    other.get_by_role("button", name=SUBMIT[language]).click()
    expect(other.locator(".rating")).to_have_text("6.8")
    assert api.bodies[-1] == first


@pytest.mark.usefixtures("api")
@pytest.mark.parametrize(
    "query",
    [
        "runtime=nan&budget=inf&release_date=yesterday",
        "runtime=-5&budget=1e99&release_date=9999-99-99&language=%00",
        "genres=&genres=<script>&language=qqq&countries=Nowhere&directors=" + "x" * 3_000,
        "overview=" + "가" * 3_000 + "&title={rating}",
    ],
)
def test_no_link_breaks_the_page(address: str, page: Page, query: str) -> None:
    page.goto(f"{address}/?lang=ko&{query}")
    page.get_by_role("button", name=SUBMIT["ko"]).click()
    expect(page.locator(".rating")).to_have_text("6.8")
    expect(page.get_by_test_id("stException")).to_have_count(0)


FILE = """제목,줄거리,장르,언어,상영 시간,개봉일
등불,행복한 날,드라마;SF,한국어,112,2027-05-01
,,코미디,en,두 시간,
"=1+1",A day,,English,90,내일
아무것도 없음,,,,,
바다,,Drama,ko,"1,00",2027.6.1
"""


def upload(page: Page, raw: bytes, name: str = "films.csv") -> None:
    file: Any = {"name": name, "mimeType": "application/octet-stream", "buffer": raw}
    page.locator("input[type=file]").set_input_files(file)


@everywhere
def test_file_is_forecast_row_by_row(
    api: StubApi, address: str, page: Page, language: str, width: int
) -> None:
    open_part(page, address, "compare", language, width)
    upload(page, FILE.encode("cp949" if language == "ko" else "utf-8"))
    said = {"ko": "영화 2편을 읽었습니다", "en": "Read: 2 films"}[language]
    expect(page.get_by_text(said)).to_be_visible()
    expect(page.get_by_text({"ko": "두 시간", "en": "두 시간"}[language])).to_be_visible()
    page.get_by_role("button", name=ALL[language]).click()
    save = page.get_by_role("button", name={"ko": "결과를 CSV", "en": "results as CSV"}[language])
    with page.expect_download() as download:
        save.click()
    text = Path(download.value.path()).read_text("utf-8-sig")
    rows = list(csv.reader(io.StringIO(text)))
    assert [row[0] for row in rows[1:]] == ["2", "3", "4", "5", "6"]
    assert [row[2] for row in rows[1:]] == ["6.84", "", "", "", "6.84"]
    assert all(row[-1] for row in (rows[2], rows[3], rows[4]))
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
    assert_fits(page)


@in_both
@pytest.mark.usefixtures("api")
def test_films_of_the_form_are_compared(address: str, page: Page, language: str) -> None:
    asked_with_sample(page, address, language)
    page.get_by_role(
        "button", name={"ko": "비교 목록에 담기", "en": "Add to the"}[language]
    ).click()
    page.get_by_role("link", name={"ko": "비교 목록 보기", "en": "See the"}[language]).click()
    page.get_by_role("button", name=ALL[language]).click()
    expect(page.get_by_label(f"1. {SAMPLE[language]} 6.8").first).to_be_visible()
    first = {"ko": "평점 예측", "en": "Forecast"}[language]
    page.get_by_role("link", name=first, exact=True).first.click()
    plot = page.get_by_label({"ko": "줄거리", "en": "Plot"}[language], exact=True)
    expect(plot).not_to_have_value("")


@in_both
@pytest.mark.parametrize(
    ("raw", "korean", "english"),
    [
        (b"", "영화가 없습니다", "no film"),
        (b"\xff\xfe\x00\x81", "읽을 수 없는", "cannot be read"),
        (b"a,b\n1,2\n", "알아볼 수 있는 열", "known here"),
        (b"title\n" + b"x\n" * 201, "200편보다 많습니다", "more than 200"),
    ],
)
@pytest.mark.usefixtures("api")
def test_file_that_cannot_be_used_is_said(
    address: str, page: Page, language: str, raw: bytes, korean: str, english: str
) -> None:
    open_part(page, address, "compare", language)
    upload(page, raw)
    said = {"ko": korean, "en": english}[language]
    expect(page.get_by_role("alert").filter(has_text=said)).to_be_visible()
    expect(page.get_by_role("button", name=ALL[language])).to_be_disabled()


UPLOADER = {"ko": ["파일 선택", "200MB까지"], "en": ["Upload", "200MB per file"]}


@everywhere
@pytest.mark.usefixtures("api")
def test_uploader_speaks_the_language_of_the_page(
    address: str, page: Page, language: str, width: int
) -> None:
    open_part(page, address, "compare", language, width)
    uploader = page.get_by_test_id("stFileUploader")
    for text in UPLOADER[language]:
        expect(uploader).to_contain_text(text)
    expect(uploader.get_by_role("button", name=UPLOADER[language][0], exact=True)).to_be_visible()
    page.get_by_text({"ko": "English", "en": "한국어"}[language], exact=True).click()
    for text in UPLOADER[{"ko": "en", "en": "ko"}[language]]:
        expect(uploader).to_contain_text(text)


@everywhere
@pytest.mark.usefixtures("api")
def test_fields_to_choose_in_speak_the_language_of_the_page(
    address: str, page: Page, language: str, width: int
) -> None:
    open_part(page, address, "", language, width)
    genres = page.get_by_role("combobox").first
    genres.press_sequentially("zzz")
    none = {"ko": "결과 없음", "en": "No results"}
    expect(page.get_by_role("listbox")).to_contain_text(none[language])
    genres.fill("")
    page.keyboard.press("Escape")
    unfold(page, language)
    directors = page.get_by_role("combobox", name={"ko": "감독", "en": "Directors"}[language])
    directors.scroll_into_view_if_needed()
    directors.click()  # two frames later: a list opened in the frame of a scroll is closed by it
    directors.press_sequentially("B… Joon")
    add = {"ko": "추가: B… Joon", "en": "Add: B… Joon"}
    expect(page.get_by_role("listbox")).to_contain_text(add[language])


HIDDEN_WHILE_IT_UNFOLDS = """async box => {
    box.querySelector("summary").click();
    const held = box.querySelector("[data-testid=stExpanderDetails]");
    const bottom = of => of.getBoundingClientRect().bottom;
    let most = 0;
    do {
        await new Promise(requestAnimationFrame);
        most = Math.max(most, bottom(held) - bottom(box));
    } while (!box.querySelector("[data-testid=stDateInput]") || box.getAnimations().length);
    return most;
}"""


@everywhere
@pytest.mark.usefixtures("api")
def test_box_unfolds_at_once_since_what_scrolls_in_it_would_lose_the_letters_typed(
    address: str, page: Page, language: str, width: int
) -> None:
    open_part(page, address, "", language, width)
    box = page.get_by_test_id("stExpander").locator("details")
    expect(box.get_by_test_id("stExpanderDetails")).to_have_css("display", "none")
    assert box.evaluate(HIDDEN_WHILE_IT_UNFOLDS) == 0


@everywhere
@pytest.mark.usefixtures("api")
@pytest.mark.parametrize("path", ["nonsense", "compare/nonsense/further"])
def test_unknown_address_says_so_in_the_language_of_the_page_and_shows_the_way(
    address: str, page: Page, language: str, width: int, path: str
) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    page.goto(f"{address}/{path}?lang={language}")
    said = {"ko": "이 주소에는 페이지가 없습니다", "en": "There is no page at this address"}
    expect(page.get_by_role("heading", name=said[language])).to_be_visible()
    expect(page.get_by_role("dialog")).to_have_count(0)
    assert serious(page) == []
    assert_fits(page)
    way = {"ko": "여러 편 비교", "en": "Compare"}[language]
    page.get_by_test_id("stPageLink").get_by_role("link", name=way).click()
    expect(page.get_by_role("heading", name=TITLE["compare", language])).to_be_visible()


@pytest.mark.usefixtures("api")
def test_every_script_that_draws_the_form_is_named_in_the_document(
    address: str, page: Page
) -> None:
    open_part(page, address, "", "en")
    expect(page.get_by_role("button", name=SUBMIT["en"])).to_be_visible()
    named = page.content()
    asked = page.evaluate("performance.getEntriesByType('resource').map(each => each.name)")
    scripts = [url.rsplit("/", 1)[1] for url in asked if url.endswith(".js")]
    assert len(scripts) > 60
    assert [script for script in scripts if f'js/{script}"' not in named] == []


NO_DATES = ("abc", "99999999", "31022027", "-1-1-1", "2027/02/31", "가나다", "1e999", "00000000")


@everywhere
def test_no_date_typed_key_by_key_breaks_the_page_or_loses_the_form(
    api: StubApi, address: str, page: Page, language: str, width: int
) -> None:
    asked_with_sample(page, address, language, width)
    unfold(page, language)
    field = page.get_by_test_id("stDateInput")
    for at, typed in enumerate(NO_DATES):
        field.get_by_role("spinbutton").first.click()
        page.keyboard.type(typed)
        page.keyboard.press("Tab")
        api.responses["/predict"] = 200, FORECAST | {"rating": 1 + at / 10}
        page.get_by_role("button", name=SUBMIT[language]).click()
        expect(page.locator(".rating")).to_have_text(f"{1 + at / 10:.1f}")
        asked = api.bodies[-1]
        assert (asked["title"], asked["runtime"]) == (SAMPLE[language], 98)
        assert "1870-01-01" <= asked.get("release_date", "1870-01-01") <= "2100-01-01"
        expect(page.get_by_test_id("stException")).to_have_count(0)
    assert_fits(page)


@in_both
@pytest.mark.usefixtures("api")
def test_date_out_of_range_is_said_in_the_language_of_the_page(
    address: str, page: Page, language: str
) -> None:
    open_part(page, address, "", language)
    unfold(page, language)
    field = page.get_by_test_id("stDateInput")
    field.get_by_role("spinbutton").first.click()
    page.keyboard.type("29990101")
    page.keyboard.press("Tab")
    said = {"ko": "날짜만 쓸 수 있습니다", "en": "Only dates from 1870-01-01"}[language]
    expect(field.get_by_role("alert")).to_contain_text(said)


@in_both
@pytest.mark.parametrize("part", ["coming_soon", "track_record"])
def test_ledger_pages_say_that_the_api_is_away_and_find_it_back(
    api: StubApi, address: str, page: Page, part: str, language: str
) -> None:
    api.stop()
    page.goto(f"{address}/{part}?lang={language}")
    said = {"ko": "연결할 수 없습니다", "en": "cannot be reached"}[language]
    expect(page.get_by_role("alert").filter(has_text=said)).to_be_visible()
    api.start()
    page.get_by_role("button", name={"ko": "다시 시도", "en": "Try again"}[language]).click()
    expect(page.get_by_role("alert")).to_have_count(0)


@in_both
def test_name_search_says_that_the_api_is_away_and_keeps_the_letters(
    api: StubApi, address: str, page: Page, language: str
) -> None:
    open_part(page, address, "", language)
    unfold(page, language)
    search = page.get_by_role("searchbox")
    expect(search).to_be_visible()
    api.stop()
    search.press_sequentially("ada")
    said = {"ko": "연결할 수 없습니다", "en": "cannot be reached"}[language]
    expect(page.get_by_role("alert").filter(has_text=said)).to_be_visible()
    expect(search).to_have_value("ada")


@everywhere
@pytest.mark.usefixtures("api")
def test_workbook_is_told_to_be_saved_as_csv(
    address: str, page: Page, language: str, width: int
) -> None:
    workbook = io.BytesIO()
    with zipfile.ZipFile(workbook, "w") as parts:
        parts.writestr("xl/workbook.xml", "<workbook/>")
    open_part(page, address, "compare", language, width)
    upload(page, workbook.getvalue(), "films.xlsx")
    said = {"ko": "CSV만 읽을 수 있습니다", "en": "Only CSV can be read"}[language]
    expect(page.get_by_role("alert").filter(has_text=said)).to_be_visible()
    assert_fits(page)


@in_both
def test_fault_in_the_middle_ends_the_comparison_in_words(
    api: StubApi, address: str, page: Page, language: str
) -> None:
    open_part(page, address, "compare", language)
    upload(page, b"genre\nDrama\nComedy\n")
    api.responses["/predict"] = NO_MODEL
    page.get_by_role("button", name=ALL[language]).click()
    said = {"ko": "아직 모델이 없습니다", "en": "has no model yet"}[language]
    expect(page.get_by_role("alert").filter(has_text=said)).to_be_visible()
    rest = {"ko": "예측하지 않았습니다", "en": "Not asked"}[language]
    expect(page.get_by_role("cell", name=rest)).to_be_visible()
    assert len(api.bodies) == 1


@everywhere
@pytest.mark.usefixtures("api")
def test_model_is_shown_beside_its_baselines_and_part_by_part(
    address: str, page: Page, language: str, width: int
) -> None:
    open_part(page, address, "model", language, width)
    expect(page.get_by_text("2026-11-23-ab12").first).to_be_visible()
    old = {"ko": "이전의 다섯 특성 모델 0.74", "en": "The old five-feature model 0.74"}[language]
    expect(page.get_by_label(old).first).to_be_visible()
    korean = {"ko": "한국어 1,234 0.71", "en": "Korean 1,234 0.71"}[language]
    expect(page.get_by_role("row", name=korean)).to_be_visible()
    refused = {"ko": "탈락 2026-11-24-cd34 0.625", "en": "Refused 2026-11-24-cd34 0.625"}
    expect(page.get_by_role("row", name=refused[language])).to_be_visible()
    serving = {"ko": "되돌림 · 사용 중", "en": "Rolled back · in service"}[language]
    expect(page.get_by_role("cell", name=serving)).to_be_visible()
    marked = {"ko": "채택 1번, 되돌림 1번", "en": "1 promotion, 1 rollback"}[language]
    expect(page.get_by_label(marked).first).to_be_visible()
    bins = {"ko": "예측 5.6, 실제 5.5", "en": "forecast 5.6, rating 5.5"}[language]
    expect(page.get_by_label(bins).first).to_be_visible()
    page.get_by_text({"ko": "모델 카드", "en": "Model card"}[language]).first.click()
    expect(page.get_by_text("Forecasts the TMDB rating.")).to_be_visible()
    assert_fits(page)


@in_both
def test_model_without_evidence_says_so(
    api: StubApi, address: str, page: Page, language: str
) -> None:
    api.responses["/evidence"] = problem(404, "this version was published without its evidence")
    open_part(page, address, "model", language)
    said = {"ko": "종류별 정확도 자료가 없습니다", "en": "without calibration"}[language]
    expect(page.get_by_text(said)).to_be_visible()


@in_both
def test_model_without_its_history_says_so_and_shows_the_rest(
    api: StubApi, address: str, page: Page, language: str
) -> None:
    api.responses["/history"] = problem(503, "the decision history is not read")
    open_part(page, address, "model", language)
    said = {"ko": "기록을 지금 읽을 수 없습니다", "en": "records cannot be read"}[language]
    expect(page.get_by_role("alert").filter(has_text=said)).to_be_visible()
    korean = {"ko": "한국어 1,234 0.71", "en": "Korean 1,234 0.71"}[language]
    expect(page.get_by_role("row", name=korean)).to_be_visible()


@pytest.mark.parametrize(
    ("answer", "korean", "english"),
    [
        (None, "연결할 수 없습니다", "cannot be reached"),
        (NO_MODEL, "아직 모델이 없습니다", "has no model yet"),
        (problem(429, "slow down"), "요청이 너무 많습니다", "too many requests"),
        (problem(401, "send a key"), "허용하지 않습니다", "does not know this page"),
        ((500, b"boom"), "알아들을 수 없는", "makes no sense"),
    ],
)
@in_both
@pytest.mark.parametrize("part", ["", "model"])
def test_api_that_cannot_answer_is_said_on_every_part(
    api: StubApi,
    address: str,
    page: Page,
    part: str,
    language: str,
    answer: Any,
    korean: str,
    english: str,
) -> None:
    if answer is None:
        api.stop()
    else:
        api.respond_everywhere(answer)
    open_part(page, address, part, language, 390)
    said = {"ko": korean, "en": english}[language]
    expect(page.get_by_role("alert").filter(has_text=said).first).to_be_visible()
    assert_fits(page)


@everywhere
@pytest.mark.usefixtures("api")
def test_axe_finds_nothing_serious_on_any_part(
    address: str, page: Page, language: str, width: int
) -> None:
    found = {}
    asked_with_sample(page, address, language, width)
    unfold(page, language)
    page.wait_for_timeout(1_500)  # the charts draw themselves
    found["forecast"] = serious(page)
    open_part(page, address, "compare", language, width)
    upload(page, FILE.encode())
    page.get_by_role("button", name=ALL[language]).click()
    expect(page.get_by_test_id("stVegaLiteChart")).to_be_visible()
    found["compare"] = serious(page)
    open_part(page, address, "model", language, width)
    page.wait_for_timeout(1_500)
    found["model"] = serious(page)
    assert found == {"forecast": [], "compare": [], "model": []}


@pytest.mark.usefixtures("api")
def test_axe_finds_nothing_serious_in_the_dark(address: str, page: Page) -> None:
    page.emulate_media(color_scheme="dark")
    asked_with_sample(page, address, "ko")
    page.wait_for_timeout(1_500)
    assert serious(page) == []


def test_forecast_needs_no_mouse(api: StubApi, address: str, page: Page) -> None:
    open_part(page, address, "", "en")
    expect(page.get_by_role("button", name=SUBMIT["en"])).to_be_visible()
    expect(page.get_by_test_id("stStatusWidget")).to_have_count(0)  # all fields are drawn
    page.get_by_label("Plot", exact=True).focus()
    page.keyboard.type("A happy day.")
    page.keyboard.press("Tab")
    expect(page.get_by_role("combobox", name="Genres")).to_be_focused()
    page.keyboard.type("Dra")
    expect(page.get_by_role("option", name="Drama")).to_be_visible()
    page.keyboard.press("Enter")
    expect(page.locator("[data-tag]:visible")).to_have_text("Drama")
    page.keyboard.press("Escape")
    # As long as the list is open, what is around it is hidden from whoever asks by roles.
    expect(page.get_by_role("button", name="Remove Drama")).to_be_visible()
    expect(page.get_by_test_id("stStatusWidget")).to_have_count(0)
    for _ in range(12):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.innerText") == SUBMIT["en"]:
            break
    page.keyboard.press("Enter")
    expect(page.locator(".rating")).to_have_text("6.8")
    assert api.bodies[-1]["overview"] == "A happy day."
    assert api.bodies[-1]["genres"] == ["Drama"]


def test_what_was_typed_outlives_folding_it_away(api: StubApi, address: str, page: Page) -> None:
    asked_with_sample(page, address, "en")
    more = page.get_by_text("What else is known")
    more.click()
    page.get_by_label("Title", exact=True).fill("Another title")
    page.get_by_label("Series", exact=True).fill("A series")
    more.click()
    expect(page.get_by_label("Series", exact=True)).to_have_count(0)
    api.responses["/predict"] = 200, FORECAST | {"rating": 7.5}
    page.get_by_role("button", name=SUBMIT["en"]).click()
    expect(page.locator(".rating")).to_have_text("7.5")
    assert (api.bodies[-1]["title"], api.bodies[-1]["collection"]) == ("Another title", "A series")
