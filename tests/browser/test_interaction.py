"""Test typing, clicks, keyboard use, downloads and links in the UI, with a real browser."""

import json
import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.support.stub_api import FORECAST, StubApi
from tests.support.ui_visit import (
    DRAMA,
    FORECAST_ALL,
    GENRES,
    OTHER,
    PLOT,
    RUNTIME,
    SAMPLE,
    SUBMIT,
    SWITCH,
    TITLES,
    assert_accessible,
    assert_fits,
    field,
    in_both_languages,
    open_expander,
    open_page,
    submit,
    submit_sample,
)

NUMBERS = [("900", 900), ("0", 0), ("-3", -3), ("90.5", 90.5), ("1e5", 100_000)]
NO_DATES = ("abc", "99999999", "31022027", "-1-1-1", "2027/02/31", "가나다", "1e999", "00000000")
UPLOADER = {"ko": ["파일 선택", "5MB까지"], "en": ["Upload", "5MB per file"]}


@in_both_languages
def test_numbers_are_sent_as_typed_and_an_invalid_date_keeps_the_form(
    api: StubApi, address: str, page: Page, language: str, width: int
):
    submit_sample(page, address, language, width)
    # Each forecast has another rating, so that the test sees when the new one has arrived.
    ratings = iter(f"{tenths / 10:.1f}" for tenths in range(10, 60))

    def submit_and_wait() -> None:
        rating = next(ratings)
        api.responses["/predict"] = 200, FORECAST | {"rating": float(rating)}
        submit(page, language)
        expect(page.locator(".rating")).to_have_text(rating)

    runtime = field(page, RUNTIME[language])
    for typed, number in NUMBERS:
        runtime.fill(typed)
        submit_and_wait()
        assert api.bodies[-1]["runtime"] == number
        assert float(runtime.input_value()) == number
        assert "Number is" not in page.inner_text("body")  # Streamlit's own message, in English
    runtime.fill("98")
    open_expander(page, language)
    released = page.get_by_test_id("stDateInput")
    for typed in NO_DATES:
        released.get_by_role("spinbutton").first.click()
        page.keyboard.type(typed)
        page.keyboard.press("Tab")
        submit_and_wait()
        sent = api.bodies[-1]
        assert (sent["title"], sent["runtime"]) == (SAMPLE[language], 98)
        assert "1870-01-01" <= sent.get("release_date", "1870-01-01") <= "2100-01-01"
        expect(page.get_by_test_id("stException")).to_have_count(0)
    assert_fits(page)


@in_both_languages
def test_names_are_suggested_while_typing_and_typed_letters_stay_when_the_api_stops(
    api: StubApi, address: str, page: Page, language: str, width: int
):
    submit_sample(page, address, language, width)
    open_expander(page, language)
    search = page.get_by_role("searchbox").last  # the first one searches for films
    search.press_sequentially("ada")
    page.get_by_text("Ada Novak", exact=True).click()
    expect(search).to_have_value("")
    expect(page.get_by_test_id("stMultiSelect").filter(has_text="Ada Novak")).to_be_visible()
    api.responses["/predict"] = 200, FORECAST | {"rating": 7.5}
    submit(page, language)
    expect(page.locator(".rating")).to_have_text("7.5")
    assert api.bodies[-1]["directors"] == ["Ada Novak"]
    assert "/people?q=ada&field=directors" in api.paths
    api.stop()
    search.press_sequentially("ada")
    away = {"ko": "연결할 수 없습니다", "en": "cannot be reached"}[language]
    expect(page.get_by_role("alert").filter(has_text=away)).to_be_visible()
    expect(search).to_have_value("ada")


@in_both_languages
def test_forecast_can_be_varied_downloaded_and_shared_by_link(
    api: StubApi, address: str, page: Page, language: str, width: int
):
    submit_sample(page, address, language, width)
    (first,) = api.bodies
    expect(page.locator(".chance b")).to_have_text("41%")
    page.get_by_role("slider").press("ArrowRight")
    expect(page.locator(".chance")).to_contain_text("8.0")
    expect(page.locator(".chance b")).to_have_text("6%")
    assert api.bodies == [first]  # no request: the forecast has the chances of all thresholds
    with page.expect_download() as download:
        page.get_by_role("button", name="JSON").click()
    saved = json.loads(Path(download.value.path()).read_text("utf-8"))
    assert saved["forecast"] == FORECAST
    assert saved["film"]["genres"] == ["Comedy", "Romance"]
    with page.expect_download() as download:
        page.get_by_role("button", name="PDF").click()
    assert Path(download.value.path()).read_bytes().startswith(b"%PDF-")
    assert download.value.suggested_filename == "forecast.pdf"

    page.get_by_text({"ko": "공유 링크", "en": "Share link"}[language]).click()
    link = page.get_by_test_id("stCode")
    expect(link).to_contain_text("genres=Comedy&genres=Romance")
    assert "overview=" not in link.inner_text()
    other = page.context.new_page()
    other.goto(link.inner_text().strip())
    expect(other.locator(".rating")).to_have_text("6.8")
    expect(other).to_have_title(re.compile(f"^{SAMPLE[language]}: 6.8"))
    assert api.bodies[-1] == {name: first[name] for name in first if name != "overview"}
    other.close()

    api.responses["/predict"] = 200, FORECAST | {"rating": 6.54}
    what = {"ko": "바꿀 항목", "en": "What changes?"}[language]
    page.get_by_role("combobox", name=what).press_sequentially(RUNTIME[language][:4])
    page.get_by_role("option", name=RUNTIME[language]).click()
    page.keyboard.press("Escape")
    fields = page.get_by_role("spinbutton", name=RUNTIME[language])
    expect(fields).to_have_count(2)  # the form's and the scenario's
    expect(fields.last).to_have_value("98")
    fields.last.fill("150")
    page.get_by_role("button", name={"ko": "고정해서 비교", "en": "Pin"}[language]).click()
    metrics = page.get_by_test_id("stMetric")
    expect(metrics.nth(1)).to_contain_text("6.54")
    assert first | {"runtime": 150} in api.bodies
    changed = {"ko": "98분 → 150분", "en": "98 min → 150 min"}[language]
    expect(page.get_by_text(changed)).to_be_visible()
    assert_fits(page)
    assert_accessible(page)


@in_both_languages
def test_reload_and_the_back_button_keep_form_comparison_and_language(
    api: StubApi, address: str, page: Page, language: str, width: int
):
    submit_sample(page, address, language, width)
    sent = api.bodies[-1]
    add = {"ko": "비교 목록에 담기", "en": "Add to the"}[language]
    page.get_by_role("button", name=add).click()
    compared = page.get_by_role("link", name={"ko": "비교 목록 보기", "en": "See the"}[language])
    expect(compared).to_be_visible()
    field(page, RUNTIME[language]).fill("150")
    submit(page, language)
    expect(page).to_have_url(re.compile("runtime=150"))
    page.go_back()
    expect(field(page, RUNTIME[language])).to_have_value("98")
    expect(compared).to_be_visible()
    assert api.bodies[-1] == sent
    assert "overview" not in page.url.replace("without=overview", "")

    page.goto(page.url.replace(f"lang={language}&", ""))  # the cookie knows the language
    expect(field(page, PLOT[language])).to_have_value(sent["overview"])
    expect(compared).to_be_visible()
    expect(page.locator("html")).to_have_attribute("lang", language)
    page.goto(f"{address}/compare")
    expect(page.get_by_role("rowheader", name=SAMPLE[language])).to_be_visible()


@in_both_languages
@pytest.mark.usefixtures("api")
def test_film_of_the_form_is_compared_and_the_form_keeps_its_values(
    address: str, page: Page, language: str, width: int
):
    submit_sample(page, address, language, width)
    add = {"ko": "비교 목록에 담기", "en": "Add to the"}[language]
    page.get_by_role("button", name=add).click()
    page.get_by_role("link", name={"ko": "비교 목록 보기", "en": "See the"}[language]).click()
    page.get_by_role("button", name=FORECAST_ALL[language]).click()
    expect(page.get_by_label(f"1. {SAMPLE[language]} 6.8").first).to_be_visible()
    page.go_back()
    expect(field(page, PLOT[language])).not_to_have_value("")


@in_both_languages
@pytest.mark.usefixtures("api")
def test_streamlits_own_texts_are_in_the_language_of_the_page(
    address: str, page: Page, language: str, width: int
):
    open_page(page, address, "", language, width)
    genres = page.get_by_role("combobox").first
    genres.press_sequentially("zzz")
    no_results = {"ko": "결과 없음", "en": "No results"}[language]
    expect(page.get_by_role("listbox")).to_contain_text(no_results)
    genres.fill("")
    page.keyboard.press("Escape")
    open_expander(page, language)
    released = page.get_by_test_id("stDateInput")
    released.get_by_role("spinbutton").first.click()
    page.keyboard.type("29990101")
    page.keyboard.press("Tab")
    out_of_range = {"ko": "날짜만 쓸 수 있습니다", "en": "Only dates from 1870-01-01"}[language]
    expect(released.get_by_role("alert")).to_contain_text(out_of_range)
    directors = page.get_by_role("combobox", name={"ko": "감독", "en": "Directors"}[language])
    directors.scroll_into_view_if_needed()
    # A click waits two frames after the scroll: a list that opens in the same frame closes again.
    directors.click()
    directors.press_sequentially("B… Joon")
    add = {"ko": "추가: B… Joon", "en": "Add: B… Joon"}[language]
    expect(page.get_by_role("listbox")).to_contain_text(add)

    open_page(page, address, "compare", language, width)
    uploader = page.get_by_test_id("stFileUploader")
    for text in UPLOADER[language]:
        expect(uploader).to_contain_text(text)
    expect(uploader.get_by_role("button", name=UPLOADER[language][0], exact=True)).to_be_visible()
    page.get_by_text(SWITCH[OTHER[language]], exact=True).click()
    for text in UPLOADER[OTHER[language]]:
        expect(uploader).to_contain_text(text)


@pytest.mark.usefixtures("api")
def test_language_switch_keeps_values_that_were_not_submitted(address: str, page: Page):
    plot = "등대지기의 딸이 편지 한 통을 발견한다."
    open_page(page, address, "", "ko")
    field(page, RUNTIME["ko"]).fill("112")
    field(page, PLOT["ko"]).fill(plot)
    page.get_by_label(GENRES["ko"]).click()
    page.get_by_role("option", name=DRAMA["ko"]).click()
    page.keyboard.press("Escape")

    def expect_values(language: str) -> None:
        expect(field(page, RUNTIME[language])).to_have_value("112")
        expect(page.get_by_test_id("stMultiSelect").first).to_contain_text(DRAMA[language])
        expect(field(page, PLOT[language])).to_have_value(plot)

    page.get_by_text(SWITCH["en"], exact=True).click()
    expect(page.get_by_role("heading", name=TITLES[""]["en"])).to_be_visible()
    expect(page.locator("html")).to_have_attribute("lang", "en")
    expect_values("en")
    expect(page.get_by_role("combobox", name="Original language")).to_have_value("Korean")
    assert "lang=en" in page.url
    submit(page, "en")
    expect(page.get_by_text("6.8", exact=True)).to_be_visible()
    page.get_by_text(SWITCH["ko"], exact=True).click()
    expect(page.get_by_label("예상 평점 6.8점").first).to_be_visible()
    expect_values("ko")


@pytest.mark.usefixtures("api")
def test_page_preloads_every_script_that_draws_the_form(address: str, page: Page):
    open_page(page, address, "", "en")
    document = page.content()
    urls = page.evaluate("performance.getEntriesByType('resource').map(each => each.name)")
    scripts = [url.rsplit("/", 1)[1] for url in urls if url.endswith(".js")]
    assert len(scripts) > 60
    assert [script for script in scripts if f'js/{script}"' not in document] == []


def test_forecast_can_be_requested_with_the_keyboard_alone(api: StubApi, address: str, page: Page):
    open_page(page, address, "", "en")
    expect(page.get_by_test_id("stStatusWidget")).to_have_count(0)  # all fields are drawn
    field(page, "Plot").focus()
    page.keyboard.type("A happy day.")
    page.keyboard.press("Tab")
    expect(page.get_by_role("combobox", name="Genres")).to_be_focused()
    page.keyboard.type("Dra")
    expect(page.get_by_role("option", name="Drama")).to_be_visible()
    page.keyboard.press("Enter")
    expect(page.locator("[data-tag]:visible")).to_have_text("Drama")
    page.keyboard.press("Escape")
    # While the list is open, Playwright finds nothing around it by role; so wait until it closes.
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


def test_typed_values_survive_closing_the_expander(api: StubApi, address: str, page: Page):
    submit_sample(page, address, "en")
    more = page.get_by_text("More details")
    more.click()
    field(page, "Title").fill("Another title")
    field(page, "Series").fill("A series")
    more.click()
    expect(page.get_by_label("Series", exact=True)).to_have_count(0)
    api.responses["/predict"] = 200, FORECAST | {"rating": 7.5}
    submit(page, "en")
    expect(page.locator(".rating")).to_have_text("7.5")
    sent = api.bodies[-1]
    assert (sent["title"], sent["collection"]) == ("Another title", "A series")


def test_names_and_the_card_load_nothing_and_the_policy_lets_everything_else_work(
    api: StubApi, address: str, page: Page
):
    image = "![x](http://evil.example/p.png)"
    api.responses["/people"] = 200, {"names": [f"Ada {image}"]}
    api.responses["/card"] = 200, f"# Card\n{image}".encode()
    urls: list[str] = []
    refused: list[str] = []
    page.on("request", lambda request: urls.append(request.url))
    page.on(
        "console",
        lambda said: refused.append(said.text) if "Content Security Policy" in said.text else None,
    )
    submit_sample(page, address, "en", 1280)
    expect(page.locator("svg, canvas").first).to_be_visible()  # a chart
    open_expander(page, "en")
    page.get_by_role("searchbox").last.press_sequentially("ada")
    expect(page.get_by_text(f"Ada {image}", exact=True)).to_be_visible()
    open_page(page, address, "model", "en", 1280)
    page.get_by_text("Model card").click()
    expect(page.get_by_text(image)).to_be_visible()
    assert not [url for url in urls if "evil.example" in url]
    assert refused == []
